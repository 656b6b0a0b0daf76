"""What must be known of every picture before any is placed: its hash and its look."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from yolo_leuk.prepare.split.looks import Look

Hash = Callable[[str, bytes], str]
"""SHA-256 in hexadecimal of a file, by its place in its source and its bytes."""


def sha256_of(_place: str, content: bytes) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class PictureFacts:
    """What one look at a picture gives.

    Attributes:
        sha256: Of its file.
        look: Where groups go by look; else None.
    """

    sha256: str
    look: Look | None

    def to_json(self) -> dict[str, Any]:
        """All digits kept, so that a run that goes on groups as an undisturbed one."""
        look = self.look
        return {
            "sha256": self.sha256,
            "look": None if look is None else [_packed(look.colours), _packed(look.thumbnail)],
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> PictureFacts:
        """The opposite of ``to_json``."""
        look = content["look"]
        return cls(
            content["sha256"],
            None if look is None else Look(_unpacked(look[0]), _unpacked(look[1])),
        )


def _packed(values: npt.NDArray[np.float64]) -> str:
    return base64.b64encode(values.astype("<f8").tobytes()).decode()


def _unpacked(text: str) -> npt.NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text), "<f8").astype(np.float64)
