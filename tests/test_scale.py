"""The ruler of each picture of a source."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from yolo_leuk.errors import DataError
from yolo_leuk.prepare import scale
from yolo_leuk.prepare.scale import measured_px_per_rbc, px_per_rbc_of_all
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile

SIZE = (400, 200)
FILE = SourceFile(Path("set"), "a.png")


@pytest.fixture(autouse=True)
def _picture_behind_file(monkeypatch):
    """``FILE`` is a picture of 400×200 px."""
    content = cv2.imencode(".png", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))[1].tobytes()
    read = SourceFile.read
    monkeypatch.setattr(SourceFile, "read", lambda file: content if file == FILE else read(file))


def image_of(boxes_xywh=(), labels=None, source="set/a", **options) -> SourceImage:
    """A picture of 400×200 px with boxes (centre x, centre y, width, height) in pixels."""
    boxes = np.array(boxes_xywh, float).reshape(-1, 4) / (400, 200, 400, 200)
    names = ("red",) * len(boxes) if labels is None else labels
    return SourceImage(FILE, "a", source, boxes_cxcywhn=boxes, box_labels=names, **options)


def red_cells(*sides, y: float = 100) -> list[tuple[float, ...]]:
    return [(50 + 60 * i, y, side, side) for i, side in enumerate(sides)]


def test_the_ruler_is_the_median_width_of_the_red_cells():
    assert measured_px_per_rbc(image_of(red_cells(40, 44, 46, 90, 42)), SIZE) == pytest.approx(44)


def test_an_oval_cell_counts_as_a_round_one_of_its_area():
    ovals = [(50 + 60 * i, 100, 50, 32) for i in range(4)]
    assert measured_px_per_rbc(image_of(ovals), SIZE) == pytest.approx(40)


def test_cells_that_the_edge_cuts_are_not_measured():
    cut = [(10, 100, 20, 40), (390, 100, 20, 40), (200, 5, 40, 10), (300, 195, 40, 10)]
    whole = red_cells(40, 40, 40, 40)
    assert measured_px_per_rbc(image_of([*cut, *whole]), SIZE) == pytest.approx(40)
    assert measured_px_per_rbc(image_of([*cut, *whole[:3]]), SIZE) is None


def test_white_cells_are_not_measured():
    image = image_of(red_cells(40, 40, 40, 40), ("red", "red", "red", "white"))
    assert measured_px_per_rbc(image, SIZE) is None


def test_a_picture_without_boxes_has_no_ruler_of_its_own():
    assert measured_px_per_rbc(SourceImage(FILE, "a", "all4"), SIZE) is None


def test_a_picture_with_too_few_red_cells_takes_the_median_of_its_part():
    images = [
        image_of(red_cells(40, 40, 40, 40)),
        image_of(red_cells(50, 50, 50, 50)),
        image_of(),
        image_of(red_cells(30, 30, 30, 30), source="set/b"),
        image_of(source="all4", px_per_rbc=20.0),
    ]
    assert px_per_rbc_of_all(images) == pytest.approx([40, 50, 45, 30, 20])


def test_a_part_without_any_red_cell_is_measured_by_the_pipeline(monkeypatch):
    asked = []
    monkeypatch.setattr(scale, "_measured_by_pipeline", lambda own: asked.append(own) or 33.0)
    images = [image_of(red_cells(*[40] * 4)), image_of(source="set/b"), image_of(source="set/b")]
    assert px_per_rbc_of_all(images) == pytest.approx([40, 33, 33])
    assert asked == [images[1:]]
    assert px_per_rbc_of_all(images, 25.0) == pytest.approx([40, 25, 25])
    assert len(asked) == 1


def test_single_cells_on_black_are_the_ruler_of_their_source(tmp_path):
    cell = np.zeros((120, 120, 3), np.uint8)
    cv2.circle(cell, (60, 60), 40, (150, 60, 170), cv2.FILLED)
    cv2.imwrite(str(tmp_path / "a.png"), cell)
    image = SourceImage(SourceFile(tmp_path, "a.png"), "a", "cells", is_cell=True)
    (ruler,) = px_per_rbc_of_all([image])
    # The shipped pipeline takes such a cell for 1.6 red cells wide.
    assert ruler == pytest.approx(80 / 1.6, rel=0.05)


def test_where_nothing_tells_how_wide_a_red_cell_is_the_error_says_what_to_do(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((120, 120, 3), 235, np.uint8))
    image = SourceImage(SourceFile(tmp_path, "a.png"), "a", "set/b")
    with pytest.raises(DataError, match="set/b") as caught:
        px_per_rbc_of_all([image])
    assert "px_per_rbc" in caught.value.hint


def test_a_ruler_that_is_given_is_taken_where_nothing_else_tells():
    images = [image_of(red_cells(40, 40, 40, 40)), image_of(), image_of(source="set/b")]
    assert px_per_rbc_of_all(images, 33.0) == pytest.approx([40, 40, 33])
