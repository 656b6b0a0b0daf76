"""A folder to copy to a Jetson: graphs, what builds engines of them there, and what installs it.

The texts lie in ``bundle/``; here they are filled in.
"""

from __future__ import annotations

import dataclasses
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yolo_leuk import __version__, artifacts, model_file, shipped
from yolo_leuk.errors import UsageError
from yolo_leuk.export import operators
from yolo_leuk.export.own_wheel import write_own_wheel
from yolo_leuk.export.profile import profile_of
from yolo_leuk.export.uint8_input import cast_first
from yolo_leuk.model_card import ModelCard, write_card

if TYPE_CHECKING:
    from yolo_leuk.export.config import ExportConfig
    from yolo_leuk.export.exported import Exported

CHECKSUMS = "SHA256SUMS"
PICTURE = "smear.jpg"

_TEXTS = Path(__file__).parent / "bundle"


def check(config: ExportConfig) -> None:
    """Raise UsageError for a single net: the device looks at fields, which needs two."""
    if model_file.model_file(config.model).kind in {"net", "checkpoint"}:
        raise UsageError(
            f"a bundle finds cells and says what they are; {config.model} is a single net",
            hint="Name a pipeline (weights/default.json) or an ensemble.",
        )


def write(parts: Sequence[Exported], folder: Path, config: ExportConfig) -> list[Exported]:
    """Add to the graphs of a pipeline what a Jetson needs; returns the graphs.

    Args:
        parts: The graphs.
        folder: Where they and their pipeline file lie, and where the rest goes.
        config: ``max_batch`` and ``workspace_mib`` are used.

    Raises:
        ExportError: TensorRT's parser would refuse a graph; or this package is not installed, so
            that no wheel of it can be packed.
        OutputError: The folder cannot be written.
    """
    import onnx

    for part in parts:
        operators.check(cast_first(onnx.load(str(part.path))), part.path.name)
    parts = [_marked(part) for part in parts]
    wheel = write_own_wheel(folder)
    shutil.copyfile(shipped.samples_folder() / PICTURE, folder / PICTURE)
    values = {
        "WORKSPACE_MIB": str(config.workspace_mib),
        "BUILDS": "\n".join(_build_line(part, config.max_batch) for part in parts),
        "NETS": "\n".join(_described(part) for part in parts),
        "VERSION": __version__,
        "CHECKSUMS": CHECKSUMS,
        "PICTURE": PICTURE,
        "WHEEL": wheel.name,
    }
    for text in sorted(_TEXTS.iterdir()):
        _write_filled(text, folder / text.name, values)
    _write_checksums(folder)
    return parts


def _marked(part: Exported) -> Exported:
    """A graph whose card says that nobody has seen it on a device; the engines' cards will tell."""
    export = {**part.card.export, "device": "never run on a device"}
    card = dataclasses.replace(part.card, export=export)
    write_card(part.path.with_suffix(".json"), card)
    return dataclasses.replace(part, card=card)


def _build_line(part: Exported, max_batch: int) -> str:
    """A call of build_engines.sh's function, with the sizes as options of trtexec."""
    options = profile_of(part.card, max_batch).trtexec_options()
    return shlex.join(["build", part.path.stem, *options])


def _described(part: Exported) -> str:
    """A line of the README on a net."""
    card, mib = part.card, part.path.stat().st_size / 2**20
    return f"- `{part.path.name}`: {part.role}, {_made_of(card)}, {card.precision}, {mib:.1f} MiB"


def _made_of(card: ModelCard) -> str:
    return " + ".join(member.architecture for member in card.members) or card.architecture


def _write_filled(text: Path, path: Path, values: dict[str, str]) -> None:
    content = text.read_text(encoding="utf-8")
    for name, value in values.items():
        content = content.replace(f"@{name}@", value)
    artifacts.write_text(path, content)
    if path.suffix == ".sh":
        path.chmod(path.stat().st_mode | 0o111)


def _write_checksums(folder: Path) -> None:
    """Of all files, as ``sha256sum --check`` reads them."""
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    lines = [f"{artifacts.sha256_of_file(folder / name)}  {name}\n" for name in names]
    artifacts.write_text(folder / CHECKSUMS, "".join(lines))
