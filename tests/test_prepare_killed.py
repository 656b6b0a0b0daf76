"""What a run leaves that is killed or runs out of room, and what the next one makes of it."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fresh_process import environment
from tests.made_fields import all4_tree
from yolo_leuk.artifacts import sha256_of_file
from yolo_leuk.errors import OutputError
from yolo_leuk.prepare import samples
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.run import run


@pytest.fixture(scope="module")
def all4(tmp_path_factory) -> Path:
    return all4_tree(tmp_path_factory.mktemp("as downloaded") / "all4")


@pytest.fixture(scope="module")
def undisturbed(all4, tmp_path_factory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("made") / "out"
    run(PrepareConfig(sources=(all4,), folds=3, workers=1, out=out))
    return contents(out)


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of_file(path) for path in files}


def written(out: Path) -> dict[str, int]:
    """Pictures of a stage and when each was written."""
    waiting = out.parent / f".partial-{out.name}" / "waiting"
    pictures = (p for p in waiting.rglob("*.png") if not p.name.startswith(".partial-"))
    return {p.name: p.stat().st_mtime_ns for p in pictures}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("pictures", [0, 20, 50])
def test_a_run_that_was_killed_goes_on_and_makes_the_same_bytes(
    all4, undisturbed, tmp_path, pictures
):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "yolo_leuk", "prepare", all4, "--out", out, "--set", "folds=3"]
    first = subprocess.Popen(command, env=environment(tmp_path), stderr=subprocess.DEVNULL)
    while first.poll() is None and len(written(out)) < pictures + 1:
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    left = written(out)
    assert pictures < len(left) < 72, "killed in the middle"
    subprocess.run(command, env=environment(tmp_path), check=True, capture_output=True)
    assert contents(out) == undisturbed
    when = {p.name: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    kept = [name for name, time_ns in left.items() if when[name] == time_ns]
    # At most eight pictures, of two cells each, were under way in each of the workers.
    assert len(kept) >= len(left) - 2 * 8 * 2


@pytest.mark.parametrize("writes", [0, 7, 40])
def test_a_full_disk_leaves_no_half_file_and_the_next_run_goes_on(
    all4, undisturbed, tmp_path, monkeypatch, writes
):
    out, left = tmp_path / "out", [writes]
    config = PrepareConfig(sources=(all4,), folds=3, workers=1, out=out)
    write = Path.write_bytes

    def until_full(path: Path, content: bytes) -> int:
        if path.suffix == ".png":
            left[0] -= 1
        if left[0] < 0:
            write(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    with monkeypatch.context() as full:
        full.setattr(samples.Path, "write_bytes", until_full)
        with pytest.raises(OutputError, match="No space left"):
            run(config)
    assert not out.exists()
    assert len(written(out)) == writes
    run(config)
    assert contents(out) == undisturbed
