"""On the device, when trtexec has built its engines: their cards, their pipeline, their parity.

``build_engines.sh`` of a bundle calls this as a module; it needs neither onnx nor torch.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from yolo_leuk.backends.net import open_net
from yolo_leuk.errors import ExportError, YoloLeukError
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.engine_card import engine_path, write_engine_card
from yolo_leuk.export.engine_pipeline import write_engine_pipeline
from yolo_leuk.export.exported import Exported, Role
from yolo_leuk.export.parity import Parity, compare
from yolo_leuk.export.parity_inputs import inputs
from yolo_leuk.model_card import write_card
from yolo_leuk.model_file import PIPELINE_FILE
from yolo_leuk.pipeline import read_pipeline_file

BUILD_COMMAND = "./build_engines.sh --again, in the folder that was copied here"


def finish(graphs: Path, engines: Path) -> list[Parity]:
    """Write cards and ``pipeline.json`` for the engines of a pipeline, and compare each.

    Args:
        graphs: A folder with ``pipeline.json`` and the ONNX files that it names.
        engines: The folder of the engines, ``<stem>-trt.engine``.

    Raises:
        ExportError: An engine is missing, or answers differently from its graph.
        ModelError: A file is missing or damaged, or there is no GPU.
    """
    pipeline = read_pipeline_file(graphs / PIPELINE_FILE)
    done = [
        _finished("detector", pipeline.detector, engines),
        _finished("classifier", pipeline.classifier, engines),
    ]
    write_engine_pipeline(pipeline.path, engines / PIPELINE_FILE, [engine for engine, _ in done])
    return [compared for _, compared in done]


def _finished(role: Role, graph: Path, engines: Path) -> tuple[Exported, Parity]:
    """An engine with its card, compared with its graph."""
    path = engines / engine_path(graph).name
    if not path.is_file():
        raise ExportError(f"there is no engine {path}", hint=f"Build it: {BUILD_COMMAND}")
    reference = open_net(graph)
    card = write_engine_card(path, graph, reference.card, command=BUILD_COMMAND)
    pictures = inputs(reference.card, ExportConfig(model=graph))
    compared = compare(reference, open_net(path), pictures, precision=card.precision)
    if not compared.is_within:  # then nobody is to run it by mistake
        path.unlink()
        path.with_suffix(".json").unlink()
    compared.check(path.name)
    card = dataclasses.replace(card, export={**card.export, "parity": compared.to_json()})
    write_card(path.with_suffix(".json"), card)
    return Exported(role, path, card), compared


def main(arguments: Sequence[str] | None = None) -> None:
    """``python -m yolo_leuk.export.on_device GRAPHS ENGINES``."""
    parser = argparse.ArgumentParser(description=finish.__doc__)
    parser.add_argument("graphs", type=Path)
    parser.add_argument("engines", type=Path)
    folders = parser.parse_args(arguments)
    try:
        for compared in finish(folders.graphs, folders.engines):
            sys.stdout.write(f"{compared.to_json()}\n")
    except YoloLeukError as error:
        sys.stderr.write(f"error: {error}\n{error.hint}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
