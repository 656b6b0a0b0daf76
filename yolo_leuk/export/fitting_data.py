"""Whether a data set is one that a net can be calibrated and measured on."""

from __future__ import annotations

from collections.abc import Sequence

from yolo_leuk.dataset import DataSet, check_pictures, is_turned_copy
from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.model_card import ModelCard
from yolo_leuk.records import Sample


def data_of(card: ModelCard, data: Sequence[DataSet]) -> DataSet | None:
    """The first data set that is of the task, level and classes of a net; None where none is."""
    return next((one for one in data if _fits(one, card)), None)


def check_all_fit(data: Sequence[DataSet], cards: Sequence[ModelCard]) -> None:
    """Raise UsageError where a data set fits none of the nets."""
    for one in data:
        if not any(_fits(one, card) for card in cards):
            check_fits(one, cards[-1])


def _fits(data: DataSet, card: ModelCard) -> bool:
    alike = _described(card.task, card.level) == _described(data.task, data.level)
    return alike and card.scheme.names == data.scheme.names


def fits(data: DataSet, card: ModelCard) -> bool:
    """Whether a data set is of the task, the level and the classes of a net."""
    same_view = _described(card.task, card.level) == _described(data.task, data.level)
    return same_view and card.scheme.names == data.scheme.names


def check_fits(data: DataSet, card: ModelCard) -> None:
    """Raise UsageError where a data set is of another task, level or classes than a net."""
    own, others = _described(card.task, card.level), _described(data.task, data.level)
    if own != others:
        raise UsageError(
            f"{card.name} is to {own}, the data set {data.folder} is to {others}",
            hint="Name a data set by --data that is like the one that the net was trained on.",
        )
    if card.scheme.names != data.scheme.names:
        raise UsageError(
            f"the classes of {card.name} are {', '.join(card.scheme.names)}; those of "
            f"{data.folder} are {', '.join(data.scheme.names)}, in this order",
            hint="Name a data set by --data that has the classes of the net, in their order.",
        )


def samples_of(data: DataSet, split: str) -> list[Sample]:
    """Samples of a split without turned copies. Raises DataError where it is empty or not whole."""
    found = [s for s in data.samples if s.split == split and not is_turned_copy(s)]
    if not found:
        raise DataError(
            f"{data.folder} has no sample in {split}", hint="Prepare it again, with more --folds."
        )
    check_pictures(data.folder, found)
    return found


def _described(task: str, level: str) -> str:
    return f"classify the level {level}" if task == "classify" else task
