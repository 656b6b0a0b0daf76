"""Where the files lie that come with the package: weights and sample pictures.

A wheel carries them inside the package; an editable install leaves them in the checkout.
"""

from __future__ import annotations

from pathlib import Path

from yolo_leuk.errors import ModelError

_PACKAGE = Path(__file__).resolve().parent


def weights_folder() -> Path:
    """Folder of the shipped weights, their cards and ``default.json``. Raises ModelError."""
    return _folder("weights", in_checkout="weights")


def samples_folder() -> Path:
    """Folder of the synthetic sample smear and its ground truth. Raises ModelError."""
    return _folder("samples", in_checkout="datasets/samples")


def _folder(in_wheel: str, *, in_checkout: str) -> Path:
    places = (_PACKAGE / in_wheel, _PACKAGE.parent / in_checkout)
    for place in places:
        if place.is_dir():
            return place
    raise ModelError(
        f"expected the folder {places[0]} (in a wheel) or {places[1]} (in a checkout); "
        "neither is there",
        hint="Install the package again: pip install --force-reinstall yolo-leuk",
    )
