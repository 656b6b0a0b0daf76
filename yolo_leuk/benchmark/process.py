"""A fresh process for every row, so that no model inherits memory or threads of another."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import Any

from yolo_leuk import errors
from yolo_leuk.benchmark.one_row import Task
from yolo_leuk.errors import ModelError


def measured_apart(task: Task) -> dict[str, Any]:
    """What :func:`yolo_leuk.benchmark.one_row.measured` finds in a new process.

    Raises:
        YoloLeukError: What was raised there.
        ModelError: The process ended without an answer.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "yolo_leuk.benchmark.one_row"],
        input=json.dumps(dataclasses.asdict(task)),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if ended.returncode != 0:
        told = ended.stderr.strip().rpartition("\n")[2] or "it said nothing"
        raise ModelError(
            f"the process that ran {task.file} at batch {task.batch} ended with "
            f"{ended.returncode}: {told}",
            hint="If it was killed, memory is short: time smaller batches (--set batches=[1,8]).",
        )
    found: dict[str, Any] = json.loads(ended.stdout)
    if "error" in found:
        raise getattr(errors, found["error"])(found["message"], hint=found["hint"])
    return found
