"""Which Python packages are installed, and which of them stand in each other's way.

Every check is a pure function of the installed distributions: {normalised name: version}.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Mapping, Sequence

from yolo_leuk.doctor.check import Check

NEEDED_TO_DETECT = ("numpy", "onnxruntime", "opencv-python-headless", "typer")
NEEDED_BESIDES = (
    "albumentations",
    "filelock",
    "matplotlib",
    "onnx",
    "pandas",
    "pycocotools",
    "pyyaml",
    "scikit-learn",
)
NEEDED_TO_TRAIN = (
    "captum",
    "onnxslim",
    "opencv-python",
    "torch",
    "torchvision",
    "ultralytics",
)

# Each family puts its files into one folder, so that the last one installed wins.
OPENCV = (
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "opencv-python",
    "opencv-python-headless",
)
ONNXRUNTIME = (
    "onnxruntime",
    "onnxruntime-directml",
    "onnxruntime-gpu",
    "onnxruntime-migraphx",
    "onnxruntime-openvino",
    "onnxruntime-qnn",
    "onnxruntime-rocm",
    "onnxruntime-training",
)


def installed_distributions() -> dict[str, str]:
    """All installed distributions, normalised name to version."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name:  # a half-removed package leaves metadata without a name
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
    return found


def python_version() -> Check:
    """The interpreter; pip has already refused one that is too old."""
    return Check("python", "ok", f"{platform.python_version()} on {platform.machine()}")


def base_packages(installed: Mapping[str, str]) -> list[Check]:
    """One check for each package that the base install brings."""
    checks = []
    for name in sorted(NEEDED_TO_DETECT + NEEDED_BESIDES):
        found = _found(name, installed)
        if found:
            versions = ", ".join(
                installed[other] if other == name else _with_version(other, installed)
                for other in found
            )
            checks.append(Check(name, "ok", versions))
        elif name in NEEDED_TO_DETECT:
            checks.append(Check(name, "fail", "not installed", f"pip install {name}"))
        else:
            detail = "not installed; detect works without it"
            checks.append(Check(name, "warn", detail, f"pip install {name}"))
    return checks


def train_extra(installed: Mapping[str, str]) -> Check:
    """Whether training can work; a base install without it is well."""
    missing = [name for name in NEEDED_TO_TRAIN if name not in installed]
    if missing:
        detail = f"not installed: {', '.join(missing)} (only training needs them)"
        return Check("train extra", "ok", detail, 'pip install "yolo-leuk[train]"')
    detail = ", ".join(_with_version(name, installed) for name in NEEDED_TO_TRAIN)
    return Check("train extra", "ok", detail)


def opencv_clash(installed: Mapping[str, str]) -> Check | None:
    """Two OpenCV packages of different versions, or None where there is no second one."""
    present = [name for name in OPENCV if name in installed]
    if len(present) < 2:
        return None
    detail = ", ".join(_with_version(name, installed) for name in present)
    versions = {installed[name] for name in present}
    if len(versions) == 1:
        return Check("opencv packages", "ok", f"{detail}: the same version")
    newest = max(versions, key=_version_key)
    wanted = " ".join(f"{name}=={newest}" for name in present)
    return Check(
        "opencv packages",
        "fail",
        f"{detail}: both own the folder cv2 and must be of one version",
        f"pip install --force-reinstall --no-deps {wanted}",
    )


def onnxruntime_clash(installed: Mapping[str, str]) -> Check | None:
    """Two onnxruntime packages, or None where there is no second one."""
    present = [name for name in ONNXRUNTIME if name in installed]
    if len(present) < 2:
        return None
    # Somebody chose the special one on purpose; the plain one came as a dependency.
    kept = next(name for name in present if name != "onnxruntime")
    detail = ", ".join(_with_version(name, installed) for name in present)
    return Check(
        "onnxruntime packages",
        "fail",
        f"{detail}: both own the folder onnxruntime; one must go",
        f"pip uninstall -y {' '.join(present)} && pip install {kept}=={installed[kept]}",
    )


def torch_pair(installed: Mapping[str, str], torchvision_needs: Sequence[str]) -> Check | None:
    """Whether torch is the one that torchvision was built for; None where either is missing.

    Args:
        installed: Normalised name to version.
        torchvision_needs: The requirements in torchvision's metadata.
    """
    if "torch" not in installed or "torchvision" not in installed:
        return None
    pinned = (re.match(r"torch\s*\(?==\s*([^\s;,)]+)", need) for need in torchvision_needs)
    wanted = next((match.group(1) for match in pinned if match), None)
    detail = f"{_with_version('torch', installed)}, {_with_version('torchvision', installed)}"
    # A local part (+cpu, +cu130) names the build, not another version.
    if wanted is None or installed["torch"].split("+")[0] == wanted.split("+")[0]:
        return Check("torch and torchvision", "ok", detail)
    return Check(
        "torch and torchvision",
        "fail",
        f"{detail}: this torchvision needs torch {wanted}",
        f"pip install torch=={wanted}",
    )


def requirements_of(name: str) -> list[str]:
    """The requirements in the metadata of an installed distribution; empty where it is missing."""
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _found(name: str, installed: Mapping[str, str]) -> list[str]:
    """The installed packages that serve as ``name``: any of its family does."""
    families = {"opencv-python-headless": OPENCV, "onnxruntime": ONNXRUNTIME}
    return [other for other in families.get(name, (name,)) if other in installed]


def _with_version(name: str, installed: Mapping[str, str]) -> str:
    return f"{name} {installed[name]}"


def _version_key(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
