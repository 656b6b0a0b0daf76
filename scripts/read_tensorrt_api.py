"""Write down what TensorRT's and CUDA's Python modules offer: tests/golden/tensorrt_api.json.

The stand-in of tests/made_tensorrt is held to it. The wheels of the bindings come from PyPI; they
need no GPU, and of TensorRT's libraries only the names that they would load, which a C compiler
makes here. Run by hand, where there is a network, when another version is to be known.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "tensorrt_api.json"

WHEELS = {
    "10.3.0": ("tensorrt-cu12-bindings==10.3.0", "cuda-python==12.6.0"),
    "11.4.0": ("tensorrt-cu13-bindings==11.4.0.106", "cuda-bindings==12.9.9"),
}

CLASSES = (
    *("Builder", "BuilderFlag", "DataType", "IBuilderConfig", "ICudaEngine", "IExecutionContext"),
    *("IHostMemory", "ILogger", "INetworkDefinition", "IOptimizationProfile", "ITensor"),
    *("ITimingCache", "Logger", "MemoryPoolType", "NetworkDefinitionCreationFlag", "OnnxParser"),
    *("ParserError", "Runtime", "TensorIOMode"),
)

CUDA_FUNCTIONS = (
    *("cudaDriverGetVersion", "cudaFree", "cudaGetDevice", "cudaGetDeviceProperties"),
    *("cudaGetErrorString", "cudaMalloc", "cudaMemcpyAsync", "cudaStreamCreate"),
    *("cudaStreamDestroy", "cudaStreamSynchronize"),
)

# All that the bindings ask of the libraries when they are loaded.
_LIBRARY = " ".join(
    f"void *{name}(void) {{ return 0; }}"
    for name in (
        *("createInferBuilder_INTERNAL", "createInferRefitter_INTERNAL"),
        *("createInferRuntime_INTERNAL", "createNvOnnxParserRefitter_INTERNAL"),
        *("createNvOnnxParser_INTERNAL", "getBuilderPluginRegistry", "getNvOnnxParserVersion"),
        *("getPluginRegistry", "initLibNvInferPlugins"),
    )
)


def main() -> None:
    """Fetch, look, write."""
    api = {version: _of_version(version, wheels) for version, wheels in WHEELS.items()}
    GOLDEN.write_text(_a_line_each(api), encoding="utf-8")
    print(GOLDEN)


def _a_line_each(api: dict[str, Any]) -> str:
    """JSON with a line for each class and function."""
    versions = []
    for version, modules in sorted(api.items()):
        parts = []
        for module, names in sorted(modules.items()):
            lines = [f'   "{n}": {json.dumps(names[n], sort_keys=True)}' for n in sorted(names)]
            parts.append(f'  "{module}": {{\n' + ",\n".join(lines) + "\n  }")
        versions.append(f' "{version}": {{\n' + ",\n".join(parts) + "\n }")
    return "{\n" + ",\n".join(versions) + "\n}\n"


def _of_version(version: str, wheels: tuple[str, ...]) -> Any:
    """In a process of its own: one process cannot hold two versions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pip = [sys.executable, "-m", "pip", "--quiet"]
        _run(*pip, "download", "--no-deps", "--only-binary=:all:", "--dest", name, *wheels)
        _run(*pip, "install", "--target", name, "cuda-pathfinder")
        for wheel in folder.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(folder)
        (folder / "library.c").write_text(_LIBRARY, encoding="ascii")
        major = version.partition(".")[0]
        for library in ("nvinfer", "nvinfer_plugin", "nvonnxparser"):
            made = folder / f"lib{library}.so.{major}"
            _run("cc", "-shared", "-fPIC", "-w", "-o", str(made), str(folder / "library.c"))
        environment = {**os.environ, "LD_LIBRARY_PATH": name, "PYTHONPATH": name}
        return json.loads(_run(sys.executable, __file__, "look", name, environment=environment))


def _run(*command: str, environment: dict[str, str] | None = None) -> str:
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return ended.stdout


def look(folder: Path) -> dict[str, Any]:
    """Names, and the parameters of what can be called, in the modules of ``folder``."""
    import importlib.util

    library = folder / "tensorrt_bindings" / "tensorrt.so"
    spec = importlib.util.spec_from_file_location("tensorrt", library)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{library} is missing")
    trt = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(trt)
    return {
        "tensorrt": {name: _members(getattr(trt, name)) for name in CLASSES},
        "cuda": {name: _parameters(getattr(_cuda(), name)) for name in CUDA_FUNCTIONS},
    }


def _cuda() -> Any:
    import importlib

    try:
        return importlib.import_module("cuda.bindings.runtime")
    except ImportError:
        return importlib.import_module("cuda.cudart")


def _members(of: type) -> dict[str, Any]:
    names = [name for name in dir(of) if not name.startswith("_")]
    return {name: _parameters(getattr(of, name)) for name in names}


def _parameters(member: Any) -> list[list[str]] | None:
    """Parameter names of each overload, from the documentation; None for what is no function."""
    if not callable(member):
        return None
    lines = (member.__doc__ or "").splitlines()
    signature = re.compile(
        rf"^(?:\d+\. )?{re.escape(member.__name__)}\((?!\*args)(.*?)\)(?: ->.*)?$"
    )
    found = [match.group(1) for line in lines if (match := signature.match(line.strip()))]
    return [_names(parameters) for parameters in found]


def _names(parameters: str) -> list[str]:
    """``self: tensorrt.Builder, size_t size, flags: int = 0`` as [size, flags]."""
    plain = re.sub(r"<[^>]*>|\[[^]]*\]|\([^)]*\)", "", parameters)
    named = (part.split("=")[0].split(":")[0].split()[-1] for part in plain.split(",") if part)
    return [name for name in named if name not in {"self", "/"}]


if __name__ == "__main__":
    if sys.argv[1:2] == ["look"]:
        print(json.dumps(look(Path(sys.argv[2]))))
    else:
        main()
