"""What a path on the command line stands for: a net, a checkpoint, an ensemble or a pipeline."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yolo_leuk import ensemble_file
from yolo_leuk.errors import CardError, ModelError, UsageError

Kind = Literal["net", "checkpoint", "ensemble", "pipeline"]

PIPELINE_SCHEMA = "yolo-leuk/pipeline/1"

PIPELINE_FILE = "pipeline.json"
"""Name of a pipeline file in the folder that ``yolo-leuk export`` writes."""

RUN_NET = Path("weights") / "best.onnx"
"""Where ``train`` leaves a net in the folder of a run."""

RUN_CHECKPOINT = RUN_NET.with_suffix(".pt")

_NET_SUFFIXES = (".onnx", ".engine")
_KINDS: dict[object, Kind] = {ensemble_file.SCHEMA: "ensemble", PIPELINE_SCHEMA: "pipeline"}


@dataclass(frozen=True)
class ModelFile:
    """A file that holds a model.

    Attributes:
        path: Of the file itself, where a folder was named.
        kind: What is in it.
    """

    path: Path
    kind: Kind


def model_file(path: Path, *, prefer_checkpoint: bool = False) -> ModelFile:
    """The file that is meant by a path, and what it is.

    Args:
        path: A file, or the folder of a run, of an ensemble or of an exported pipeline.
        prefer_checkpoint: Take the checkpoint of a run, which needs torch. Else a checkpoint
            stands for the ONNX file that ``train`` wrote beside it.

    Raises:
        UsageError: It is a folder with nothing of the kind in it, or a file of no known kind.
        ModelError: There is no such file.
        CardError: It is a JSON file of another schema.
    """
    file = _in_folder(path, prefer_checkpoint) if path.is_dir() else path
    suffix = file.suffix.lower()
    if suffix == ".pt" and not prefer_checkpoint and file.with_suffix(".onnx").is_file():
        file, suffix = file.with_suffix(".onnx"), ".onnx"
    if not file.is_file():
        raise ModelError(f"there is no model {file}", hint="Check the path.")
    if suffix == ".json":
        return ModelFile(file, _kind_of_json(file))
    if suffix == ".pt":
        return ModelFile(file, "checkpoint")
    if suffix in _NET_SUFFIXES:
        return ModelFile(file, "net")
    raise UsageError(
        f"{file}: expected a net ({', '.join(_NET_SUFFIXES)}, .pt), or a pipeline or an ensemble "
        "(.json)"
    )


def _in_folder(folder: Path, prefer_checkpoint: bool) -> Path:
    names = [Path(PIPELINE_FILE), Path(ensemble_file.FILE_NAME), RUN_NET]
    if prefer_checkpoint:
        names.insert(2, RUN_CHECKPOINT)
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise UsageError(
            f"{folder} is no folder of a run, of an ensemble or of a pipeline: it has no "
            f"{RUN_NET}, no {ensemble_file.FILE_NAME} and no {PIPELINE_FILE}",
            hint="Name a net (.onnx), or a pipeline or an ensemble (.json).",
        )
    return found


def _kind_of_json(file: Path) -> Kind:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise CardError(f"{file} is not a JSON file: {error}") from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema not in _KINDS:
        raise CardError(
            f"{file}: expected a pipeline ({PIPELINE_SCHEMA}) or an ensemble "
            f"({ensemble_file.SCHEMA}), found {schema!r}",
            hint="Of a net, name the .onnx file, not its card.",
        )
    return _KINDS[schema]


def telling_names(files: Sequence[Path], *, plain: Collection[str] = ()) -> list[str]:
    """Names of models: the shortest ends of their paths that tell them from each other.

    Args:
        files: Of the models.
        plain: Names that say nothing, as files of every folder have them, besides those of runs,
            ensembles and pipelines.

    Raises:
        UsageError: One is named twice.
    """
    parts = [_telling_parts(file.absolute(), plain) for file in files]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-length:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    raise UsageError(
        f"a model is named twice among {', '.join(map(str, files))}",
        hint="Name each model once.",
    )


def _telling_parts(file: Path, plain: Collection[str]) -> tuple[str, ...]:
    if file.parts[-2:] == RUN_NET.parts:
        return file.parts[1:-2]
    if file.name in (PIPELINE_FILE, ensemble_file.FILE_NAME, *plain):
        return file.parts[1:-1]
    return (*file.parts[1:-1], file.stem)
