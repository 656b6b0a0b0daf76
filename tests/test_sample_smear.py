"""The generator of the sample smear: repeatable, and its truth fits the picture."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "make_sample_smear.py"
SIZE_WH = (800, 600)
WHITE_CELLS = 8


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script, imported from its folder as running it would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        import make_sample_smear
    return make_sample_smear


@pytest.fixture(scope="module", params=[1, 7, 23])
def smear(script: ModuleType, request: pytest.FixtureRequest) -> tuple[np.ndarray, list]:
    """A small smear of each of three seeds."""
    return script.generate(request.param, SIZE_WH, 60.0, WHITE_CELLS)


def intersection_over_smaller(first: tuple, second: tuple) -> float:
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (first, second)]
    return max(width, 0) * max(height, 0) / min(areas)


def test_the_picture_is_rgb_of_the_size_asked(smear):
    picture, _ = smear
    assert picture.shape == (SIZE_WH[1], SIZE_WH[0], 3)
    assert picture.dtype == np.uint8


def test_the_same_seed_gives_the_same_bytes(script, tmp_path):
    size = ["--width", "400", "--height", "300", "--white-cells", "3"]
    for name in ("first", "second"):
        assert script.main(["--seed", "3", "--out", str(tmp_path / name / "s.jpg"), *size]) == 0
    for suffix in (".jpg", ".json"):
        first, second = ((tmp_path / n / "s").with_suffix(suffix) for n in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_another_seed_gives_another_picture_and_other_cells(script):
    (first, first_cells), (second, second_cells) = (
        script.generate(seed, (300, 300), 60.0, 2) for seed in (1, 2)
    )
    assert not np.array_equal(first, second)
    assert first_cells != second_cells


def test_every_box_lies_inside_the_picture(smear):
    _, cells = smear
    for cell in cells:
        x1, y1, x2, y2 = cell.box_xyxy
        assert 0 <= x1 < x2 <= SIZE_WH[0]
        assert 0 <= y1 < y2 <= SIZE_WH[1]


def test_there_are_as_many_white_cells_as_asked(smear):
    _, cells = smear
    assert sum(cell.label == "white" for cell in cells) == WHITE_CELLS


def test_the_labels_are_white_red_and_platelet(smear):
    _, cells = smear
    assert {cell.label for cell in cells} == {"white", "red", "platelet"}


def test_no_white_box_lies_in_another(smear):
    _, cells = smear
    boxes = [cell.box_xyxy for cell in cells if cell.label == "white"]
    for first, second in itertools.combinations(boxes, 2):
        assert intersection_over_smaller(first, second) < 0.6


def test_cells_are_as_wide_as_the_ruler_says(smear):
    _, cells = smear
    inner = [
        cell
        for cell in cells
        if min(cell.box_xyxy[:2]) > 0
        and cell.box_xyxy[2] < SIZE_WH[0]
        and cell.box_xyxy[3] < SIZE_WH[1]
    ]
    width = {
        label: [(c.box_xyxy[2] - c.box_xyxy[0]) / 60.0 for c in inner if c.label == label]
        for label in ("white", "red", "platelet")
    }
    assert np.median(width["red"]) == pytest.approx(1.0, abs=0.06)
    assert min(width["white"]) > 1.2
    assert max(width["white"]) < 2.5
    assert max(width["platelet"]) < 0.6


def test_white_cells_hold_a_violet_nucleus_and_red_cells_do_not(smear):
    picture, cells = smear
    darkest_green = {"white": [], "red": []}
    for cell in cells:
        if cell.label in darkest_green:
            x1, y1, x2, y2 = cell.box_xyxy
            inner = picture[(3 * y1 + y2) // 4 : (y1 + 3 * y2) // 4 + 1,
                            (3 * x1 + x2) // 4 : (x1 + 3 * x2) // 4 + 1]  # fmt: skip
            darkest_green[cell.label].append(np.percentile(inner[..., 1], 10))
    assert max(darkest_green["white"]) < 90
    assert np.median(darkest_green["red"]) > 130


def test_the_truth_file_names_the_picture_by_its_hash(script, tmp_path, capsys):
    out = tmp_path / "smear.jpg"
    size = ["--width", "400", "--height", "300", "--px-per-rbc", "40", "--white-cells", "2"]
    assert script.main(["--out", str(out), *size]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    truth = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert truth["schema"] == "yolo-leuk/sample-smear/1"
    assert truth["synthetic"] is True
    assert truth["px_per_rbc"] == 40
    assert truth["image"]["path"] == "smear.jpg"
    assert truth["image"]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert cv2.imread(str(out)).shape == (300, 400, 3)


def test_too_many_white_cells_are_refused_and_nothing_is_written(script, tmp_path, capsys):
    out = tmp_path / "smear.jpg"
    assert script.main(["--out", str(out), "--width", "300", "--height", "300"]) == 2
    assert "room for 20 white cells" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("size_wh", "px_per_rbc", "white_cells"),
    [
        ((0, 300), 60.0, 1),
        ((300, 300), 9.0, 1),
        ((300, 300), float("nan"), 1),
        ((300, 300), 60.0, -1),
    ],
)
def test_values_out_of_range_are_refused(script, size_wh, px_per_rbc, white_cells):
    with pytest.raises(ValueError, match="expected"):
        script.generate(1, size_wh, px_per_rbc, white_cells)


def test_an_output_that_is_no_jpeg_is_refused(script, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        script.main(["--out", str(tmp_path / "smear.png")])
    assert stopped.value.code == 2
    assert "ends in .jpg" in capsys.readouterr().err


def test_the_shipped_sample_is_the_one_its_truth_speaks_of():
    sample = SCRIPT.parent.parent / "datasets" / "samples" / "smear.jpg"
    truth = json.loads(sample.with_suffix(".json").read_text(encoding="utf-8"))
    assert truth["image"]["sha256"] == hashlib.sha256(sample.read_bytes()).hexdigest()
    assert sum(cell["label"] == "white" for cell in truth["cells"]) == 20
