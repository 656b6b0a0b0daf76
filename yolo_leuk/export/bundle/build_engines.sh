#!/bin/sh
# Builds the engines for this machine's GPU into ./engines, or into the folder that is given, and
# compares each with its graph. It takes minutes, once; with --again it builds what is there anew
# (needed after an update of JetPack).
set -eu

cd -- "$(dirname -- "$0")"
again=
if [ "${1-}" = --again ]; then
    again=yes
    shift
fi
engines=${1-engines}
python=${PYTHON-$PWD/venv/bin/python}
trtexec=${TRTEXEC-$(command -v trtexec || echo /usr/src/tensorrt/bin/trtexec)}

build() {
    graph=$1
    engine=$engines/$graph-trt.engine
    shift
    if [ -s "$engine" ] && [ -z "$again" ]; then
        return
    fi
    # The types in the graph decide (strongly typed); TensorRT 11 knows no other way.
    "$trtexec" --onnx="$graph.onnx" --saveEngine="$engine.partial" \
        --stronglyTyped --noTF32 --memPoolSize=workspace:@WORKSPACE_MIB@M \
        --timingCacheFile="$engines/timing.cache" --skipInference "$@"
    mv -- "$engine.partial" "$engine"
}

mkdir -p -- "$engines"
if [ -n "$again" ]; then
    rm -f -- "$engines/timing.cache" # perhaps of another version
fi
@BUILDS@

"$python" -m yolo_leuk.export.on_device . "$engines"
