"""Boxes in pixels as fractions of their picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_trees import folder_of, picture
from yolo_leuk import geometry
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.sources.pixel_boxes import PixelBox, as_fractions, upright_size_wh
from yolo_leuk.prepare.sources.source_tree import SourceFile

FILE = SourceFile(Path("set"), "a.png")
PIXELS = st.floats(-200, 5000)


@st.composite
def boxes_in_a_picture(draw):
    size_wh = draw(st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
    corners = draw(st.lists(st.tuples(PIXELS, PIXELS, PIXELS, PIXELS), max_size=8))
    return [PixelBox(f"c{i}", xyxy) for i, xyxy in enumerate(corners)], size_wh


@given(boxes_in_a_picture())
def test_every_box_comes_back_cut_to_its_picture_or_is_a_problem(case):
    boxes, size_wh = case
    found = as_fractions(boxes, size_wh, FILE)
    assert len(found.labels) + len(found.problems) == len(boxes)
    back = geometry.xyxy_from_cxcywhn(found.cxcywhn, size_wh)
    by_label = {box.label: box.xyxy for box in boxes}
    for label, xyxy in zip(found.labels, back, strict=True):
        expected = np.clip(by_label[label], 0, [*size_wh, *size_wh])
        np.testing.assert_allclose(xyxy, expected, atol=1e-2)
    assert (found.cxcywhn[:, 2:] > 0).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_corner_that_is_no_number_is_a_problem(bad):
    found = as_fractions([PixelBox("white", (1, 1, bad, 5))], (9, 9), FILE)
    assert found.problems[0].reason == "box 1 (white) has a corner that is no number"


def test_a_picture_that_lies_on_its_side_has_the_size_it_is_looked_at(tmp_path):
    jpeg = picture(40, 30, ".jpg")
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    plain, side = folder_of(tmp_path, {"a.jpg": jpeg, "b.jpg": turned}).files
    assert upright_size_wh(plain) == (40, 30)
    assert upright_size_wh(side) == (30, 40)
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (40, 30)


def test_what_is_no_picture_has_no_size(tmp_path):
    (file,) = folder_of(tmp_path, {"a.jpg": b"no picture"}).files
    with pytest.raises(DataError, match=r"a\.jpg is no JPEG"):
        upright_size_wh(file)
