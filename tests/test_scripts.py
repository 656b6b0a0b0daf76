"""scripts/environment.sh: which Python is taken, when pip runs, and what is said when it cannot."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = Path(__file__).parents[1] / "scripts" / "environment.sh"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX shell")


@pytest.fixture
def checkout(tmp_path):
    """A folder with what the script reads, and with a python that only records its arguments."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "constraints.txt").write_text("numpy\n")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    write_program(tmp_path / ".venv/bin/python", 'echo "$@" >>calls')
    return tmp_path


def write_program(path: Path, body: str) -> Path:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def run(checkout: Path, commands: str, **environment: str) -> subprocess.CompletedProcess[str]:
    shell = shutil.which("sh")
    assert shell is not None
    return subprocess.run(
        [shell, "-euc", f". {ENVIRONMENT}\n{commands}"],
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def calls(checkout: Path) -> int:
    path = checkout / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_pip_runs_once_and_then_the_stamp_speaks_for_it(checkout):
    assert run(checkout, "install base -e .; install base -e .").returncode == 0
    assert run(checkout, "install base -e .").returncode == 0
    assert calls(checkout) == 1


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt"])
def test_pip_runs_again_when_what_it_reads_has_changed(checkout, file):
    run(checkout, "install base -e .")
    (checkout / file).write_text("changed\n")
    run(checkout, "install base -e .")
    assert calls(checkout) == 2


def test_what_the_tests_add_leaves_the_stamp_of_the_demo_alone(checkout):
    run(checkout, "install base -e .; install test -e .[dev]; install base -e .")
    assert calls(checkout) == 2


def test_a_pip_that_fails_ends_the_script_and_leaves_no_stamp(checkout):
    write_program(checkout / ".venv/bin/python", "exit 1")
    ended = run(checkout, "install base -e .; echo went on")
    assert ended.returncode != 0
    assert "went on" not in ended.stdout
    assert not (checkout / ".venv/installed-base").exists()


def test_an_environment_that_starts_is_kept(checkout):
    assert run(checkout, "make_venv", PYTHON="/nowhere/python").returncode == 0


def test_without_any_python_the_message_says_what_is_needed(checkout):
    (checkout / ".venv/bin/python").unlink()
    ended = run(checkout, "make_venv", PYTHON="/nowhere/python")
    assert ended.returncode == 1
    assert "Python 3.10 or newer is needed; found: none." in ended.stderr


def test_a_python_that_is_too_old_is_named_with_its_version(checkout):
    (checkout / ".venv/bin/python").unlink()
    body = '[ "$1" = --version ] && echo "Python 3.9.6" && exit\nexit 1'
    old = write_program(checkout / "old", body)
    ended = run(checkout, "make_venv", PYTHON=str(old))
    assert ended.returncode == 1
    assert "found: Python 3.9.6." in ended.stderr


def test_a_python_without_venv_is_named_with_the_package_that_brings_it(checkout):
    (checkout / ".venv/bin/python").unlink()
    bare = write_program(checkout / "bare", "case $2 in *venv*) exit 1 ;; esac")
    ended = run(checkout, "make_venv", PYTHON=str(bare))
    assert ended.returncode == 1
    assert "has no venv" in ended.stderr
    assert "python3-venv" in ended.stderr


@pytest.mark.slow
def test_an_environment_whose_python_has_gone_is_made_anew(checkout):
    (checkout / ".venv/bin/python").unlink()
    (checkout / ".venv/bin/python").symlink_to("/nowhere/python")
    ended = run(checkout, 'make_venv; "$python" -m pip --version', PYTHON=sys.executable)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("pip ")
