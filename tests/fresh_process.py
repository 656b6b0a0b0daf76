"""Python in a process of its own, in a home of its own, and what it tries to reach."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# What a user may have set, or this process by importing something.
_CLEARED = ("OMP_", "ORT_", "ULTRALYTICS_", "XDG_", "YOLO_")

# Runs at the start of every interpreter that finds it, and stays in the processes that it forks.
_RECORDER = """
import os, socket, sys

_REACHING = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}

def _note(event, arguments):
    if event not in _REACHING:
        return
    # Processes of one machine talk by sockets too; those have no address to reach.
    if isinstance(arguments[0], socket.socket) and arguments[0].family == socket.AF_UNIX:
        return
    with open(os.environ["ATTEMPTS"], "a", encoding="utf-8") as stream:
        stream.write(f"{os.getpid()} {event} {arguments!r}\\n")

sys.addaudithook(_note)
"""


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """The environment of a process whose home is ``folder/home``."""
    (folder / "home").mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_CLEARED)}
    return {**kept, "HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), **changes}


def recording(folder: Path) -> dict[str, str]:
    """Changes to an environment that note each attempt to reach something in ``attempts.txt``."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_RECORDER, encoding="utf-8")
    return {
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "ATTEMPTS": str(folder / "attempts.txt"),
    }


def attempts(folder: Path) -> list[str]:
    """What was noted so far."""
    noted = folder / "attempts.txt"
    return noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []


def python(*arguments: object, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run Python to its end with ``folder`` as the current folder."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=folder,
        env=environment(folder, **changes),
        capture_output=True,
        text=True,
        check=False,
    )
