"""The process behind ``warm_process``: imports what a training needs, then forks for each request.

A request is a line of JSON on standard input; its answer is a line with the exit code.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import runpy
import sys
from pathlib import Path
from typing import Any

from yolo_leuk.backends import ultralytics

_NEEDED = (
    *("albumentations", "matplotlib.figure", "onnxruntime", "onnxslim"),
    *("ultralytics.engine.trainer", "yolo_leuk.cli.main", "yolo_leuk.train.all_folds"),
    *("yolo_leuk.train.classify_trainer", "yolo_leuk.train.finish_classifier"),
    *("yolo_leuk.train.detect_trainer", "yolo_leuk.train.finish_detector"),
)


def serve() -> None:
    ultralytics.quiet()
    for module in _NEEDED:
        importlib.import_module(module)
    fork = multiprocessing.get_context("fork")
    for line in sys.stdin:
        process = fork.Process(target=_run, args=(json.loads(line),))
        process.start()
        process.join()
        sys.stdout.write(f"{process.exitcode}\n")
        sys.stdout.flush()


def _run(request: dict[str, Any]) -> None:
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    for number, file in ((1, request["stdout"]), (2, request["stderr"])):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    match request["arguments"]:
        case ["-m", module, *others]:
            sys.argv = [module, *others]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *others]:
            sys.argv = ["-c", *others]
            exec(code, {"__name__": "__main__"})
        case [script, *others]:
            sys.argv = [script, *others]
            sys.path.insert(0, str(Path(script).parent))
            runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    serve()
