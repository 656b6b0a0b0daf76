"""What may be measured on a data set, and what is refused with the reason."""

from __future__ import annotations

import dataclasses
import json
import shutil

import cv2
import numpy as np
import pytest

from tests.made_evaluation import ensemble_file, net, table_file
from tests.made_nets import CLASSIFIER_CARD
from tests.made_onnx import detector_file
from tests.made_training_data import made_cells, made_fields
from yolo_leuk import artifacts
from yolo_leuk.dataset import read_dataset
from yolo_leuk.errors import (
    CardError,
    DataError,
    HashError,
    LeakageError,
    ModelError,
    UsageError,
)
from yolo_leuk.evaluate.held_out import read_held_out
from yolo_leuk.evaluate.models import open_models, seen_before
from yolo_leuk.labels import LabelScheme
from yolo_leuk.manifest import FILE_NAME, read_manifest, write_manifest
from yolo_leuk.pipeline import SCHEMA as PIPELINE_SCHEMA


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return read_dataset(made_cells(tmp_path_factory.mktemp("made") / "cells", (3, 2, 2)))


@pytest.fixture(scope="module")
def held_out(data):
    return read_held_out(data.folder, "test")


@pytest.fixture
def own_data(tmp_path, data):
    """A copy of the data set, to be spoilt."""
    return shutil.copytree(data.folder, tmp_path / "own")


def rewritten(folder, samples) -> None:
    write_manifest(folder / FILE_NAME, samples)
    card = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    card["manifest_sha256"] = artifacts.sha256_of_file(folder / FILE_NAME)
    artifacts.write_json(folder / "dataset.json", card)


# --- the samples ---------------------------------------------------------------------------------


def test_a_split_is_the_samples_of_it_and_folds_is_all_but_test(data):
    assert len(read_held_out(data.folder, "test").samples) == 10
    assert {s.split for s in read_held_out(data.folder, "val").samples} == {"val"}
    assert {s.split for s in read_held_out(data.folder, "folds").samples} == {"train", "val"}


def test_a_manifest_that_was_changed_is_refused(own_data):
    with (own_data / FILE_NAME).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    with pytest.raises(DataError, match="is not the manifest that"):
        read_held_out(own_data, "test")


def test_a_picture_that_is_missing_is_refused_by_name(own_data):
    (own_data / "test" / "Pre" / "Pre-test-0.png").unlink()
    with pytest.raises(DataError, match=r"1 pictures are missing, .* test/Pre/Pre-test-0"):
        read_held_out(own_data, "test")


def test_a_picture_that_the_manifest_does_not_know_is_refused_by_name(own_data):
    cv2.imwrite(str(own_data / "test" / "Pre" / "strange.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(DataError, match=r"1 pictures are not in its manifest, .* test/Pre/strange"):
        read_held_out(own_data, "test")
    assert read_held_out(own_data, "val").samples


def test_a_split_without_samples_is_refused(own_data):
    rewritten(own_data, [s for s in read_manifest(own_data) if s.split != "test"])
    with pytest.raises(DataError, match="has no sample in test"):
        read_held_out(own_data, "test")


def test_a_class_that_the_data_set_does_not_have_is_refused(own_data):
    samples = [
        dataclasses.replace(s, label="Strange") if s.label == "Pre" else s
        for s in read_manifest(own_data)
    ]
    rewritten(own_data, samples)
    with pytest.raises(DataError, match=r"samples of 'Strange'; the classes .* Benign, Early"):
        read_held_out(own_data, "test")


def test_turned_copies_are_not_measured_on(own_data):
    samples = [
        dataclasses.replace(s, steps="drawn; turned: 90") if s.sample_id.endswith("val-0") else s
        for s in read_manifest(own_data)
    ]
    rewritten(own_data, samples)
    assert len(read_held_out(own_data, "val").samples) == 5


# --- what is named -------------------------------------------------------------------------------


def test_models_are_called_by_what_tells_them_apart(tmp_path, data, held_out):
    runs = tmp_path / "runs"
    nets = [net(runs / name / "weights", "best") for name in ("v8n", "v11n")]
    table = table_file(runs / "v12n" / "probabilities.csv", data, ("test",))
    paths = [runs / "v8n", nets[1], table.parent]
    assert [model.name for model in open_models(paths, held_out)] == ["v8n", "v11n", "v12n"]
    other = net(tmp_path / "others" / "v8n" / "weights", "best")
    names = [model.name for model in open_models([nets[0], other], held_out)]
    assert names == ["runs/v8n", "others/v8n"]


def test_a_checkpoint_stands_for_the_net_that_was_exported_beside_it(tmp_path, held_out):
    path = net(tmp_path / "run" / "weights", "best").with_suffix(".pt")
    path.write_bytes(b"a checkpoint")
    (model,) = open_models([path], held_out)
    assert (model.name, model.kind) == ("run", "made for classify")


def test_a_model_that_is_named_twice_is_refused(tmp_path, held_out):
    path = net(tmp_path, "one")
    with pytest.raises(UsageError, match="named twice"):
        open_models([path, path], held_out)


def test_a_file_that_is_not_there_and_a_folder_without_model_are_refused(tmp_path, held_out):
    with pytest.raises(ModelError, match=r"there is no model .*nothing\.onnx"):
        open_models([tmp_path / "nothing.onnx"], held_out)
    with pytest.raises(UsageError, match="is no folder of a run, of an ensemble or of a pipeline"):
        open_models([tmp_path], held_out)


def test_a_json_file_that_is_neither_pipeline_nor_ensemble_is_refused(tmp_path, held_out):
    card = net(tmp_path, "one").with_suffix(".json")
    with pytest.raises(CardError, match="found 'yolo-leuk/model-card/1'") as caught:
        open_models([card], held_out)
    assert "name the .onnx file" in caught.value.hint
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(CardError, match="is not a JSON file"):
        open_models([broken], held_out)


def test_a_net_that_is_not_the_one_of_its_card_is_refused_unless_trusted(tmp_path, held_out):
    path = net(tmp_path, "one")
    other = net(tmp_path / "other", "one", weights=np.zeros((3, 5), np.float32))
    path.write_bytes(other.read_bytes())
    with pytest.raises(HashError):
        open_models([path], held_out)
    assert len(open_models([path], held_out, trust=True)) == 1


# --- classes, tasks and levels -------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [("Early", "Benign", "Pre", "Pro", "Other"), ("Benign", "Early", "Pre", "Pro", "Others")],
)
def test_classes_in_another_order_or_of_another_name_are_refused(tmp_path, held_out, names):
    path = net(tmp_path, "one", scheme=LabelScheme(names))
    with pytest.raises(DataError, match=f"are {', '.join(names)}; those of .* are Benign, Early"):
        open_models([path], held_out)


def test_a_table_with_classes_in_another_order_is_refused(tmp_path, data, held_out):
    path = table_file(tmp_path / "t.csv", data, ("test",))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[0] = lines[0].replace("p_Early,p_Pre", "p_Pre,p_Early")
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match="in this order"):
        open_models([path], held_out)


def test_a_detector_is_refused_on_cells_and_a_classifier_on_fields(tmp_path, held_out):
    detector_file(tmp_path / "detector.onnx")
    with pytest.raises(UsageError, match=r"is for detect, the data set .* is for classify"):
        open_models([tmp_path / "detector.onnx"], held_out)
    fields = read_held_out(made_fields(tmp_path / "made", 1), "test")
    with pytest.raises(UsageError, match=r"is for classify, the data set .* is for detect"):
        open_models([net(tmp_path, "one")], fields)
    with pytest.raises(UsageError, match="holds probabilities of classes"):
        open_models([table_file(tmp_path / "t.csv", held_out.data, ("test",))], fields)


def test_a_net_of_whole_pictures_is_refused_on_cells(tmp_path, held_out):
    path = net(tmp_path, "one", level="image")
    with pytest.raises(UsageError, match=r"classifies the level image, .* is of the level cell"):
        open_models([path], held_out)


def test_of_a_pipeline_the_classifier_is_measured_on_cells(tmp_path, held_out):
    classifier = net(tmp_path, "cells")
    detector = detector_file(tmp_path / "detector.onnx")
    content = {
        "schema": PIPELINE_SCHEMA,
        "name": "both",
        "detector": {"file": "detector.onnx", "sha256": detector.sha256},
        "classifier": {
            "file": "cells.onnx", "sha256": artifacts.sha256_of_file(classifier),
        },
        "cell_diameter_rbc": 1.6,
    }  # fmt: skip
    artifacts.write_json(tmp_path / "both.json", content)
    (model,) = open_models([tmp_path / "both.json"], held_out)
    assert (model.name, model.kind) == ("both", "classifier of a pipeline")


# --- tables --------------------------------------------------------------------------------------


def test_a_table_of_other_samples_is_refused_with_the_first_that_is_missing(
    tmp_path, data, held_out
):
    path = table_file(tmp_path / "t.csv", data, ("val",))
    with pytest.raises(DataError, match="says nothing of 10 of the 10 samples in test") as caught:
        open_models([path], held_out)
    assert "--split" in caught.value.hint


def test_a_table_of_another_preparation_is_refused(tmp_path, data, held_out):
    path = table_file(tmp_path / "t.csv", data, ("test",))
    text = path.read_text(encoding="utf-8").replace("Pre-test-1,Pre-test-1", "Pre-test-1,moved")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="Pre-test-1 is Pre of group moved; in the manifest it is"):
        open_models([path], held_out)


def test_the_rows_of_a_table_are_brought_into_the_order_of_the_samples(tmp_path, data, held_out):
    path = table_file(tmp_path / "t.csv", data, ("val", "test"))
    (model,) = open_models([path], held_out)
    ids = [row.sample_id for row in model.subject.samples]
    assert ids == [sample.sample_id for sample in held_out.samples]


# --- what was seen before ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ensemble.json", "vote.onnx"])
def test_an_ensemble_that_was_searched_on_the_test_split_is_refused(tmp_path, data, held_out, name):
    nets = [net(tmp_path / "nets", name) for name in "ab"]
    ensemble_file(tmp_path / "vote", data, nets, splits=("test",))
    with pytest.raises(LeakageError, match="were searched on test of this data set"):
        open_models([tmp_path / "vote" / name], held_out)


def test_an_ensemble_that_was_searched_on_validation_may_be_tested_but_not_validated(
    tmp_path, data, held_out
):
    nets = [net(tmp_path / "nets", name) for name in "ab"]
    ensemble_file(tmp_path / "vote", data, nets, splits=("train", "val"))
    (model,) = open_models([tmp_path / "vote"], held_out)
    assert (model.name, model.kind) == ("vote", "ensemble of a, b")
    for split in ("val", "folds"):
        with pytest.raises(LeakageError, match="were searched on"):
            open_models([tmp_path / "vote"], read_held_out(data.folder, split))


def test_what_members_of_an_ensemble_have_seen_is_told(tmp_path, data, held_out):
    training = {"manifest_sha256": "0" * 64, "sources": ["drawn cells"], "config": {"fold": 0}}
    nets = [net(tmp_path / "nets", name, training=training) for name in "ab"]
    ensemble_file(tmp_path / "vote", data, nets)
    (model,) = open_models([tmp_path / "vote"], held_out)
    assert [text for text in model.warnings if "another preparation of drawn cells" in text] == [
        "vote: it was trained on another preparation of drawn cells; what it saw of it is not known"
    ]


def test_an_ensemble_of_another_data_set_is_no_leak(tmp_path, data, held_out):
    nets = [net(tmp_path / "nets", name) for name in "ab"]
    other = dataclasses.replace(data, manifest_sha256="0" * 64)
    ensemble_file(tmp_path / "vote", other, nets, splits=("test",))
    assert len(open_models([tmp_path / "vote"], held_out)) == 1


def trained(held_out, **training):
    own = {"manifest_sha256": held_out.data.manifest_sha256, "config": {"fold": 0}}
    return dataclasses.replace(CLASSIFIER_CARD, training={**own, **training})


def test_a_net_knows_the_splits_that_it_learnt_from_and_was_chosen_on(data, held_out):
    assert seen_before(trained(held_out), held_out) == []
    val = read_held_out(data.folder, "val")
    assert "were chosen on this split" in seen_before(trained(val), val)[0]
    assert "learnt from" in seen_before(trained(val, config={"fold": 2}), val)[0]
    train = read_held_out(data.folder, "train")
    assert "learnt from" in seen_before(trained(train), train)[0]


def test_a_net_of_another_preparation_of_the_same_source_may_know_the_samples(held_out):
    sources = ["drawn cells", "others"]
    other = trained(held_out, manifest_sha256="0" * 64, sources=sources)
    assert seen_before(other, held_out) == [
        "it was trained on another preparation of drawn cells; what it saw of it is not known"
    ]
    assert seen_before(trained(held_out, manifest_sha256="0" * 64), held_out) == []
