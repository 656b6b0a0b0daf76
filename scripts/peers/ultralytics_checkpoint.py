"""A detector as a checkpoint of Ultralytics, and the command that runs it on an image."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from yolo_leuk.backends import ultralytics

# What `yolo` does. Beforehand all that reaches beyond the run is switched off, and torchvision is
# mended where its build does not fit that of torch, with which it could not be imported.
_YOLO = """
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
from ultralytics.cfg import entrypoint
entrypoint()
"""


def write(net: Any, path: Path) -> None:
    """Write a net as Ultralytics leaves it after training."""
    ultralytics.quiet()
    import torch

    net.args = {"imgsz": 640}
    net.task = "detect"
    torch.save({"model": net, "train_args": net.args, "date": "", "version": ""}, path)


def predict_command(checkpoint: Path, image: Path, out: Path) -> list[str]:
    """``yolo predict`` that writes its boxes; to draw them it would fetch a font."""
    return [
        *(sys.executable, "-c", _YOLO),
        *("predict", f"model={checkpoint}", f"source={image}", "imgsz=640", "device=cpu"),
        *("save=False", "save_txt=True", f"project={out.parent}", f"name={out.name}"),
    ]
