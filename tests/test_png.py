"""Pictures come back from a PNG pixel by pixel, and flat ones are small."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from made_smears import smear

from yolo_leuk import png
from yolo_leuk.images import decode_image
from yolo_leuk.png import encode_png


def on_black(seed: int) -> np.ndarray:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[80:120, 80:120] = smear(seed, (40, 40))
    return picture


@pytest.mark.parametrize("picture", [smear(1), smear(2, (9, 31)), on_black(3)])
def test_a_picture_comes_back_pixel_by_pixel(picture, tmp_path):
    assert np.array_equal(decode_image(encode_png(picture), tmp_path), picture)


@pytest.mark.parametrize("picture", [smear(1), on_black(3)])
def test_a_file_is_no_larger_than_opencv_would_write_it(picture):
    assert len(encode_png(picture)) < 1.1 * len(cv2.imencode(".png", picture)[1])


def test_an_opencv_that_cannot_choose_the_filter_writes_the_same_pixels(monkeypatch, tmp_path):
    monkeypatch.setattr(png, "_FILTER", [])
    picture = smear(1)
    assert np.array_equal(decode_image(encode_png(picture), tmp_path), picture)
