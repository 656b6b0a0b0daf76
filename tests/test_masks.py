"""Masks of a source: two values, values or colours per part, cells on black."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolo_leuk.config import resolve
from yolo_leuk.errors import ConfigError, DataError, ImageError
from yolo_leuk.prepare.sources.source_tree import SourceFile
from yolo_leuk.prepare.white_cells.masks import MaskParts, read_mask, read_parts

SHAPE = (40, 50)


@pytest.fixture
def written(tmp_path):
    """Writes a mask, grey or RGB, and hands out its file."""

    def write(mask: np.ndarray, name: str = "mask.png") -> SourceFile:
        stored = mask if mask.ndim == 2 else mask[..., ::-1]
        (tmp_path / name).write_bytes(cv2.imencode(name[-4:], stored)[1].tobytes())
        return SourceFile(tmp_path, name)

    return write


def three_values(background=0, cytoplasm=128, nucleus=255) -> np.ndarray:
    mask = np.empty((*SHAPE, np.size(background)), np.uint8)
    mask[:] = background
    mask[8:32, 10:40] = cytoplasm
    mask[14:26, 18:32] = nucleus
    return mask[..., 0] if np.size(background) == 1 else mask


def assert_parts(found) -> None:
    truth = three_values()
    np.testing.assert_array_equal(found.cells, np.where(truth > 0, 255, 0))
    np.testing.assert_array_equal(found.nuclei, np.where(truth == 255, 255, 0))
    assert found.cells.dtype == found.nuclei.dtype == np.uint8


def test_grey_values_stand_for_cytoplasm_and_nucleus(written):
    assert_parts(read_parts(written(three_values()), "values", MaskParts(), SHAPE))


def test_stray_values_go_to_the_nearest(written):
    mask = three_values()
    mask[0, :3] = 3, 7, 12
    mask[20, 20:22] = 251
    assert_parts(read_parts(written(mask), "values", MaskParts(), SHAPE))


@given(st.permutations([(0, 0, 0), (255, 0, 0), (0, 0, 255), (255, 255, 0), (60, 180, 75)]))
def test_colours_of_the_configuration_stand_for_parts(tmp_path_factory, colours):
    background, cytoplasm, nucleus, *_ = colours
    stored = three_values(background, cytoplasm, nucleus)[..., ::-1]
    folder = tmp_path_factory.mktemp("masks")
    (folder / "mask.png").write_bytes(cv2.imencode(".png", stored)[1].tobytes())
    parts = MaskParts((background,), (cytoplasm,), (nucleus,))
    assert_parts(read_parts(SourceFile(folder, "mask.png"), "values", parts, SHAPE))


def test_several_values_may_stand_for_one_part(written):
    mask = three_values()
    mask[8:10, 10:40] = 64
    parts = MaskParts(cytoplasm=(64, 128))
    assert_parts(read_parts(written(mask), "values", parts, SHAPE))


@pytest.mark.parametrize("value", [1, 128, 255])
def test_a_mask_of_two_values_shows_cells_whatever_the_value(written, value):
    mask = np.where(three_values() > 0, value, 0).astype(np.uint8)
    found = read_parts(written(mask), "values", MaskParts(), SHAPE)
    np.testing.assert_array_equal(found.cells, np.where(mask > 0, 255, 0))
    assert not found.nuclei.any()


def test_an_empty_mask_has_no_cell(written):
    assert not read_mask(written(np.zeros(SHAPE, np.uint8)), "values", MaskParts(), SHAPE).any()


def test_a_cell_on_black_is_where_it_is_not_black(written):
    picture = np.zeros((*SHAPE, 3), np.uint8)
    picture[10:30, 15:35] = (230, 120, 170)
    picture[0, 0] = 9
    found = read_mask(written(picture), "cell-on-black", MaskParts(), SHAPE)
    assert found[10:30, 15:35].all()
    assert np.count_nonzero(found) == 20 * 20


def test_a_mask_saved_as_jpeg_is_read_as_well(written):
    found = read_parts(written(three_values(), "mask.jpg"), "values", MaskParts(), SHAPE)
    assert np.mean(found.cells == np.where(three_values() > 0, 255, 0)) > 0.98


@pytest.mark.parametrize("kind", ["values", "cell-on-black"])
def test_a_mask_of_another_size_than_its_picture_is_an_error_with_both_sizes(written, kind):
    with pytest.raises(DataError, match=r"expected .* 60×40 px, got 50×40 px"):
        read_mask(written(three_values()), kind, MaskParts(), (40, 60))


def test_values_that_stand_for_nothing_are_an_error_that_names_them(written):
    mask = three_values()
    mask[30:, :] = 190
    with pytest.raises(DataError, match=r"mask\.png.*\(190, 190, 190\)") as raised:
        read_mask(written(mask), "values", MaskParts(), SHAPE)
    assert "mask_parts" in raised.value.hint


def test_an_unknown_kind_is_an_error(written):
    with pytest.raises(DataError, match="cell-on-black or values, got 'layers'"):
        read_mask(written(three_values()), "layers", MaskParts(), SHAPE)


def test_a_broken_mask_is_refused_with_its_name(tmp_path):
    (tmp_path / "mask.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"mask\.png"):
        read_mask(SourceFile(tmp_path, "mask.png"), "values", MaskParts(), SHAPE)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"nucleus": (256,)}, "0 to 255"),
        ({"background": ()}, "background and for cells"),
        ({"cytoplasm": (), "nucleus": ()}, "background and for cells"),
        ({"cytoplasm": (255,)}, "two parts"),
    ],
)
def test_parts_that_make_no_sense_are_refused(parts, message):
    with pytest.raises(ConfigError, match=message):
        MaskParts(**parts)


def test_parts_are_read_from_yaml(tmp_path):
    file = tmp_path / "parts.yaml"
    file.write_text("background: [[0, 0, 0], 20]\ncytoplasm: []\nnucleus: [[255, 0, 0]]\n")
    assert resolve(MaskParts, file) == MaskParts(((0, 0, 0), 20), (), ((255, 0, 0),))


def test_real_masks_have_nuclei_inside_their_cells(real_data):
    folder = real_data / "cellavision-masks"
    for number in (7, 44, 73):
        mask = SourceFile(folder, f"{number:03d}.png")
        found = read_parts(mask, "values", MaskParts(), (300, 300))
        assert 0 < np.count_nonzero(found.nuclei) < np.count_nonzero(found.cells)
        assert not found.nuclei[found.cells == 0].any()


def test_the_cells_of_a_real_cell_on_black_are_found(real_data):
    folder = real_data / "all4" / "Segmented" / "Early"
    file = sorted(folder.glob("*.jpg"))[5]
    found = read_mask(SourceFile(folder, file.name), "cell-on-black", MaskParts(), (224, 224))
    assert 0.05 < np.mean(found > 0) < 0.3
