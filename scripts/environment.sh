# The virtual environment .venv of scripts/demo and scripts/test. Both source this file with the
# root of the checkout as the current folder.

python=.venv/bin/python

# make_venv: .venv with the first Python that is new enough
make_venv() {
    # An environment whose Python has gone since no longer starts; it is made anew.
    "$python" -c '' 2>/dev/null && return
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10}; do
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || continue
        "$candidate" -c 'import ensurepip, venv' 2>/dev/null || stop \
            "$candidate has no venv. On Debian and Ubuntu: sudo apt install python3-venv"
        "$candidate" -m venv --clear .venv
        return
    done
    found=$("${PYTHON:-python3}" --version 2>/dev/null || echo none)
    stop "Python 3.10 or newer is needed; found: $found." \
        "Install it (https://www.python.org/downloads/), or name it: PYTHON=/path/to/python3 $0"
}

# install NAME ARGUMENT...: pip install, unless the stamp NAME says that nothing changed since
install() {
    stamp=.venv/installed-$1
    shift
    wanted=$({ pwd && cat pyproject.toml constraints.txt && echo "$@"; } | cksum)
    [ "$wanted" = "$(cat "$stamp" 2>/dev/null)" ] && return
    rm -f "$stamp"
    echo "Installing into .venv: $*" >&2
    "$python" -m pip install -qq --disable-pip-version-check \
        --constraint constraints.txt "$@" || return
    echo "$wanted" >"$stamp"
}

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}
