"""Whether the shipped weights are the files that their cards speak of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yolo_leuk.artifacts import read_json, sha256_of_file
from yolo_leuk.doctor.check import Check
from yolo_leuk.errors import ModelError

# As in model_card.py and pipeline.py, which need numpy; doctor must run where that is missing.
CARD_SCHEMA = "yolo-leuk/model-card/1"
PIPELINE_SCHEMA = "yolo-leuk/pipeline/1"

_REMEDY = "git checkout -- weights  (in a checkout), or install the wheel again"


def shipped_weights(folder: Path) -> list[Check]:
    """One check for the default pipeline and one for each model.

    Args:
        folder: The folder that holds ``default.json`` and, for each model, ``<name>.onnx`` with
            its card ``<name>.json``.
    """
    # Either half of a pair is enough to miss the other one.
    stems = {path.stem for path in (*folder.glob("*.onnx"), *folder.glob("*.json"))} - {"default"}
    return [_default_pipeline(folder), *(_against_card(folder, stem) for stem in sorted(stems))]


def _default_pipeline(folder: Path) -> Check:
    path = folder / "default.json"
    name = f"weights/{path.name}"
    try:
        pipeline = read_json(path, schema=PIPELINE_SCHEMA, error=ModelError)
        for role in ("detector", "classifier"):
            member = pipeline[role]
            _compare(folder / member["file"], member["sha256"])
    except (ModelError, KeyError, TypeError) as error:
        return Check(name, "fail", _told(error), _REMEDY)
    files = f"{pipeline['detector']['file']} and {pipeline['classifier']['file']}"
    return Check(name, "ok", f"names {files}, and both match")


def _against_card(folder: Path, stem: str) -> Check:
    name = f"weights/{stem}.onnx"
    try:
        card = read_json(folder / f"{stem}.json", schema=CARD_SCHEMA, error=ModelError)
        _compare(folder / f"{stem}.onnx", card["sha256"])
    except (ModelError, KeyError, TypeError) as error:
        return Check(name, "fail", _told(error), _REMEDY)
    return Check(name, "ok", f"SHA-256 {card['sha256'][:12]}… as in its card")


def _compare(path: Path, expected: Any) -> None:
    if not path.is_file():
        raise ModelError(f"{path} is missing")
    found = sha256_of_file(path)
    if found != expected:
        raise ModelError(f"{path.name}: expected SHA-256 {expected}, found {found}")


def _told(error: Exception) -> str:
    return f"expected the key {error}" if isinstance(error, KeyError) else str(error)
