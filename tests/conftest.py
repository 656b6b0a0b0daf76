"""What tests share: the command in this process, and where real data lies, when there is any."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from yolo_leuk.cli.main import main

# A busy machine is slow, not wrong; and the same run twice gives the same answer.
settings.register_profile("yolo-leuk", deadline=None, derandomize=True)
settings.load_profile("yolo-leuk")

_PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that ask for it are skipped where there is none."""
    folder = Path(os.environ.get("YOLO_LEUK_DATA") or _PROJECT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; YOLO_LEUK_DATA may name another folder")
    return folder


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code, and what it printed where."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(monkeypatch, capsys):
    """Run ``yolo-leuk`` with arguments, in this process."""

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["yolo-leuk", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Ended(ended.value.code or 0, captured.out, captured.err)

    return run
