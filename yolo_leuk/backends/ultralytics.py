"""Ultralytics, kept from doing things behind the user's back.

Left alone it downloads weights and a font, installs packages, sends analytics and keeps settings in
the user's home. :func:`quiet` switches all of that off before the first import; everything in this
package that needs Ultralytics goes through it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from yolo_leuk import artifacts
from yolo_leuk.backends.net import usable_cores
from yolo_leuk.errors import HashError, MissingExtraError, ModelError

INSTALL = 'pip install "yolo-leuk[train]"'

_NEEDED = ("torch", "ultralytics", "onnxslim")

_ENVIRONMENT = {
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "ULTRALYTICS_SAFE_LOAD": "1",
    "ORT_DISABLE_TELEMETRY": "1",  # the export of a net imports onnxruntime by the way
}


@functools.lru_cache(maxsize=1)
def quiet() -> Any:
    """Import Ultralytics with its side effects switched off, and return the module.

    Its settings live in a temporary folder of this process, so the user's are neither read nor
    written. Of what it says only warnings are left, on standard error, and on a terminal its
    progress bar.

    Raises:
        MissingExtraError: Ultralytics, torch or onnxslim is not installed.
    """
    for package in _NEEDED:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(
                f"training needs {package}, which is not installed", hint=INSTALL
            )
    settings = tempfile.TemporaryDirectory(prefix="yolo-leuk-")
    _HELD.append(settings)
    os.environ.update({**_ENVIRONMENT, "YOLO_CONFIG_DIR": settings.name})
    os.environ.setdefault("MPLCONFIGDIR", settings.name)  # it lists the fonts that it finds
    for name, value in _threads().items():
        os.environ.setdefault(name, value)
    _mend_torchvision()
    # Its logger takes the standard output that it finds, and tells at once of its new settings.
    with contextlib.redirect_stdout(sys.stderr), _only_warnings():
        ultralytics = importlib.import_module("ultralytics")
        utils = importlib.import_module("ultralytics.utils")
        utils.SETTINGS.update(sync=False)
    for handler in utils.LOGGER.handlers:
        handler.setLevel(logging.WARNING)
    # The logger's own level decides on the progress bar.
    utils.LOGGER.setLevel(logging.INFO if sys.stderr.isatty() else logging.WARNING)
    return ultralytics


def _threads() -> dict[str, str]:
    """How torch is to use the cores, where the user has not said so; it looks when it is imported.

    Ultralytics would leave it one thread. And threads that wait must give their core away: there
    are workers beside them, and spinning among more threads than cores made tiny runs ten times
    slower.
    """
    return {"OMP_NUM_THREADS": str(usable_cores()), "OMP_WAIT_POLICY": "PASSIVE"}


@contextlib.contextmanager
def _only_warnings() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


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
    if library is None or _loads(library):
        return
    described = (Path(found.origin).parent / "_meta_registrations.py").read_text(encoding="utf-8")
    operators = set(re.findall(r'register_fake\("torchvision::(\w+)"\)', described))
    declared = torch.library.Library("torchvision", "DEF")
    for name in sorted(operators - {"nms"}):
        declared.define(f"{name}(Tensor input) -> Tensor")
    declared.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for device in ("CPU", "CUDA"):
        declared.impl("nms", _nms, device)
    _HELD.append(declared)
    importlib.import_module("torchvision")
    # torchvision asks this before each operator; nms is there now, the others fail by themselves.
    vars(importlib.import_module("torchvision.extension"))["_has_ops"] = lambda: True


def _loads(library: Path) -> bool:
    import torch

    try:
        torch.ops.load_library(str(library))
    except OSError:  # built for another torch
        return False
    return True


def _nms(boxes: Any, scores: Any, iou_threshold: float) -> Any:
    """What torchvision's operator does, by OpenCV; Ultralytics' own loop is far slower."""
    import cv2
    import torch

    xywh = torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1).double().cpu().numpy()
    kept = cv2.dnn.NMSBoxes(xywh, scores.float().cpu().numpy(), 0.0, iou_threshold)
    return torch.as_tensor(kept, dtype=torch.int64, device=boxes.device).reshape(-1)


# A temporary folder goes when nobody holds it, and so do the operators of a torch library.
_HELD: list[Any] = []


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
    if not path.is_file():
        raise ModelError(f"there is no checkpoint {path}")
    found = artifacts.sha256_of_file(path)
    if sha256 is not None and found != sha256 and not trust:
        raise HashError(
            f"{path} has SHA-256 {found}, its card says {sha256}",
            hint="A checkpoint is a program. Use --trust only for a file whose maker you know.",
        )
    content = _safely_loaded(path)
    import torch

    net = content.get("ema") or content.get("model")
    if not isinstance(net, torch.nn.Module):
        raise ModelError(
            f"{path}: expected a checkpoint with a net in it, found {type(net).__name__}"
        )
    return net.float().eval()


def epochs_done(path: Path) -> int:
    """Whole epochs that the checkpoint of a stopped run has behind it.

    Raises:
        ModelError: The file is damaged, or no checkpoint of a run.
    """
    return _epochs_done(path, _safely_loaded(path))


def epochs_since_best(path: Path) -> int:
    """Whole epochs of a stopped run after its best one.

    Raises:
        ModelError: The file is damaged, or no checkpoint of a run.
    """
    content = _safely_loaded(path)
    best = content.get("stopper", {}).get("best_epoch")
    if not isinstance(best, int):
        raise ModelError(f"{path}: expected the checkpoint of a run, found no best epoch in it")
    return _epochs_done(path, content) - best


def _epochs_done(path: Path, content: dict[str, Any]) -> int:
    epoch = content.get("epoch")
    if not isinstance(epoch, int):
        raise ModelError(f"{path}: expected the checkpoint of a run, found no epoch in it")
    return epoch + 1


def _allow_torchvision(path: Path) -> None:
    """Let the layers of torchvision that a checkpoint names be loaded safely, from now on.

    Ultralytics allows its own layers and torch's; those of torchvision are no more of a danger, and
    nets of torchvision are made of them. Nothing but layers is let in.
    """
    import torch

    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except ValueError:  # no checkpoint at all, as loading it will tell
        return
    for name in names:
        module, _, layer = name.rpartition(".")
        if module.startswith(("torchvision.models.", "torchvision.ops.")):
            found = getattr(importlib.import_module(module), layer, None)
            if isinstance(found, type) and issubclass(found, torch.nn.Module):
                torch.serialization.add_safe_globals([found])


def _safely_loaded(path: Path) -> dict[str, Any]:
    quiet()
    import torch

    if not hasattr(torch.serialization, "get_unsafe_globals_in_checkpoint"):
        # Ultralytics would load the file unsafely, without a word.
        raise MissingExtraError(
            f"loading a checkpoint safely needs torch 2.6 or newer, found {torch.__version__}",
            hint=INSTALL,
        )
    tasks = importlib.import_module("ultralytics.nn.tasks")
    try:
        _allow_torchvision(path)
        content, _ = tasks.torch_safe_load(str(path), safe_only=True)
    except (RuntimeError, TypeError, AttributeError, AssertionError, ImportError, OSError) as error:
        raise ModelError(f"{path} cannot be loaded safely: {error}") from error
    return dict(content)
