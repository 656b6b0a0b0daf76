"""Ultralytics, imported in fresh processes: what it touches, what it can do, what it will load."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from tests.fresh_process import python
from tests.warm_process import warm_python

# --- without torch -------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["torch", "ultralytics", "onnxslim"])
def test_train_says_what_to_install_where_something_is_missing(tmp_path, missing):
    ended = python(
        "-c",
        f"""
import sys
sys.modules[{missing!r}] = None  # as if it were not installed
sys.argv = ["yolo-leuk", "train"]
from yolo_leuk.cli.main import main
main()
""",
        folder=tmp_path,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"needs {missing}, which is not installed" in ended.stderr
    assert 'pip install "yolo-leuk[train]"' in ended.stderr


# --- quiet ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A process that imported Ultralytics by ``quiet``, in a home with settings of the user's."""
    folder = tmp_path_factory.mktemp("imported")
    own = folder / "own settings"
    own.mkdir()
    ended = python(
        "-c",
        """
import json, logging, os, random
from yolo_leuk.backends import ultralytics
version = ultralytics.quiet().__version__
import torch, torchvision
from torchvision.ops import nms
from ultralytics.utils import ONLINE, SETTINGS, SETTINGS_FILE
from yolo_leuk.backends.net import usable_cores

def by_hand(boxes, scores, threshold):
    kept = []
    for row in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        x1, y1, x2, y2 = boxes[row]
        for other in kept:
            a1, b1, a2, b2 = boxes[other]
            shared = max(0, min(x2, a2) - max(x1, a1)) * max(0, min(y2, b2) - max(y1, b1))
            union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - shared
            if shared / union > threshold:
                break
        else:
            kept.append(row)
    return kept

random.seed(0)
agree = []
for count in (0, 1, 5, 40, 120):
    corners = [(random.uniform(0, 60), random.uniform(0, 60)) for _ in range(count)]
    boxes = [(x, y, x + random.uniform(1, 30), y + random.uniform(1, 30)) for x, y in corners]
    scores = [random.random() for _ in range(count)]
    found = nms(torch.tensor(boxes).reshape(-1, 4), torch.tensor(scores), 0.4).tolist()
    agree.append(found == by_hand(boxes, scores, 0.4))
print(json.dumps({
    "agree": agree,
    "online": ONLINE,
    "sync": SETTINGS["sync"],
    "settings": str(SETTINGS_FILE),
    "threads": torch.get_num_threads() == usable_cores(),
    "once": ultralytics.quiet().__version__ == version,
}))
""",
        folder=folder,
        YOLO_CONFIG_DIR=str(own),
    )
    assert ended.returncode == 0, ended.stderr
    return folder, ended


@pytest.mark.slow
def test_the_users_home_and_settings_stay_as_they_were(imported):
    folder, _ = imported
    assert list((folder / "home").iterdir()) == []
    assert list((folder / "own settings").iterdir()) == []


@pytest.mark.slow
def test_its_own_settings_send_nothing_and_go_when_the_process_ends(imported):
    _, ended = imported
    told = json.loads(ended.stdout)
    assert told["sync"] is False
    assert told["online"] is False
    assert Path(told["settings"]).is_relative_to(tempfile.gettempdir())
    assert not Path(told["settings"]).parents[1].exists()


@pytest.mark.slow
def test_it_says_nothing(imported):
    _, ended = imported
    assert len(ended.stdout.splitlines()) == 1
    assert ended.stderr == ""


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [True, False])
def test_warnings_go_to_standard_error_and_on_a_terminal_the_progress_bar_too(tmp_path, terminal):
    ended = python(
        "-c",
        f"""
import contextlib, sys
sys.stderr.isatty = lambda: {terminal}
from yolo_leuk.backends import ultralytics
ultralytics.quiet()
from ultralytics.utils import LOGGER, TQDM
LOGGER.info("chatter")
LOGGER.warning("beware")
with contextlib.redirect_stdout(sys.stderr):
    for _ in TQDM(range(2), desc="bar"):
        pass
""",
        folder=tmp_path,
    )
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "beware" in ended.stderr
    assert "chatter" not in ended.stderr
    assert ("bar" in ended.stderr) == terminal


@pytest.mark.slow
def test_torch_gets_every_core_that_may_be_used(imported):
    assert json.loads(imported[1].stdout)["threads"]


@pytest.mark.slow
def test_torchvision_can_be_imported_and_its_suppression_is_that_of_the_book(imported):
    assert json.loads(imported[1].stdout)["agree"] == [True] * 5


# --- checkpoints ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """What loading each of several files came to: the error's class and text, or what was found."""
    folder = tmp_path_factory.mktemp("loaded")
    ended = warm_python(
        "-c",
        """
import json
from pathlib import Path
import torch
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.backends import ultralytics

class Foreign:
    def __reduce__(self):
        return (Path.touch, (Path("touched"),))

net = torch.nn.Sequential(torch.nn.Linear(2, 2)).half()
torch.save({"model": net, "epoch": 4}, "good.pt")
torch.save({"model": None, "ema": net, "epoch": 4}, "average.pt")
torch.save({"model": Foreign()}, "foreign.pt")
torch.save({"weights": torch.zeros(3)}, "no-net.pt")
torch.save([1, 2], "list.pt")
Path("text.pt").write_text("no checkpoint")
Path("empty.pt").write_bytes(b"")
Path("cut.pt").write_bytes(Path("good.pt").read_bytes()[:-200])
Path("net.onnx").write_bytes(Path("good.pt").read_bytes())

def outcome(load):
    try:
        return load()
    except Exception as error:
        return [type(error).__name__, str(error)]

def kind(path, **options):
    net = ultralytics.load_checkpoint(Path(path), **options)
    return [type(net).__name__, str(next(net.parameters()).dtype), net.training]

files = ("good.pt", "average.pt", "foreign.pt", "no-net.pt", "list.pt", "text.pt", "empty.pt",
         "cut.pt", "net.onnx", "nowhere.pt")
told = {name: outcome(lambda: kind(name)) for name in files}
right = sha256_of_file(Path("good.pt"))
told["right hash"] = outcome(lambda: kind("good.pt", sha256=right))
told["wrong hash"] = outcome(lambda: kind("good.pt", sha256="0" * 64))
told["trusted"] = outcome(lambda: kind("good.pt", sha256="0" * 64, trust=True))
told["epochs"] = outcome(lambda: ultralytics.epochs_done(Path("good.pt")))
told["no epochs"] = outcome(lambda: ultralytics.epochs_done(Path("no-net.pt")))
told["touched"] = Path("touched").exists()
del torch.serialization.get_unsafe_globals_in_checkpoint
told["old torch"] = outcome(lambda: kind("good.pt"))
print(json.dumps(told))
""",
        folder=folder,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["good.pt", "average.pt", "right hash", "trusted"])
def test_a_net_is_loaded_in_single_precision_and_for_use(loaded, name):
    assert loaded[name] == ["Sequential", "torch.float32", False]


@pytest.mark.slow
def test_a_checkpoint_of_another_hash_is_refused(loaded):
    kind, text = loaded["wrong hash"]
    assert kind == "HashError"
    assert "its card says 0000" in text


@pytest.mark.slow
def test_a_checkpoint_that_would_run_something_is_refused_and_runs_nothing(loaded):
    kind, text = loaded["foreign.pt"]
    assert (kind, loaded["touched"]) == ("ModelError", False)
    assert "cannot be loaded safely" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no-net.pt", "expected a checkpoint with a net in it"),
        ("list.pt", "cannot be loaded safely"),
        ("text.pt", "cannot be loaded safely"),
        ("empty.pt", "cannot be loaded safely"),
        ("cut.pt", "cannot be loaded safely"),
        ("net.onnx", "cannot be loaded safely"),
        ("nowhere.pt", "there is no checkpoint nowhere.pt"),
        ("no epochs", "found no epoch in it"),
    ],
)
def test_what_is_no_checkpoint_is_refused_by_name(loaded, name, told):
    kind, text = loaded[name]
    assert kind == "ModelError"
    assert told in text


@pytest.mark.slow
def test_the_epochs_behind_a_checkpoint_are_counted_from_one(loaded):
    assert loaded["epochs"] == 5


@pytest.mark.slow
def test_a_torch_that_cannot_load_safely_is_refused(loaded):
    kind, text = loaded["old torch"]
    assert kind == "MissingExtraError"
    assert "torch 2.6 or newer" in text
