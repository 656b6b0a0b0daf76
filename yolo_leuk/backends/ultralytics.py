"""Ultralytics, kept from doing things behind the user's back.

Left alone it downloads weights and a font, installs packages, sends analytics and keeps settings in
the user's home. :func:`quiet` switches all of that off before the first import; everything in this
package that needs Ultralytics goes through it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from yolo_leuk.errors import HashError, MissingExtraError, ModelError

INSTALL = 'pip install "yolo-leuk[train]"'

_ENVIRONMENT = {
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "ULTRALYTICS_SAFE_LOAD": "1",
}


def quiet() -> Any:
    """Import Ultralytics with its side effects switched off, and return the module.

    Its settings live in a folder of our own below the temporary folder, so the user's are neither
    read nor written.

    Raises:
        MissingExtraError: Ultralytics or torch is not installed.
    """
    for package in ("torch", "ultralytics"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(f"training needs {package}, which is not installed", hint=INSTALL)
    os.environ.update(_ENVIRONMENT)
    folder = Path(tempfile.gettempdir()) / f"yolo-leuk-{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ.setdefault("YOLO_CONFIG_DIR", str(folder))
    _mend_torchvision()
    ultralytics = importlib.import_module("ultralytics")
    utils = importlib.import_module("ultralytics.utils")
    if utils.SETTINGS.get("sync"):
        utils.SETTINGS.update(sync=False)
    return ultralytics


def _mend_torchvision() -> None:
    """Let torchvision be imported where its compiled operators do not fit the torch beside it.

    PyPI's torchvision is built for CUDA; with a CPU build of torch its operators do not load, and
    the import fails on the first operator that it describes. So the operators are declared first.
    Ultralytics needs only ``nms`` of them, and has its own version of that.
    """
    import torch

    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None or "torchvision" in sys.modules:
        return
    library = next(Path(found.origin).parent.glob("_C*"), None)
    try:
        if library is not None:
            torch.ops.load_library(str(library))
        return
    except OSError:
        pass  # built for another torch: its operators are declared below
    described = (Path(found.origin).parent / "_meta_registrations.py").read_text(encoding="utf-8")
    operators = set(re.findall(r'register_fake\("torchvision::(\w+)"\)', described))
    declared = torch.library.Library("torchvision", "DEF")
    for name in sorted(operators - {"nms"}):
        declared.define(f"{name}(Tensor input) -> Tensor")
    declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    declared.impl("nms", _nms, "CPU")
    _LIBRARIES.append(declared)
    importlib.import_module("torchvision")
    # torchvision asks this before each operator; nms is there now, the others fail by themselves.
    importlib.import_module("torchvision.extension")._has_ops = lambda: True


def _nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
    own = importlib.import_module("ultralytics.utils.nms")
    return own.TorchNMS.nms(boxes, scores, iou_threshold)


# torch forgets the operators of a library object that nobody holds.
_LIBRARIES: list[Any] = []


def load_checkpoint(path: Path, *, sha256: str | None = None, trust: bool = False) -> Any:
    """Load the net of a ``.pt`` checkpoint, in float32 and evaluation mode.

    Args:
        path: The checkpoint.
        sha256: What its bytes must hash to; None for a file of an own run, which has no card yet.
        trust: Load it although the hash differs.

    Raises:
        HashError: The file is not the one that its card speaks of.
        ModelError: The file is missing, or holds more than tensors and stock layers.
    """
    from yolo_leuk import artifacts

    if not path.is_file():
        raise ModelError(f"there is no checkpoint {path}")
    found = artifacts.sha256_of_file(path)
    if sha256 is not None and found != sha256 and not trust:
        raise HashError(
            f"{path} has SHA-256 {found}, its card says {sha256}",
            hint="A checkpoint is a program. Use --trust only for a file whose maker you know.",
        )
    quiet()
    import torch

    tasks = importlib.import_module("ultralytics.nn.tasks")
    try:
        content, _ = tasks.torch_safe_load(str(path), safe_only=True)
    except (RuntimeError, TypeError, AttributeError, ModuleNotFoundError, OSError) as error:
        raise ModelError(f"{path} cannot be loaded safely: {error}") from error
    net = content.get("ema") or content.get("model") if isinstance(content, dict) else None
    if not isinstance(net, torch.nn.Module):
        raise ModelError(f"{path}: expected a checkpoint with a net in it, found {type(net).__name__}")
    return net.float().eval()
