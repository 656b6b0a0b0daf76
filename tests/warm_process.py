"""``fresh_process.python`` for what needs torch, without the seconds that importing it takes.

One process has imported it, done nothing with it, and forks for every command. A test of what
happens while it is imported needs a fresh process.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fresh_process import environment, python


def warm_python(
    *arguments: object, folder: Path, **changes: str
) -> subprocess.CompletedProcess[str]:
    """As :func:`tests.fresh_process.python`."""
    if sys.platform != "linux":  # elsewhere, libraries may not survive a fork
        return python(*arguments, folder=folder, **changes)
    command = [*map(str, arguments)]
    with tempfile.TemporaryDirectory() as printed:
        files = {name: Path(printed, name) for name in ("stdout", "stderr")}
        request = {
            "arguments": command,
            "folder": str(folder),
            "environment": environment(folder, **changes),
            **{name: str(file) for name, file in files.items()},
        }
        code = _answer(json.dumps(request))
        told = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    return subprocess.CompletedProcess(command, code, **told)


def _answer(request: str) -> int:
    process = _server()
    process.stdin.write(f"{request}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, "the process that forks has ended; what it said stands above"
    return int(answer)


@functools.cache
def _server() -> subprocess.Popen[str]:
    """The process that forks; it ends when its standard input does, with this one."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.warm_server"],
        env=environment(Path(_home().name)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@functools.cache
def _home() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()
