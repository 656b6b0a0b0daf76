"""The contact sheet: what it shows, and how large it may become."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from yolo_leuk import contact_sheet as module
from yolo_leuk.contact_sheet import COLUMNS, LARGEST_BYTES, contact_sheet, sheet_jpeg
from yolo_leuk.errors import DataError

TITLE_PX = 30


def even(level: int, size_wh=(50, 50)) -> np.ndarray:
    return np.full((size_wh[1], size_wh[0], 3), level, np.uint8)


def title_of(text: str) -> np.ndarray:
    return contact_sheet([(text, [])])[:TITLE_PX]


def levels_along(sheet, y: int) -> list[int]:
    """Grey levels met from left to right, repeats left out."""
    row = sheet[y, :, 0]
    return [int(v) for v in row[np.flatnonzero(np.diff(row, prepend=-1))]]


def test_each_row_shows_its_pictures_from_left_to_right():
    sheet = contact_sheet([("a", [even(10), even(60)]), ("b", [even(110)])])
    assert levels_along(sheet, TITLE_PX + 50) == [255, 10, 255, 60, 255]
    assert levels_along(sheet, 2 * TITLE_PX + 118 + 50) == [255, 110, 255]


def test_of_many_pictures_some_are_shown_evenly_spread():
    pictures = [even(level) for level in range(200)]
    shown = levels_along(contact_sheet([("a", pictures)]), TITLE_PX + 50)[1::2]
    assert len(shown) == COLUMNS
    assert (shown[0], shown[-1]) == (0, 199)
    assert np.ptp(np.diff(shown)) <= 1


@pytest.mark.parametrize("size_wh", [(200, 100), (30, 300), (1, 1), (3, 1)])
def test_a_picture_keeps_its_proportions(size_wh):
    sheet = contact_sheet([("a", [even(0, size_wh)])])[TITLE_PX:]
    dark = sheet[..., 0] < 60
    height, width = dark.any(axis=1).sum(), dark.any(axis=0).sum()
    assert max(width, height) == 112
    assert width / height == pytest.approx(size_wh[0] / size_wh[1], rel=0.1)


def test_titles_are_drawn_where_they_can_be_read():
    title = title_of("Benign")
    ink = (title < 128).any(axis=2)
    rows = np.flatnonzero(ink.any(axis=1))
    assert 14 <= rows[-1] - rows[0] <= 22
    assert ink[:, :12].any()
    assert not ink[:, 120:].any()


@pytest.mark.parametrize("text", ["Größe", "нейтрофил", "βλάστη"])
def test_letters_beyond_ascii_are_drawn_and_not_replaced(text):
    assert not np.array_equal(title_of(text), title_of("?" * len(text)))
    assert not np.array_equal(title_of(text), title_of(text[::-1]))


def test_letters_that_the_font_lacks_become_question_marks(recwarn):
    np.testing.assert_array_equal(title_of("芽球 a\n"), title_of("?? a?"))
    assert not recwarn.list


def test_letters_with_and_without_descender_stand_on_one_line():
    plain, tailed = ((title_of(text) < 128).any(axis=(1, 2)) for text in ("hem", "hemg"))
    assert np.flatnonzero(plain)[-1] < np.flatnonzero(tailed)[-1]
    assert np.flatnonzero(plain)[0] == np.flatnonzero(tailed)[0]


def test_a_title_longer_than_the_sheet_is_cut_off():
    sheet = contact_sheet([("long " * 200, [even(0)])])
    assert sheet.shape == contact_sheet([("short", [even(0)])]).shape


def test_an_empty_title_and_an_empty_row_are_drawn_as_such():
    sheet = contact_sheet([("", []), ("b", [])])
    assert (sheet[:TITLE_PX] == 255).all()


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="at least one row"):
        contact_sheet([])


@pytest.mark.parametrize("rows", [1, 8, 40, 500])
def test_the_sheet_stays_small_whatever_it_shows(rows):
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3), np.uint8)
    sheet = contact_sheet([(f"class {i}", [noise] * 30) for i in range(rows)])
    assert sheet.shape[0] <= 4100
    content = sheet_jpeg(sheet)
    assert len(content) < LARGEST_BYTES
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == sheet.shape


def test_of_more_rows_than_fit_the_title_of_the_last_says_how_many(monkeypatch):
    titles: list[str] = []
    monkeypatch.setattr(module, "_write", lambda _, text: titles.append(text))
    contact_sheet([(f"class {i}", []) for i in range(75)])
    assert titles[-2:] == ["class 59", "and 15 more"]


def test_a_sheet_is_as_good_a_jpeg_as_its_size_allows():
    noise = np.random.default_rng(0).integers(0, 256, (1400, 1186, 3), np.uint8)
    easy, hard = sheet_jpeg(even(200, (1186, 900))), sheet_jpeg(noise)
    assert len(easy) < 50_000
    assert LARGEST_BYTES / 2 < len(hard) < LARGEST_BYTES


def test_colours_are_not_swapped_in_the_jpeg():
    sheet = np.zeros((64, 64, 3), np.uint8)
    sheet[..., 0] = 220
    decoded = cv2.imdecode(np.frombuffer(sheet_jpeg(sheet), np.uint8), cv2.IMREAD_COLOR)
    assert decoded[32, 32, 2] > 200
    assert decoded[32, 32, 0] < 50
