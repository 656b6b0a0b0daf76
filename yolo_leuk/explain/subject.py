"""The model that is explained: what it is, who answers in it, and what shows it its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from yolo_leuk import artifacts
from yolo_leuk.backends.net import Net, open_net
from yolo_leuk.ensemble_file import FILE_NAME
from yolo_leuk.errors import UsageError
from yolo_leuk.explain.evidence import Voice, voices_of
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.labels import LabelScheme
from yolo_leuk.model_file import RUN_NET, model_file
from yolo_leuk.picture_pipeline import PicturePipeline
from yolo_leuk.pipeline import Pipeline, View, read_pipeline_file
from yolo_leuk.shipped import weights_folder

_PIPELINE = "pipeline"


@dataclass(frozen=True)
class Subject:
    """A model, ready to be explained.

    Attributes:
        name: Of the model.
        kind: What it is, for people.
        sha256: Of the file that was named.
        net: Its classifier.
        file: Of the classifier; its checkpoint may lie beside it.
        pipeline: Finds in a picture what the classifier is shown.
        notes: What was chosen for the user.
    """

    name: str
    kind: str
    sha256: str
    net: Net
    file: Path
    pipeline: Pipeline | PicturePipeline
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> LabelScheme:
        """The classes."""
        return self.net.card.scheme

    @property
    def voices(self) -> tuple[Voice, ...]:
        """All that answer."""
        name = self.net.card.name if self.kind == _PIPELINE else self.name
        return voices_of(self.net.card, name)

    @property
    def px_per_rbc(self) -> float:
        """Width of a red cell in a picture that shows none to measure."""
        if isinstance(self.pipeline, Pipeline):
            return self.pipeline.detector.card.px_per_rbc
        return self.net.card.px_per_rbc


def open_subject(path: Path, view: View | None, *, trust: bool = False) -> Subject:
    """Open a model.

    Args:
        path: A net, an ensemble, a pipeline, or the folder of one or of a run.
        view: What pictures are to be taken for.
        trust: Take nets although their hashes differ from their cards.

    Raises:
        UsageError: It finds cells and names none, or is shown something else than ``view``.
        ModelError: It cannot be opened.
    """
    named = model_file(path)
    if named.kind == "pipeline":
        return _pipeline(named.path, view, trust)
    file = named.path
    net = open_net(file, trust=trust)
    card = net.card
    if card.task != "classify":
        raise UsageError(
            f"{file} is a net to {card.task}; expected one that classifies",
            hint="Name a classifier, an ensemble, or a pipeline, whose classifier is explained.",
        )
    _check_view(file, card.level, view)
    kind = f"ensemble of {len(card.members)} nets" if card.members else f"net, {card.architecture}"
    sha256 = artifacts.sha256_of_file(file)
    name = _name_of(file)
    if card.level == "image":
        return Subject(name, kind, sha256, net, file, PicturePipeline(net, name=name))
    detector = FieldDetector.load(read_pipeline_file(weights_folder() / "default.json").detector)
    note = f"the cells of a field are found by the shipped detector, {detector.card.name}"
    pipeline = Pipeline(detector, net, name=name)
    return Subject(name, kind, sha256, net, file, pipeline, (note,))


def _pipeline(file: Path, view: View | None, trust: bool) -> Subject:
    sha256 = artifacts.sha256_of_file(file)
    if view == "image":
        whole = PicturePipeline.load(file)
        return Subject(file.stem, _PIPELINE, sha256, whole.classifier, file, whole)
    pipeline = Pipeline.load(file, trust=trust)
    classifier = read_pipeline_file(file).classifier
    return Subject(file.stem, _PIPELINE, sha256, pipeline.classifier, classifier, pipeline)


def _name_of(file: Path) -> str:
    """Of a net in the folder of a run, and of an ensemble, that of the folder."""
    path = file.absolute()
    if path.parts[-len(RUN_NET.parts) :] == RUN_NET.parts:
        return path.parents[len(RUN_NET.parts) - 1].name
    return path.parent.name if path.name == FILE_NAME else path.stem


def _check_view(file: Path, level: str, view: View | None) -> None:
    if view is not None and (view == "image") != (level == "image"):
        shown = "whole pictures" if level == "image" else "single cells"
        raise UsageError(
            f"--as {view} does not fit {file}, which is shown {shown}",
            hint="Leave --as out, or name another net.",
        )
