"""The table of epochs as a picture."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from yolo_leuk.train.learning_curves import learning_curves, write_learning_curves

CLASSIFIER = (
    "train/loss",
    "metrics/weighted_f1",
    "metrics/balanced_accuracy",
    "metrics/ece",
    "val/loss",
)
DETECTOR = (
    *("train/box_loss", "train/cls_loss", "train/dfl_loss"),
    *("metrics/precision(B)", "metrics/recall(B)", "metrics/mAP50(B)", "metrics/mAP50-95(B)"),
    *("val/box_loss", "val/cls_loss", "val/dfl_loss"),
)
RATES = ("lr/pg0", "lr/pg1", "lr/pg2")


def table_of(columns, epochs: int = 6) -> dict[str, list[float]]:
    generator = np.random.default_rng(0)
    count = [float(number) for number in range(1, epochs + 1)]
    values = {column: generator.random(epochs).tolist() for column in (*columns, *RATES)}
    return {"epoch": count, "time": [9 * number for number in count], **values}


def curves_of(figure):
    return [line for axis in figure.axes for line in axis.lines if len(line.get_xdata()) > 2]


@pytest.mark.parametrize("columns", [CLASSIFIER, DETECTOR])
def test_every_loss_every_figure_and_the_learning_rate_are_drawn_over_all_epochs(columns):
    table = table_of(columns)
    figure = learning_curves(table, 4)
    drawn = {tuple(line.get_ydata()) for line in curves_of(figure)}
    assert drawn == {tuple(table[column]) for column in (*columns, "lr/pg0")}
    assert all(list(line.get_xdata()) == table["epoch"] for line in curves_of(figure))


@pytest.mark.parametrize("columns", [CLASSIFIER, DETECTOR])
def test_every_chart_says_what_it_shows_and_marks_the_best_epoch(columns):
    figure = learning_curves(table_of(columns), 4)
    assert len(figure.axes) == 4
    for axis in figure.axes:
        assert axis.get_title()
        assert axis.get_ylabel()
        assert axis.get_xlabel() == "epoch"
        assert axis.get_legend().get_texts()
        assert axis.lines[-1].get_xdata() == [4, 4]
    assert figure.get_suptitle() == "Kept epoch (dotted): 4 of 6"


@pytest.mark.parametrize("columns", [CLASSIFIER, DETECTOR])
def test_no_text_of_the_picture_lies_on_a_chart_or_on_another_text(columns):
    figure = learning_curves(table_of(columns, epochs=120), 77)
    figure.draw_without_rendering()
    boxes = [
        text.get_window_extent()
        for axis in figure.axes
        for text in (axis.title, axis.xaxis.label, axis.yaxis.label, axis.get_legend())
    ]
    charts = [axis.get_window_extent() for axis in figure.axes]
    assert not any(box.overlaps(chart) for box in boxes for chart in charts)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)


def test_the_losses_of_a_net_that_has_others_are_drawn_too():
    table = table_of(("train/l1_loss", "train/new", "val/l1_loss"))
    legend = learning_curves(table, 1).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "l1, training",
        "l1, validation",
        "new, training",
    ]


def test_a_run_of_one_epoch_and_a_loss_that_is_no_number_are_drawn(tmp_path):
    header = ",".join(("epoch", "time", *CLASSIFIER, *RATES))
    (tmp_path / "results.csv").write_text(f"{header}\n1,9,nan,0,0.2,0.9,inf,0.1,0.1,0.1\n")
    write_learning_curves(tmp_path, 1)
    picture = cv2.imread(str(tmp_path / "learning-curves.png"))
    assert picture.shape[0] > 600
    assert picture.std() > 10
    assert {path.name for path in tmp_path.iterdir()} == {"results.csv", "learning-curves.png"}
