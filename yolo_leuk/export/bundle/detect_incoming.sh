#!/bin/sh
# Takes the pictures out of STATE/incoming and suggests what their cells are; picture and results
# then lie in a folder of STATE/results. Names that begin with a dot are left: copy a picture under
# such a name and rename it when it is whole.
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd)
state=${1-/var/lib/yolo-leuk}
taken=$state/results/$(date -u +%Y%m%dT%H%M%SZ)-$$

mkdir -p -- "$state/incoming" "$taken/pictures"
find "$state/incoming" -mindepth 1 -maxdepth 1 ! -name '.*' -exec mv -- {} "$taken/pictures" \;
if [ -z "$(ls "$taken/pictures")" ]; then
    rmdir -- "$taken/pictures" "$taken"
    exit
fi
exec "$here/venv/bin/python" -m yolo_leuk detect "$taken/pictures" \
    --model "$here/engines" --out "$taken/found"
