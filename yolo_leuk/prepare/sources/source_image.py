"""What every source yields: a picture on disk and what the source says of it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class SourceImage:
    """One picture of a source.

    Attributes:
        path: The file; only ever read.
        key: Unique within the source, made of its path.
        source: Name of the data set, with its part where it has parts.
        label: Class of the whole picture, or None.
        boxes_cxcywhn: Fractions of the image, shape (n, 4); None where the source has no boxes.
        box_labels: Class name of each box.
        number: Position in the source's own numbering, or None; neighbours often share a slide.
        split: The source's own split, or None.
        has_scale_bar: Whether a scale bar may be burnt in.
        px_per_rbc: Width of a red cell where the source is known to have one; else None.
    """

    path: Path
    key: str
    source: str
    label: str | None = None
    boxes_cxcywhn: npt.NDArray[np.float64] | None = None
    box_labels: tuple[str, ...] = ()
    number: int | None = None
    split: str | None = None
    has_scale_bar: bool = False
    px_per_rbc: float | None = None

    @property
    def data_set(self) -> str:
        """The source without its part."""
        return self.source.split("/")[0]

    @property
    def sample_id(self) -> str:
        """Data set and key in letters, digits, ``-`` and ``_``, fit for a file name anywhere.

        What has other characters gets a piece of its hash, so that two names stay two.
        """
        text = f"{self.data_set}-{self.key}"
        plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in text)
        if plain == text:
            return text
        return f"{plain}-{hashlib.sha256(os.fsencode(text)).hexdigest()[:8]}"


@dataclass(frozen=True)
class SourceFacts:
    """Where a source comes from, for the data card."""

    name: str
    title: str
    page: str
    licence: str
    size: str
    raw_folder: str
    """Where ``prepare`` looks for it below ``datasets/raw``."""
