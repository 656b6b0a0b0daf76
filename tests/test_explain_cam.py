"""What is seen inside of a net: on one whose answer can be worked out, and on real checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_explain import NUCLEUS, cell_picture
from tests.warm_process import warm_python

pytestmark = pytest.mark.slow

# --- a net of one convolution, whose answer is the mean of its map -------------------------------

_MADE = """
import json
import cv2
import numpy as np
import torch
from scipy.stats import spearmanr
from types import SimpleNamespace
from tests.made_explain import CARD, GLASS, NUCLEUS, SIDE
from yolo_leuk.errors import YoloLeukError
from yolo_leuk.explain.activations import activations_of
from yolo_leuk.explain.cam import activation_heat, activation_map, chosen_layers
from yolo_leuk.explain.inside import Inside, as_tensor
from yolo_leuk.explain.occlusion import occlusion_map

def net(seed):
    # Glass, and all that is lighter, is nothing to it; each channel sees the lack of other colours.
    torch.manual_seed(seed)
    layers = [torch.nn.Conv2d(3, 8, 4, 4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
              torch.nn.Flatten(), torch.nn.Linear(8, 3)]
    with torch.no_grad():
        lack = torch.rand(8, 3, 1, 1).expand(8, 3, 4, 4)
        layers[0].weight.copy_(-lack)
        layers[0].bias.copy_((lack[..., 0, 0] * 16 * torch.tensor(GLASS) / 255).sum(dim=1))
    return SimpleNamespace(model=torch.nn.Sequential(*layers))

told = {}
made = net(0)
inside = Inside(made, "made", 0.5, SIDE)
picture = np.full((SIDE, SIDE, 3), GLASS, np.uint8)
picture[4:16, 12:24] = NUCLEUS
picture[20:28, 2:8] = (200, 40, 40)
told["layers"] = [[one.name, one.kind, one.channels, *one.places_wh] for one in inside.layers]
told["deepest"] = [inside.deepest_layer(least).name for least in (1, 6, 99)]
told["auto"] = [layer.name for layer in chosen_layers(inside, "auto")]
told["named"] = [inside.layer(wanted).name for wanted in ("1", 1, "-1", -3)]
errors = []
for wanted in ("3", "conv", -4):
    try:
        inside.layer(wanted)
    except YoloLeukError as error:
        errors.append([type(error).__name__, str(error), error.hint])
told["errors"] = errors

# By hand: the map of the last layer before the mean, by the weights of the class, less what its
# change does to the others.
def evidence(logits, c):
    others = torch.cat([logits[:, :c], logits[:, c + 1:]], dim=1)
    return logits[:, c] - torch.logsumexp(others, dim=1)

images = as_tensor(picture[None])
with torch.no_grad():
    answer = made.model(images.permute(0, 3, 1, 2).float() / 255) / 0.5
    told["log odds"] = float((inside.module(images)[:, 1] - evidence(answer, 1)).abs().max())
maps = made.model[1](made.model[0](images.permute(0, 3, 1, 2).float() / 255)).detach()
maps.requires_grad_()
logits = made.model[4](maps.mean(dim=(2, 3))) / 0.5
gradient, = torch.autograd.grad(evidence(logits, 1)[0], maps)
by_hand = (gradient * maps).sum(dim=1)[0].detach().numpy()
found = activation_map(inside, inside.layer(1), picture, 1)
between = cv2.resize(by_hand * (64 / 36), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
told["places"] = float(np.abs(found - between).max() / np.abs(between).max())
heat = activation_heat(inside, [inside.layer(0), inside.layer(1)], picture, 1)
both_layers = [activation_map(inside, inside.layer(number), picture, 1) for number in (0, 1)]
told["mean"] = float(np.abs(heat - np.maximum(both_layers, 0).mean(axis=0)).max())
told["sum"] = float(abs(by_hand.sum() - (gradient.mean(dim=(2, 3)) * maps.sum(dim=(2, 3))).sum()))

def agreement(one, other):
    return float(spearmanr(one.ravel(), other.ravel())[0])

def both(made):
    inside = Inside(made, "made", 0.5, SIDE)
    def ask(batch):
        with torch.no_grad():
            return inside.module(as_tensor(batch))[:, 1].numpy()[None].astype(float)
    (layer,) = chosen_layers(inside, "auto")
    return (activation_map(inside, layer, picture, 1),
            occlusion_map(ask, picture, GLASS, (1 / 4, 1 / 8), 64)[0])

cam, occlusion = both(made)
told["agree"] = agreement(cam, occlusion)
with torch.no_grad():
    made.model[4].weight.neg_()
told["the other way round"] = agreement(cam, both(made)[0])
drawn = activations_of(inside, inside.layer(0), picture)
told["mosaic"] = [drawn.drawn, *drawn.mosaic.shape, *map(int, np.quantile(drawn.mosaic, [0, 1]))]
told["even"] = int(activations_of(inside, inside.layer(2), picture).mosaic[:96, :96].max())
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What is found in a made net, beside what it should be."""
    ended = warm_python("-c", _MADE, folder=tmp_path_factory.mktemp("made"))
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_layers_that_answer_with_a_map_are_known_by_name_and_size(told):
    assert told["layers"] == [
        ["0", "Conv2d", 8, 8, 8], ["1", "ReLU", 8, 8, 8], ["2", "AdaptiveAvgPool2d", 8, 1, 1],
    ]  # fmt: skip


def test_the_deepest_layer_with_enough_places_is_taken_or_else_the_one_with_most(told):
    assert told["deepest"] == ["2", "1", "1"]
    assert told["auto"] == ["1"]


def test_of_several_layers_the_mean_of_what_speaks_for_the_class_is_taken(told):
    assert told["mean"] < 1e-6


def test_a_layer_is_found_by_name_by_number_and_from_the_end(told):
    assert told["named"] == ["1", "1", "2", "0"]


def test_a_layer_that_answers_with_no_map_is_refused_and_the_others_are_listed(told):
    assert [kind for kind, _, _ in told["errors"]] == ["ConfigError"] * 3
    _, message, hint = told["errors"][0]
    assert message == "made has no layer '3' that answers with a map"
    assert hint == "Known are 0 (Conv2d), 1 (ReLU), 2 (AdaptiveAvgPool2d)."


def test_what_is_explained_are_the_log_odds_at_the_temperature_of_the_card(told):
    assert told["log odds"] < 1e-4


def test_each_place_has_what_it_adds_by_hand(told):
    assert told["places"] < 1e-4


def test_before_the_mean_it_is_grad_cam(told):
    assert told["sum"] < 1e-4


def test_looking_inside_and_covering_agree_on_where_a_net_looks(told):
    assert told["agree"] > 0.7


def test_a_net_that_weighs_the_other_way_round_has_its_heat_elsewhere(told):
    assert told["the other way round"] < -0.7


def test_activations_are_tiles_from_black_to_white(told):
    assert told["mosaic"] == [8, 3 * 98 - 2, 3 * 98 - 2, 3, 0, 255]


def test_a_channel_that_answers_the_same_everywhere_is_black(told):
    assert told["even"] == 0


# --- checkpoints, as train leaves them -----------------------------------------------------------

_RUNS = """
import dataclasses
from pathlib import Path
import numpy as np
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
import torch
from ultralytics.nn.tasks import ClassificationModel
from tests.made_explain import CARD, ensemble
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.model_card import FeatureStatistics
from yolo_leuk.onnx_graph import export_classifier

features = FeatureStatistics(np.zeros((5, 4)), np.eye(4), farthest=1e9)
nets = []
for seed, (name, file) in enumerate((("v8n", "yolov8n"), ("v11n", "yolo11n"))):
    torch.manual_seed(seed)
    net = ClassificationModel(f"{file}-cls.yaml", nc=5, verbose=False)
    weights = Path("runs", "train", name, "weights")
    weights.mkdir(parents=True)
    torch.save({"model": net}, weights / "best.pt")
    card = dataclasses.replace(
        CARD, name="best", architecture=name, input_px=64, features=features,
        training={"checkpoint_sha256": sha256_of_file(weights / "best.pt")},
    )
    projection = np.random.default_rng(seed).normal(size=(4, 1280)).astype(np.float32)
    export_classifier(net.eval(), projection, weights / "best.onnx", card)
    copy = Path("members", f"{name}.onnx")
    copy.parent.mkdir(exist_ok=True)
    for suffix in (".onnx", ".json"):
        copy.with_suffix(suffix).write_bytes((weights / "best").with_suffix(suffix).read_bytes())
    nets.append(copy)
ensemble(Path("runs", "ensemble", "both"), nets, [0.5, 0.5])
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with two runs, an ensemble of them, and a picture."""
    folder = tmp_path_factory.mktemp("desk")
    ended = warm_python("-c", _RUNS, folder=folder)
    assert ended.returncode == 0, ended.stderr
    cell_picture(folder / "cell.png")
    return folder


@pytest.fixture(scope="module")
def explain(desk):
    """Run the command on the desk."""

    def call(*arguments):
        return warm_python("-m", "yolo_leuk", "explain", *arguments, folder=desk)

    return call


def read(folder: Path) -> dict:
    return json.loads((folder / "cell" / "explanation.json").read_text(encoding="utf-8"))


def test_of_a_run_the_checkpoint_is_looked_into_and_this_is_said(explain, desk):
    ended = explain("runs/train/v11n", "cell.png", "--as", "cell", "--out", "one")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "one/report.html\n"
    assert "method cam: checkpoints are at hand" in ended.stderr
    content = read(desk / "one")
    assert (content["method"], content["settings"]) == ("cam", {"layers": {"v11n": ["4", "2"]}})
    assert [member["name"] for member in content["members"]] == ["v11n"]


def test_layers_are_drawn_one_picture_each(explain, desk):
    ended = explain(
        "runs/train/v8n", "cell.png", "--as", "cell", "--layers", "0,4,-1", "--out", "layers",
        "--method", "occlusion",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    names = {file.name for file in (desk / "layers" / "cell").glob("activations-*")}
    assert names == {"activations-0.png", "activations-4.png", "activations-8.png"}
    drawn = cv2.imread(str(desk / "layers" / "cell" / "activations-0.png"))
    assert drawn.shape == (4 * 98 - 2, 4 * 98 - 2, 3)
    assert read(desk / "layers")["method"] == "occlusion"


def test_members_are_side_by_side_when_their_runs_are_named(explain, desk):
    runs = "checkpoints=[runs/train/v11n, runs/train/v8n]"
    ended = explain(
        "runs/ensemble/both", "cell.png", "--as", "cell", "--out", "both", "--set", runs,
        "--layers", "0",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    content = read(desk / "both")
    assert [member["name"] for member in content["members"]] == ["v8n", "v11n"]
    assert list(content["settings"]["layers"]) == ["v8n", "v11n"]
    names = {file.name for file in (desk / "both" / "cell").glob("activations-*")}
    assert names == {"activations-v8n-0.png", "activations-v11n-0.png"}


def test_without_their_runs_an_ensemble_is_explained_by_covering(explain, desk):
    ended = explain("runs/ensemble/both", "cell.png", "--as", "cell", "--out", "covered")
    assert ended.returncode == 0, ended.stderr
    assert "method occlusion: there is no checkpoint of v8n, v11n to look into" in ended.stderr
    content = read(desk / "covered")
    assert [member["name"] for member in content["members"]] == ["v8n", "v11n", "vote"]
    heat = np.load(desk / "covered" / "cell" / "heat.npz")["heat"]
    assert heat.shape == (1, 3, 64, 64)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("runs/ensemble/both", "--method", "cam"), "there is none of v8n, v11n"),
        (("members/v8n.onnx", "--layers", "3"), "there is none of v8n"),
        (("runs/train/v8n", "--layers", "99"), "v8n has no layer '99' that answers with a map"),
        (("runs/train/v8n", "--layers", "0.act"), "v8n has no layer '0.act'"),  # all share it
        (("runs/train/v8n", "--set", "cam.layer=head"), "v8n has no layer 'head'"),
        (
            ("runs/train/v8n", "--set", "checkpoints=[runs/train/v11n]"),
            "is the checkpoint of a net of SHA-256",
        ),
        (("runs/train/v8n", "--set", "checkpoints=[cell.png]"), "cell.png is no checkpoint"),
    ],
)
def test_what_cannot_be_looked_into_is_refused_before_anything_is_written(
    explain, desk, arguments, said
):
    model, *others = arguments
    ended = explain(model, "cell.png", "--as", "cell", *others, "--out", "refused")
    assert ended.returncode == 2
    assert said in ended.stderr
    assert not (desk / "refused").exists()


def test_a_checkpoint_that_its_card_does_not_speak_of_is_not_loaded(explain, desk):
    for name in ("best.pt", "best.onnx", "best.json"):
        target = desk / "changed" / "weights" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        content = (desk / "runs" / "train" / "v8n" / "weights" / name).read_bytes()
        target.write_bytes(content + b" " * name.endswith(".pt"))
    ended = explain("changed", "cell.png", "--as", "cell")
    assert ended.returncode == 4
    assert "its card says" in ended.stderr


def test_cells_are_drawn_in_the_colours_of_the_scale(explain, desk):
    explain("runs/train/v8n", "cell.png", "--as", "cell", "--out", "drawn")
    drawn = cv2.cvtColor(cv2.imread(str(desk / "drawn" / "cell" / "heat.png")), cv2.COLOR_BGR2RGB)
    assert (np.abs(drawn.astype(int) - NUCLEUS).max(axis=2) < 12).any()  # the picture as it is
    yellow = (drawn[..., 0] > 180) & (drawn[..., 1] > 160) & (drawn[..., 2] < 110)
    assert yellow.any()
