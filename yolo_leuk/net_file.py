"""A net on disk: an ONNX file with its card inside and beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from yolo_leuk import artifacts
from yolo_leuk.embedded_card import embedded_card, with_card
from yolo_leuk.errors import CardError, HashError, ModelError
from yolo_leuk.model_card import ModelCard, read_card, write_card


def card_of(path: Path) -> ModelCard:
    """The card of a net: the one beside it, ``<name>.json``, or else the one inside.

    Both are written together. The one beside may be newer: figures are added to it when they are
    measured, and the net stays the same file.

    Raises:
        CardError: There is none, or it breaks its schema.
        HashError: There is none beside, and the one inside is of another net.
        ModelError: There is none beside, and the file is no whole ONNX file.
    """
    return _card_of(path, trust=False)


def checked_card(path: Path, *, trust: bool = False) -> ModelCard:
    """The card of a net, which is the file that the card speaks of.

    Args:
        path: The net.
        trust: Take it although its SHA-256 is not the one in its card.

    Raises:
        ModelError: There is no such file, or it is no whole ONNX file.
        CardError: There is no card, or it breaks its schema.
        HashError: The file is not the one that the card speaks of.
    """
    if not path.is_file():
        raise ModelError(
            f"there is no net {path}", hint="Train one with `yolo-leuk train`, or check the path."
        )
    card = _card_of(path, trust=trust)
    found = artifacts.sha256_of_file(path)
    if found != card.sha256 and not trust:
        raise HashError(
            f"{path} has SHA-256 {found}; its card says {card.sha256}",
            hint="Fetch the file again, or export it again so that its card is written anew.",
        )
    return card


def write_net(path: Path, graph: bytes, card: ModelCard) -> ModelCard:
    """Write an ONNX file with a card inside, and the card beside it.

    Args:
        path: ``<name>.onnx``.
        graph: The ONNX file; a card that is in it is replaced.
        card: Its ``sha256`` is filled in.

    Returns:
        The card with the SHA-256 of the file.

    Raises:
        OutputError: A file cannot be written.
    """
    artifacts.write_bytes(path, with_card(graph, card))
    hashed = dataclasses.replace(card, sha256=artifacts.sha256_of_file(path))
    write_card(path.with_suffix(".json"), hashed)
    return hashed


def _card_of(path: Path, *, trust: bool) -> ModelCard:
    beside = path.with_suffix(".json")
    if beside.is_file():
        return read_card(beside)
    card = embedded_card(path, trust=trust) if path.suffix.lower() == ".onnx" else None
    if card is None:
        raise CardError(
            f"{path} has no model card: there is no {beside.name} beside it, and none inside",
            hint="A net of ours comes with a card; one of another program has to be trained here.",
        )
    return card
