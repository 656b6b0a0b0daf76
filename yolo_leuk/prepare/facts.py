"""What must be known of every picture before any is placed: its hash and its look."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from yolo_leuk.prepare.split.looks import Look
from yolo_leuk.thumbnail import SIDE_PX

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
        look: None where a subject says more than looks do.
    """

    sha256: str
    look: Look | None

    def to_json(self) -> dict[str, Any]:
        """All digits kept, so that a run that goes on groups as an undisturbed one."""
        look = self.look
        return {
            "sha256": self.sha256,
            "look": None if look is None else _look_to_json(look),
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> PictureFacts:
        """The opposite of ``to_json``."""
        look = content["look"]
        return cls(content["sha256"], None if look is None else _look_from_json(look))


def _look_to_json(look: Look) -> dict[str, Any]:
    thumbnail = base64.b64encode(look.thumbnail.tobytes()).decode()
    return {"colours": look.colours.tolist(), "thumbnail": thumbnail}


def _look_from_json(content: dict[str, Any]) -> Look:
    thumbnail = np.frombuffer(base64.b64decode(content["thumbnail"]), np.uint8)
    return Look(np.array(content["colours"]), thumbnail.reshape(SIDE_PX, SIDE_PX))
