"""The graph of an ensemble says what the vote in Python says of its members."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests.made_members import card_of
from tests.made_onnx import classifier_file
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.backends.net import open_net
from yolo_leuk.ensemble_file import Ensemble, Member, SearchedOn, read_ensemble, write_ensemble
from yolo_leuk.ensemble_graph import merged, write_vote
from yolo_leuk.errors import CardError, ExportError
from yolo_leuk.labels import MATURITY
from yolo_leuk.net_file import card_of as card_of_net

TOLERANCE = 1e-5
CROPS = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)


def nets(folder: Path, weights) -> list[Path]:
    """Nets whose logits are the mean colour by these weights, each (3, 5)."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"net{number}.onnx" for number in range(len(weights))]
    for path, own in zip(paths, weights, strict=True):
        classifier_file(path, card_of(path.stem), np.asarray(own, np.float32))
    return paths


def ensemble_of(paths, shares, temperatures, temperature=1.0, **changes) -> Ensemble:
    members = tuple(
        Member(path.stem, "made", share, own, path, sha256_of_file(path))
        for path, share, own in zip(paths, shares, temperatures, strict=True)
    )
    searched = SearchedOn("ab" * 32, ("val",), (0,), 10, 5)
    about = {"thresholds": {"unidentified": 0.3}, "searched_on": searched, **changes}
    return Ensemble("made", MATURITY, members, temperature, **about)


def written(folder: Path, ensemble: Ensemble) -> Ensemble:
    return write_vote(folder, write_ensemble(folder, ensemble))


@pytest.fixture
def three(tmp_path):
    """An ensemble of three nets with its graph."""
    weights = np.random.default_rng(1).normal(0, 0.05, (3, 3, 5))
    paths = nets(tmp_path / "nets", weights)
    return written(tmp_path / "vote", ensemble_of(paths, [0.5, 0.3, 0.2], [1.3, 0.7, 2.0], 1.4))


def logits(ensemble: Ensemble, crops=CROPS) -> np.ndarray:
    return np.stack([open_net(path).run(crops)["logits"] for path in ensemble.nets])


# --- what it says --------------------------------------------------------------------------------


def vectors(count: int):
    return st.lists(st.floats(0, 1), min_size=count, max_size=count).filter(lambda v: sum(v) > 1e-3)


@settings(max_examples=25)
@given(
    members=st.integers(1, 4),
    temperature=st.floats(0.05, 20),
    seed=st.integers(0, 2**16),
    spread=st.floats(0.0, 0.5),
    data=st.data(),
)
def test_it_says_what_the_vote_of_the_members_logits_is(
    tmp_path_factory, members, temperature, seed, spread, data
):
    folder = tmp_path_factory.mktemp("vote")
    shares = np.array(data.draw(vectors(members)))
    temperatures = data.draw(st.lists(st.floats(0.05, 20), min_size=members, max_size=members))
    weights = np.random.default_rng(seed).normal(0, spread, (members, 3, 5))
    whole = ensemble_of(
        nets(folder / "nets", weights), shares / shares.sum(), temperatures, temperature
    )
    made = written(folder / "vote", whole)
    found = open_net(folder / "vote").run(CROPS)["probabilities"]
    np.testing.assert_allclose(found, made.probabilities(logits(made)), atol=TOLERANCE)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=TOLERANCE)


def test_it_gives_each_members_probabilities_and_features_in_their_order(three):
    net = open_net(three.graph.parent)
    found = net.run(CROPS)
    assert found["member_probabilities"].shape == (5, 3, 5)
    assert found["features"].shape == (5, 9)
    for number, (member, path) in enumerate(zip(three.members, three.nets, strict=True)):
        alone = open_net(path).run(CROPS)
        np.testing.assert_array_equal(found["features"][:, 3 * number :][:, :3], alone["features"])
        scaled = np.exp(alone["logits"].astype(np.float64) / member.temperature)
        np.testing.assert_allclose(
            found["member_probabilities"][:, number],
            scaled / scaled.sum(axis=1, keepdims=True),
            atol=TOLERANCE,
        )


@pytest.mark.parametrize("count", [1, 17])
def test_batches_of_any_number_are_understood(three, count):
    crops = np.repeat(CROPS[:1], count, axis=0)
    assert open_net(three.graph.parent).run(crops)["probabilities"].shape == (count, 5)


# --- what it is made of --------------------------------------------------------------------------


def test_what_the_members_do_alike_is_done_once(three):
    alone = [node.op_type for node in onnx.load(three.nets[0]).graph.node]
    together = [node.op_type for node in onnx.load(three.graph).graph.node]
    assert [alone.count("Cast"), alone.count("ReduceMean"), alone.count("MatMul")] == [1, 1, 1]
    assert [together.count("Cast"), together.count("ReduceMean")] == [1, 1]
    assert together.count("MatMul") == 3


def test_it_is_a_valid_graph_with_one_input_and_three_outputs(three):
    model = onnx.load(three.graph)
    onnx.checker.check_model(model, full_check=True)
    assert [one.name for one in model.graph.input] == ["images"]
    outputs = [one.name for one in model.graph.output]
    assert outputs == ["probabilities", "member_probabilities", "features"]


def test_its_card_holds_the_members_and_lies_inside_it_too(three):
    beside = card_of_net(three.graph)
    three.graph.with_suffix(".json").unlink()
    inside = card_of_net(three.graph)
    assert inside.to_json() == beside.to_json()
    found = [(m.name, m.sha256, m.weight, m.temperature) for m in inside.members]
    assert found == [(m.name, m.sha256, m.weight, m.temperature) for m in three.members]
    assert (inside.temperature, inside.threshold("unidentified")) == (1.4, 0.3)


def test_the_same_members_make_the_same_bytes(three):
    graphs = [path.read_bytes() for path in three.nets]
    card = card_of_net(three.graph)
    assert merged(graphs, card) == merged(graphs, card)


def test_a_member_that_is_called_vote_does_not_get_lost(tmp_path):
    (one, other) = nets(tmp_path, np.zeros((2, 3, 5)))
    other = other.rename(other.with_name("vote.onnx"))
    (tmp_path / "net1.json").rename(tmp_path / "vote.json")
    made = written(tmp_path / "out", ensemble_of([one, other], [0.5, 0.5], [1, 1]))
    assert made.graph.name == "vote-2.onnx"
    assert open_net(tmp_path / "out").run(CROPS)


# --- what is refused -----------------------------------------------------------------------------


def test_a_member_without_feature_statistics_is_refused_by_name(tmp_path):
    paths = nets(tmp_path, np.zeros((2, 3, 5)))
    classifier_file(paths[1], card_of("net1", features=None))
    with pytest.raises(CardError, match="the card of net1 has no feature statistics"):
        written(tmp_path / "out", ensemble_of(paths, [0.5, 0.5], [1, 1]))


def test_nets_of_several_opsets_are_refused(three):
    graphs = [path.read_bytes() for path in three.nets]
    newer = onnx.load_model_from_string(graphs[1])
    newer.opset_import[0].version = 13
    graphs[1] = newer.SerializeToString()
    with pytest.raises(ExportError, match=r"opset 17, found ai\.onnx 13, ai\.onnx 17"):
        merged(graphs, card_of_net(three.graph))


def test_a_net_that_takes_something_else_than_pictures_is_refused(three):
    graphs = [path.read_bytes() for path in three.nets]
    other = onnx.load_model_from_string(graphs[2])
    other.graph.input.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["n"]))
    graphs[2] = other.SerializeToString()
    with pytest.raises(ExportError, match="one input images, found images, mask"):
        merged(graphs, card_of_net(three.graph))


def test_a_net_that_is_no_onnx_file_is_refused(three):
    graphs = [path.read_bytes() for path in three.nets]
    with pytest.raises(ExportError, match="cannot be put into one graph"):
        merged([*graphs[:2], b"\xff" * 40], card_of_net(three.graph))


@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": 2.0},
        {"thresholds": {"unidentified": 0.4}},
        {"members": "swapped"},
    ],
)
def test_a_graph_that_votes_otherwise_than_the_ensemble_says_is_refused(three, changes):
    file = three.graph.parent / "ensemble.json"
    if changes == {"members": "swapped"}:
        first, second, third = three.members
        changes = {
            "members": (
                dataclasses.replace(first, weight=second.weight),
                dataclasses.replace(second, weight=first.weight),
                third,
            )
        }
    edited = dataclasses.replace(three, **changes)
    file.write_text(json.dumps(edited.to_json()), encoding="utf-8")
    with pytest.raises(CardError, match="is not the graph of the ensemble made"):
        open_net(file)


def test_an_ensemble_without_a_graph_cannot_be_run_and_says_how_to_get_one(tmp_path):
    paths = nets(tmp_path, np.zeros((2, 3, 5)))
    write_ensemble(tmp_path / "out", ensemble_of(paths, [0.5, 0.5], [1, 1]))
    assert read_ensemble(tmp_path / "out").graph is None
    with pytest.raises(CardError, match="no graph") as caught:
        open_net(tmp_path / "out")
    assert "yolo-leuk ensemble" in caught.value.hint
