"""What must be known of every picture before any is placed: its hash, its size, its look."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk import images, pixels
from yolo_leuk.errors import DataError
from yolo_leuk.image_headers import read_header
from yolo_leuk.prepare.looks import Look, look_of
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.source_image import SourceImage

Hash = Callable[[str, bytes], str]
"""SHA-256 in hexadecimal of a file, by its place in its source and its bytes."""

# A guess for the look alone, where the width of a red cell is not known: of ALL-4's fields a red
# cell takes a tenth.
_RBC_PER_FIELD = 10.0


def sha256_of(_place: str, content: bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class PictureFacts:
    """What one look at a picture gives.

    Attributes:
        sha256: Of its file.
        size_wh: Of the upright picture in pixels.
        look: Where groups go by look; else None.
    """

    sha256: str
    size_wh: tuple[int, int]
    look: Look | None

    def to_json(self) -> dict[str, Any]:
        """All digits kept, so that a run that goes on groups as an undisturbed one."""
        look = self.look
        return {
            "sha256": self.sha256,
            "size_wh": list(self.size_wh),
            "look": None if look is None else [_packed(look.colours), _packed(look.thumbnail)],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> PictureFacts:
        """The opposite of ``to_json``."""
        width, height = content["size_wh"]
        look = content["look"]
        return cls(
            content["sha256"],
            (width, height),
            None if look is None else Look(_unpacked(look[0]), _unpacked(look[1])),
        )


@dataclass(frozen=True)
class FactsJob:
    """One picture to look at, in any process."""

    image: SourceImage
    hash_of: Hash


def facts_of(job: FactsJob) -> PictureFacts | Problem:
    """Read a picture for its hash and size; decode it only where its look is needed."""
    image = job.image
    try:
        content = image.file.read()
        sha256 = job.hash_of(image.file.name, content)
        if image.subject or image.split is not None:
            return PictureFacts(sha256, _upright_size(content, Path(image.file.name)), None)
        rgb = images.decode_image(content, Path(image.file.name))
    except DataError as error:
        return problem_of(image.file, str(error))
    if image.has_scale_bar:
        rgb = pixels.without_scale_bar(rgb)
    guess = image.px_per_rbc or max(rgb.shape[:2]) / _RBC_PER_FIELD
    return PictureFacts(sha256, (rgb.shape[1], rgb.shape[0]), look_of(rgb, guess))


def _upright_size(content: bytes, path: Path) -> tuple[int, int]:
    header = read_header(content, path)
    width, height = header.size_wh
    return (height, width) if header.orientation >= 5 else (width, height)


def _packed(values: npt.NDArray[np.float64]) -> str:
    return base64.b64encode(values.astype("<f8").tobytes()).decode()


def _unpacked(text: str) -> npt.NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text), "<f8").astype(np.float64)
