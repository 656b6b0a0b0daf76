"""What is lost when parts are covered: on rules that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.made_explain import GLASS, NUCLEUS, SIDE, of_noise, upper_left
from yolo_leuk.backends.net import open_net
from yolo_leuk.explain.evidence import answers, log_odds
from yolo_leuk.explain.heat import share_on
from yolo_leuk.explain.occlusion import occlusion_map
from yolo_leuk.labels import MATURITY

DARK = np.full((SIDE, SIDE, 3), NUCLEUS, np.uint8)
EARLY = MATURITY.id_of("Early")
PATCHES = (1 / 3, 1 / 6)


def brightness(rows=slice(None), columns=slice(None)):
    """Evidence of one voice: how dark a part is."""
    return lambda batch: -batch[:, rows, columns].astype(float).mean(axis=(1, 2, 3))[None]


def map_by(path, class_id=EARLY) -> np.ndarray:
    net = open_net(path)
    return occlusion_map(lambda b: log_odds(answers(net, b), class_id), DARK, GLASS, PATCHES, 64)[0]


def test_a_net_that_looks_at_one_quarter_has_its_heat_there(tmp_path):
    heat = np.maximum(map_by(upper_left(tmp_path / "net.onnx")), 0)
    quarter = np.zeros((SIDE, SIDE), bool)
    quarter[: SIDE // 2, : SIDE // 2] = True
    assert share_on(quarter, heat) > 0.75
    assert np.unravel_index(heat.argmax(), heat.shape) < (SIDE // 2, SIDE // 2)
    assert heat[3 * SIDE // 4 :, 3 * SIDE // 4 :].max() == pytest.approx(0, abs=1e-5)


def test_another_class_is_spoken_for_elsewhere(tmp_path):
    net = upper_left(tmp_path / "net.onnx")
    for_early, for_pro = map_by(net), map_by(net, MATURITY.id_of("Pro"))
    assert for_early.max() > 0 > for_pro.min()
    assert for_pro.max() == pytest.approx(0, abs=1e-5)


def test_nets_with_other_weights_have_other_heat(tmp_path):
    one, other = (map_by(of_noise(tmp_path / f"{seed}.onnx", seed)) for seed in (1, 2))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] < 0.5


def test_what_a_patch_of_a_quarter_of_the_side_loses_is_its_share_of_what_is_seen():
    evidence = brightness(slice(0, 8), slice(0, 8))
    found = occlusion_map(evidence, np.zeros((32, 32, 3), np.uint8), (255, 255, 255), [0.25], 7)
    # Centres stand 4 px apart; of 8×8 px that are seen the patch around (6, 6) covers 6×6.
    assert found.shape == (1, 32, 32)
    assert found[0, 5:7, 5:7].mean() == pytest.approx(255 * 36 / 64, rel=0.1)
    assert found[0, 16:, :].max() == found[0, :, 16:].max() == 0


def test_of_several_sizes_the_mean_is_taken():
    evidence, picture, fill = brightness(), np.zeros((32, 32, 3), np.uint8), (255, 255, 255)
    one, two, both = (
        occlusion_map(evidence, picture, fill, sizes, 50) for sizes in ([0.5], [0.25], [0.5, 0.25])
    )
    assert both == pytest.approx((one + two) / 2, abs=1e-5)


@pytest.mark.parametrize("batch", [1, 5, 1000])
def test_how_many_are_asked_about_at_once_changes_nothing(batch):
    generator = np.random.default_rng(0)
    picture = generator.integers(0, 256, (24, 24, 3), np.uint8)
    expected = occlusion_map(brightness(slice(5, 9)), picture, GLASS, PATCHES, 64)
    found = occlusion_map(brightness(slice(5, 9)), picture, GLASS, PATCHES, batch)
    assert np.array_equal(found, expected)


def test_evidence_that_looks_at_nothing_gives_no_heat_at_all():
    found = occlusion_map(lambda b: np.ones((2, len(b))), DARK, GLASS, PATCHES, 64)
    assert found.shape == (2, SIDE, SIDE)
    assert not found.any()


def test_a_picture_of_the_colour_that_covers_it_has_no_heat():
    same = np.full((SIDE, SIDE, 3), GLASS, np.uint8)
    assert not occlusion_map(brightness(), same, GLASS, PATCHES, 64).any()


def test_the_picture_itself_is_left_as_it_was():
    picture = DARK.copy()
    occlusion_map(brightness(), picture, GLASS, PATCHES, 64)
    assert np.array_equal(picture, DARK)


def test_patches_smaller_than_a_pixel_are_pixels():
    found = occlusion_map(brightness(), np.zeros((8, 8, 3), np.uint8), (255,) * 3, [0.01], 64)
    assert np.isfinite(found).all()
    assert found.min() > 0
