"""All checks, in the order in which a person reads them."""

from __future__ import annotations

from yolo_leuk.doctor import packages, runtimes, weights
from yolo_leuk.doctor.check import Check
from yolo_leuk.errors import ModelError
from yolo_leuk.shipped import weights_folder


def run() -> list[Check]:
    """Look at everything. Nothing is changed, and nothing goes over the network."""
    installed = packages.installed_distributions()
    clashes = (
        packages.opencv_clash(installed),
        packages.onnxruntime_clash(installed),
        packages.torch_pair(installed, packages.requirements_of("torchvision")),
    )
    return [
        packages.python_version(),
        *packages.base_packages(installed),
        packages.train_extra(installed),
        *(check for check in clashes if check is not None),
        runtimes.onnxruntime_providers(),
        runtimes.gpu_runtimes(),
        *_weights(),
    ]


def _weights() -> list[Check]:
    try:
        return weights.shipped_weights(weights_folder())
    except ModelError as error:
        return [Check("weights", "fail", str(error), error.hint)]
