"""What every source yields: pictures, and what the source says of each."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.problems import Problem
from yolo_leuk.prepare.sources.source_tree import SourceFile


@dataclass(frozen=True)
class SourceImage:
    """One picture of a source.

    Attributes:
        file: Where its bytes are; only ever read.
        key: Unique within the source, made of its place.
        source: Name of the data set, with its part where it has parts.
        label: Class of the whole picture, or None.
        boxes_cxcywhn: Fractions of the image, shape (n, 4); None where the source has no boxes.
        box_labels: Class name of each box.
        number: Position in the source's own numbering, or None; neighbours often share a slide.
        split: The source's own split, or None.
        has_scale_bar: Whether a scale bar may be burnt in.
        px_per_rbc: Width of a red cell where the source is known to have one; else None.
        subject: The patient, in one spelling; empty where the source does not say.
        mask: A segmentation of the same size, or None where the source has none.
        mask_kind: How to read ``mask``: ``cell-on-black``, the picture itself with nothing but
            its cells, or ``values``, where grey values or colours stand for parts of a cell.
        centres_xy: Centres of its blasts in pixels, where the source marks them by points.
        is_cell: Whether it shows one cell and not a field.
        fold: The source's own fold, or None.
    """

    file: SourceFile
    key: str
    source: str
    label: str | None = None
    boxes_cxcywhn: npt.NDArray[np.float64] | None = None
    box_labels: tuple[str, ...] = ()
    number: int | None = None
    split: str | None = None
    has_scale_bar: bool = False
    px_per_rbc: float | None = None
    subject: str = ""
    mask: SourceFile | None = None
    mask_kind: str = ""
    centres_xy: tuple[tuple[float, float], ...] = ()
    is_cell: bool = False
    fold: int | None = None

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
class Scan:
    """All that a source says before any of its pictures is decoded.

    Attributes:
        images: The pictures that can be used, in a fixed order.
        problems: What cannot be, and why; beside the problems of its tree.
        scheme: The classes of its labels, and which of them are blasts; None where its pictures
            have no class and its boxes no other than those of a field.
        unlabelled: Number of pictures that lie there and are neither images nor masks nor problems.
        repeated_boxes: One for each box that a picture had already; the pictures are good.
    """

    images: list[SourceImage] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    scheme: LabelScheme | None = None
    unlabelled: int = 0
    repeated_boxes: list[Problem] = field(default_factory=list)


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
    citation: str = ""
    """What its authors ask to be cited; empty where they ask for nothing."""
