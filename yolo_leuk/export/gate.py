"""The gate that every file passes: it answers as what it was made from does."""

from __future__ import annotations

import dataclasses

from yolo_leuk.backends.net import Net, open_net
from yolo_leuk.dataset import DataSet
from yolo_leuk.export import parity
from yolo_leuk.export.config import ExportConfig
from yolo_leuk.export.exported import Exported
from yolo_leuk.export.parity_inputs import inputs
from yolo_leuk.model_card import write_card
from yolo_leuk.net_file import write_net


def compared(
    written: Exported, reference: Net, config: ExportConfig, data: DataSet | None
) -> Exported:
    """Compare a file with what it was made from, and write the numbers into its card.

    Args:
        written: The file.
        reference: What it was made from.
        config: How many pictures are looked at.
        data: Of the task, level and classes of the net; None: the sample smear is looked at.

    Raises:
        ExportError: It answers otherwise.
        ModelError: It cannot be run.
    """
    found = parity.compare(
        reference,
        open_net(written.path),
        inputs(reference.card, config, data),
        precision=written.card.precision,
    )
    found.check(written.path.name)
    shown = "sample smear" if data is None else data.folder.name
    export = {**written.card.export, "parity": {**found.to_json(), "shown": shown}}
    card = dataclasses.replace(written.card, export=export)
    if written.path.suffix == ".onnx":
        card = write_net(written.path, written.path.read_bytes(), card)
    else:
        write_card(written.path.with_suffix(".json"), card)
    return dataclasses.replace(written, card=card)
