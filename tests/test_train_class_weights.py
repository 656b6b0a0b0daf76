"""How much each class counts in the loss."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from tests.made_training_data import made_cells
from tests.warm_process import warm_python
from yolo_leuk import artifacts
from yolo_leuk.errors import ConfigError, DataError, UsageError
from yolo_leuk.labels import MATURITY
from yolo_leuk.manifest import FILE_NAME, read_manifest, write_manifest
from yolo_leuk.prepare.extra.balance import class_weights
from yolo_leuk.train.class_weights import weights_of_classes
from yolo_leuk.train.config import Optimisation, TrainConfig, with_defaults
from yolo_leuk.train.dataset import checked_dataset
from yolo_leuk.train.run import data_of


@pytest.fixture
def unequal(tmp_path):
    """Eight training cells of each class, but three of Pro and one of Benign."""
    folder = made_cells(tmp_path / "cells")
    left = {"Pro": 3, "Benign": 1}
    samples = [
        sample
        for sample in read_manifest(folder)
        if sample.split != "train"
        or int(sample.sample_id.rpartition("-")[2]) < left.get(sample.label, 8)
    ]
    write_manifest(folder / FILE_NAME, samples)
    _change_card(folder, manifest_sha256=artifacts.sha256_of_file(folder / FILE_NAME))
    return folder


def _change_card(folder, **changes) -> None:
    card = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    artifacts.write_json(folder / "dataset.json", {**card, **changes})


def test_balanced_weights_are_those_of_scikit_learn_for_what_is_learnt_from(unequal):
    for fold in (0, 1):
        data = checked_dataset(unequal, "classify", fold=fold)
        class_ids = [MATURITY.id_of(sample.label) for sample in data.training]
        wanted = compute_class_weight("balanced", classes=np.arange(5), y=np.array(class_ids))
        assert weights_of_classes(data, "balanced") == pytest.approx(wanted)


def test_with_none_all_samples_count_alike(unequal):
    assert (weights_of_classes(checked_dataset(unequal, "classify"), "none") == 1).all()


def test_the_weights_that_prepare_wrote_are_taken_in_the_order_of_the_classes(unequal):
    written = class_weights(read_manifest(unequal))
    _change_card(unequal, class_weights=written)
    data = checked_dataset(unequal, "classify", fold=1)
    found = weights_of_classes(data, "dataset")
    assert found == pytest.approx([written[name] for name in MATURITY.names])
    assert not np.allclose(found, weights_of_classes(data, "balanced"))


@pytest.mark.parametrize("written", [{}, {"class_weights": None}])
def test_a_data_set_without_weights_is_refused_and_the_hint_says_how_to_prepare_them(
    unequal, written
):
    _change_card(unequal, **written)
    config = TrainConfig(data=unequal, optimise=Optimisation(class_weights="dataset"))
    with pytest.raises(UsageError, match="has no class weights") as refused:
        data_of(config, 0)
    assert "--set balance=weights" in refused.value.hint


def test_a_class_that_prepare_knew_no_weight_of_is_named(unequal):
    _change_card(unequal, class_weights={"Benign": 2.0, "Early": 1.0, "Pre": 1.0})
    config = TrainConfig(data=unequal, optimise=Optimisation(class_weights="dataset"))
    with pytest.raises(DataError, match="has no class weight of Pro, Other"):
        data_of(config, 0)


def test_a_detector_takes_no_class_weights():
    config = TrainConfig(task="detect", optimise=Optimisation(class_weights="none"))
    with pytest.raises(ConfigError, match="the task is detect"):
        with_defaults(config)


_LOSSES = """
import json
from pathlib import Path
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
import torch
from yolo_leuk.train import run
from yolo_leuk.train.config import Optimisation, TrainConfig, with_defaults
from yolo_leuk.train.trainer import trainer_of

told = {}

def trained(kind):
    optimise = Optimisation(class_weights=kind, batch=8, label_smoothing=0.0)
    config = with_defaults(TrainConfig(
        data=Path("cells"), out=Path(kind), device="cpu", epochs=1, optimise=optimise))
    data = run.data_of(config, 0)
    trainer = trainer_of(config, run.folder_of(config, data), data)

    def tell(trainer):
        # Sure of the first class: of two samples, the loss of the one of another class is 10.
        logits = torch.tensor([[10.0, 0, 0, 0, 0]]).repeat(2, 1)
        told[kind] = [
            float(trainer.model.loss({"cls": torch.tensor([0, c])}, logits)[0]) for c in (1, 3)
        ]

    trainer.add_callback("on_train_start", tell)
    trainer.train()

trained("none")
trained("dataset")
print(json.dumps(told))
"""


@pytest.mark.slow
def test_the_loss_of_a_training_weighs_the_classes_as_told(unequal):
    weights = {"Benign": 1.0, "Early": 1.0, "Pre": 1.0, "Pro": 3.0, "Other": 1.0}
    _change_card(unequal, class_weights=weights)
    ended = warm_python("-c", _LOSSES, folder=unequal.parent)
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["none"] == pytest.approx([5, 5], rel=1e-3)
    # (1 · 0 + w · 10) ÷ (1 + w)
    assert told["dataset"] == pytest.approx([5, 7.5], rel=1e-3)
