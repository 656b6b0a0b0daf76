#!/bin/sh
# Installs yolo-leuk into ./venv, which sees the system's Python packages: TensorRT, OpenCV and
# whatever else JetPack brings stay in use, and nothing outside this folder is changed.
set -eu

cd -- "$(dirname -- "$0")"
python=$PWD/venv/bin/python

[ -x "$python" ] || python3 -m venv --system-site-packages venv

add() {
    "$python" -m pip install --quiet "$(grep "^$1[=><]" requirements.txt)"
}

# numpy first, and not 2: JetPack's OpenCV and TensorRT are built for numpy 1.
add numpy
add typer
for package in cuda-python:cuda onnxruntime:onnxruntime opencv-python-headless:cv2; do
    # pip's packages would stand in front of JetPack's own builds, so only what is missing is added.
    if ! "$python" -c "import ${package#*:}" 2>/dev/null; then
        add "${package%%:*}"
    fi
done
"$python" -m pip install --quiet --no-deps --force-reinstall ./yolo_leuk-*.whl

if ! "$python" -c 'import tensorrt' 2>/dev/null; then
    echo "TensorRT's Python module is not there yet: sudo apt install python3-libnvinfer" >&2
fi
"$python" -m yolo_leuk --version
