"""The nets that ``train`` knows, by name, and what Ultralytics builds each from."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from yolo_leuk.errors import ConfigError


@dataclass(frozen=True)
class Architecture:
    """A net that can be trained.

    Attributes:
        name: As given to ``--arch``.
        yamls: Task to the YAML that builds it; a task that is missing is not supported.
        official: Task to the file of Ultralytics' releases that a training may start from.
    """

    name: str
    yamls: dict[str, str]
    official: dict[str, str] = field(default_factory=dict)


def architecture(name: str, task: str) -> Architecture:
    """The architecture of this name. Raises ConfigError for an unknown one, listing the known."""
    if name not in _KNOWN:
        raise ConfigError(
            f"unknown architecture {name!r}",
            hint=f"Known for {task} are {', '.join(known_for(task))}.",
        )
    if task not in _KNOWN[name].yamls:
        raise ConfigError(
            f"{name} has no net for {task}; it has {', '.join(sorted(_KNOWN[name].yamls))}",
            hint=f"Known for {task} are {', '.join(known_for(task))}.",
        )
    return _KNOWN[name]


def known_for(task: str) -> tuple[str, ...]:
    """Names of all nets for a task."""
    return tuple(name for name, known in _KNOWN.items() if task in known.yamls)


def description(net: Any) -> Any:
    """What Ultralytics builds a net from: layers for a YAML of ours, else what was handed in.

    Ours are no files, because Ultralytics looks for a scale in the path of one. They hold stock
    layers only: a checkpoint must not need this package.
    """
    return copy.deepcopy(_OWN_YAMLS[net]) if isinstance(net, str) and net in _OWN_YAMLS else net


def _of_torchvision(name: str, channels: int, layers_left_out: int) -> dict[str, Any]:
    """A net of torchvision up to its last feature map, under Ultralytics' head, from no weights."""
    return {
        "nc": 1000,  # the data set's own number takes its place
        "backbone": [[-1, 1, "TorchVision", [channels, name, None, True, layers_left_out]]],
        "head": [[-1, 1, "Classify", ["nc"]]],
    }


def _block(channels_in: int, channels_out: int, pooling: int) -> list[list[Any]]:
    return [
        [-1, 1, "nn.Conv2d", [channels_in, channels_out, 3, 1, 1]],
        [-1, 1, "nn.ReLU", []],
        [-1, 1, "nn.MaxPool2d", [pooling]],
    ]


# Four convolutions and two dense layers. At 96 px the last pooling leaves one pixel; the mean after
# it lets larger pictures through too. Under 60 px nothing is left to pool.
_CNN_SCRATCH: dict[str, Any] = {
    "nc": 1000,
    "backbone": [*_block(3, 32, 2), *_block(32, 64, 2), *_block(64, 128, 3), *_block(128, 256, 5)],
    "head": [
        [-1, 1, "nn.AdaptiveAvgPool2d", [1]],
        [-1, 1, "nn.Flatten", []],
        [-1, 1, "nn.Dropout", [0.2]],
        [-1, 1, "nn.Linear", [256, 256]],
        [-1, 1, "nn.ReLU", []],
        [-1, 1, "nn.Dropout", [0.2]],
        [-1, 1, "nn.Linear", [256, "nc"]],
    ],
}

_OWN_YAMLS: dict[str, dict[str, Any]] = {
    "vgg16.yaml": _of_torchvision("vgg16", 512, 2),
    "resnet50.yaml": _of_torchvision("resnet50", 2048, 2),
    "mobilenet-v2.yaml": _of_torchvision("mobilenet_v2", 1280, 1),
    "densenet201.yaml": _of_torchvision("densenet201", 1920, 1),
    "convnext-tiny.yaml": _of_torchvision("convnext_tiny", 768, 2),
    "efficientnet-b0.yaml": _of_torchvision("efficientnet_b0", 1280, 2),
    "cnn-scratch.yaml": _CNN_SCRATCH,
}

_KNOWN = {
    architecture.name: architecture
    for architecture in (
        Architecture(
            "v8n",
            {"detect": "yolov8n.yaml", "classify": "yolov8n-cls.yaml"},
            {"detect": "yolov8n.pt", "classify": "yolov8n-cls.pt"},
        ),
        Architecture(
            "v11n",
            {"detect": "yolo11n.yaml", "classify": "yolo11n-cls.yaml"},
            {"detect": "yolo11n.pt", "classify": "yolo11n-cls.pt"},
        ),
        Architecture(
            "v12n",
            {"detect": "yolo12n.yaml", "classify": "yolo12n-cls.yaml"},
            # There are none to classify; nearly all of its tensors have a twin in the detector.
            {"detect": "yolo12n.pt", "classify": "yolo12n.pt"},
        ),
        Architecture(
            "v26n",
            {"detect": "yolo26n.yaml", "classify": "yolo26n-cls.yaml"},
            {"detect": "yolo26n.pt", "classify": "yolo26n-cls.pt"},
        ),
        Architecture("v3-tiny", {"detect": "yolov3-tiny.yaml"}, {"detect": "yolov3-tinyu.pt"}),
        Architecture("v3", {"detect": "yolov3.yaml"}, {"detect": "yolov3u.pt"}),
        *(Architecture(yaml.removesuffix(".yaml"), {"classify": yaml}) for yaml in _OWN_YAMLS),
    )
}
