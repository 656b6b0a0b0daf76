"""A detector on a field of any size: brought to its scale, cut into tiles, merged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from yolo_leuk import geometry, pixels
from yolo_leuk.backends.net import Net, open_net
from yolo_leuk.errors import CardError, DataError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Detections, Image

STRIDE = 32
"""The coarsest stride of the nets: the side of an input is a multiple of it."""

# Neighbouring tiles share this many red-cell widths, so that the largest white cell (about three
# widths) is whole in the tile in whose own part its centre lies.
_OVERLAP_RBC = 4.0

# How far beyond its own part a tile may claim a cell: two tiles see one centre a little apart, and
# without this each could leave it to the other. Suppression removes what both claim.
_SLACK_RBC = 0.3

_BATCH = 4

# Of a field at the detector's scale; resampled in float32 it takes 1.8 GB.
_MOST_SCALED_PIXELS = 150_000_000


class FieldDetector:
    """Finds white cells, red cells and platelets in a field.

    Args:
        net: A detector.

    Raises:
        CardError: The net is no detector.
    """

    def __init__(self, net: Net) -> None:
        if net.card.task != "detect":
            raise CardError(f"{net.card.name} is for {net.card.task}; a detector is needed")
        self._net = net

    @classmethod
    def load(cls, path: Path, *, trust: bool = False) -> FieldDetector:
        """Open ``<name>.onnx``. Raises ModelError, CardError or HashError."""
        return cls(open_net(path, trust=trust))

    @property
    def card(self) -> ModelCard:
        """What the net is."""
        return self._net.card

    def detect(self, rgb: Image, px_per_rbc: float) -> Detections:
        """All cells of a field, most confident first.

        Args:
            rgb: The field.
            px_per_rbc: Width of a red cell in its pixels.

        Returns:
            Boxes in pixels of ``rgb``; among white cells no pair is nested.

        Raises:
            DataError: The field would have to be enlarged beyond all memory.
        """
        card = self.card
        factor = card.px_per_rbc / px_per_rbc
        if factor**2 * rgb.shape[0] * rgb.shape[1] > _MOST_SCALED_PIXELS:
            raise DataError(
                f"at {px_per_rbc:g} px per red cell the image would be enlarged {factor:.1f} "
                f"times, to more than {_MOST_SCALED_PIXELS:,} pixels",
                hint="Give the width of a red cell in pixels with --scale, or cut the image.",
            )
        scaled = rgb if abs(factor - 1) < 0.02 else pixels.scaled_to(rgb, factor)
        found = self.detect_scaled(scaled)
        gain_x, gain_y = rgb.shape[1] / scaled.shape[1], rgb.shape[0] / scaled.shape[0]
        gain = np.array([gain_x, gain_y, gain_x, gain_y], np.float32)
        return Detections(found.xyxy * gain, found.confidence, found.class_id)

    def detect_scaled(self, scaled: Image) -> Detections:
        """All cells of a field that is at the detector's own scale; boxes in its pixels."""
        parts = [
            _of_own_part(self._decoded(boxes), tile, self.card.px_per_rbc * _SLACK_RBC)
            for tile, boxes in self._tiles_and_outputs(scaled)
        ]
        size_wh = (scaled.shape[1], scaled.shape[0])
        found = Detections.concatenate(parts)
        found = Detections(
            geometry.clip_xyxy(found.xyxy, size_wh), found.confidence, found.class_id
        )
        found = geometry.suppress_per_class(found, self.card.threshold("iou"))
        white = found.class_id == self.card.scheme.id_of("white")
        merged = Detections.concatenate(
            [
                geometry.merge_nested(found[white], self.card.threshold("nested")),
                found[~white],
            ]
        )
        return merged[np.argsort(-merged.confidence, kind="stable")]

    def _tiles_and_outputs(self, scaled: Image) -> list[tuple[_Tile, npt.NDArray[np.float32]]]:
        tiles = _tiles((scaled.shape[1], scaled.shape[0]), self.card)
        outputs = []
        for start in range(0, len(tiles), _BATCH):
            batch = np.stack([tile.cut(scaled) for tile in tiles[start : start + _BATCH]])
            outputs += list(self._net.run(batch)["boxes"])
        return list(zip(tiles, outputs, strict=True))

    def _decoded(self, output: npt.NDArray[np.float32]) -> Detections:
        """Rows above their class's confidence, shape (4 + classes, anchors) in."""
        card = self.card
        scores = output[4:]
        class_id = scores.argmax(axis=0)
        confidence = scores.max(axis=0)
        least = np.array([card.threshold(f"confidence_{name}") for name in card.scheme.names])
        keep = confidence >= least[class_id]
        cx, cy, width, height = output[:4, keep]
        xyxy = np.stack([cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2], axis=1)
        found = Detections(
            xyxy.astype(np.float32),
            confidence[keep].astype(np.float32),
            class_id[keep].astype(np.int64),
        )
        return geometry.suppress_per_class(found, card.threshold("iou"))


class _Tile:
    """A window of the scaled field and the part of it whose cells are its own."""

    def __init__(
        self, left: int, top: int, side_wh: tuple[int, int], core: tuple[float, ...]
    ) -> None:
        self.left, self.top, self.side_wh, self.core = left, top, side_wh, core

    def cut(self, field: Image) -> Image:
        """The tile's pixels, grey where the field ends."""
        width, height = self.side_wh
        part = field[self.top : self.top + height, self.left : self.left + width]
        if part.shape[:2] == (height, width):
            return part
        tile = np.full((height, width, 3), pixels.PAD_VALUE, np.uint8)
        tile[: part.shape[0], : part.shape[1]] = part
        return tile


def _tiles(size_wh: tuple[int, int], card: ModelCard) -> list[_Tile]:
    """Tiles of one size, so that they fit into one batch."""
    width, height = (min(card.input_px, geometry.round_up(side, STRIDE)) for side in size_wh)
    overlap = round(_OVERLAP_RBC * card.px_per_rbc)
    lefts = geometry.tile_starts(size_wh[0], width, overlap)
    tops = geometry.tile_starts(size_wh[1], height, overlap)
    columns = geometry.tile_cores(lefts, width, size_wh[0])
    rows = geometry.tile_cores(tops, height, size_wh[1])
    return [
        _Tile(left, top, (width, height), (x1, y1, x2, y2))
        for top, (y1, y2) in zip(tops, rows, strict=True)
        for left, (x1, x2) in zip(lefts, columns, strict=True)
    ]


def _of_own_part(found: Detections, tile: _Tile, slack_px: float) -> Detections:
    """Boxes moved to the field, of which the centre lies in the tile's own part."""
    offset = np.array([tile.left, tile.top, tile.left, tile.top], np.float32)
    xyxy = found.xyxy + offset
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    x1, y1, x2, y2 = tile.core
    inside = (
        (centre[:, 0] >= x1 - slack_px)
        & (centre[:, 0] <= x2 + slack_px)
        & (centre[:, 1] >= y1 - slack_px)
        & (centre[:, 1] <= y2 + slack_px)
    )
    return Detections(xyxy, found.confidence, found.class_id)[inside]
