"""What a path on the command line stands for."""

from __future__ import annotations

import json

import pytest

from yolo_leuk.errors import CardError, ModelError, UsageError
from yolo_leuk.model_file import ModelFile, model_file


def put(path, content: bytes = b""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_json(path, schema: str):
    return put(path, json.dumps({"schema": schema}).encode())


@pytest.mark.parametrize("suffix", [".onnx", ".ONNX", ".engine"])
def test_a_net_is_known_by_its_suffix(tmp_path, suffix):
    net = put(tmp_path / f"net{suffix}")
    assert model_file(net) == ModelFile(net, "net")


@pytest.mark.parametrize("kind", ["pipeline", "ensemble"])
def test_a_json_file_is_known_by_its_schema(tmp_path, kind):
    file = put_json(tmp_path / "any.json", f"yolo-leuk/{kind}/1")
    assert model_file(file) == ModelFile(file, kind)


@pytest.mark.parametrize(
    ("inside", "kind"),
    [("pipeline.json", "pipeline"), ("ensemble.json", "ensemble"), ("weights/best.onnx", "net")],
)
def test_a_folder_stands_for_what_is_in_it(tmp_path, inside, kind):
    file = put_json(tmp_path / inside, f"yolo-leuk/{kind}/1")
    assert model_file(tmp_path) == ModelFile(file, kind)


def test_a_checkpoint_stands_for_the_net_beside_it_unless_it_is_preferred(tmp_path):
    checkpoint, net = put(tmp_path / "weights" / "best.pt"), put(tmp_path / "weights" / "best.onnx")
    for named in (checkpoint, tmp_path):
        assert model_file(named) == ModelFile(net, "net")
        assert model_file(named, prefer_checkpoint=True) == ModelFile(checkpoint, "checkpoint")
    net.unlink()
    assert model_file(checkpoint) == ModelFile(checkpoint, "checkpoint")


def test_a_folder_with_nothing_of_the_kind_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no ensemble\.json and no pipeline\.json"):
        model_file(tmp_path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"there is no model .*gone\.onnx"):
        model_file(tmp_path / "gone.onnx")


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"picture\.png: expected a net"):
        model_file(put(tmp_path / "picture.png"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is not a JSON file"),
        (b"[]", "found None"),
        (b'{"schema": "yolo-leuk/model-card/1"}', "found 'yolo-leuk/model-card/1'"),
    ],
)
def test_a_json_file_that_is_no_model_is_refused(tmp_path, content, told):
    with pytest.raises(CardError, match=told):
        model_file(put(tmp_path / "any.json", content))
