"""One image to a SmearResult: ruler, detector, crops, classifier, calls, counts.

What ``detect``, ``evaluate`` and ``export`` share. A pipeline is a small JSON file that names a
detector and a classifier, which may be an ensemble, with their hashes; ``weights/default.json`` is
the one that ships.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from yolo_leuk import artifacts, geometry, pixels, probabilities, ruler
from yolo_leuk.backends.net import Net, open_net
from yolo_leuk.cell_classifier import Answers, cell_crops, classify
from yolo_leuk.errors import CardError, HashError, UsageError
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.images import LoadedImage
from yolo_leuk.labels import LabelScheme
from yolo_leuk.model_card import ModelCard
from yolo_leuk.model_file import PIPELINE_SCHEMA, model_file
from yolo_leuk.records import (
    UNIDENTIFIED,
    BlastFraction,
    CellCall,
    Detections,
    Image,
    ImageFacts,
    Scale,
    SmearResult,
)
from yolo_leuk.shipped import weights_folder

SCHEMA = PIPELINE_SCHEMA

View = Literal["field", "cell", "image"]

# Fewer cells than this make a blast fraction a rough guess, whatever its interval says.
FEW_CELLS = 100

# A measured scale of less confidence than this rests on fewer than five red cells, or uneven ones.
_UNSURE_SCALE = 0.15

# Below this many pixels per red cell the classifier sees less than it was trained on.
_COARSE_PX_PER_RBC = 12.0

# A detector's box ends within a pixel of the edge that cuts its cell.
_AT_EDGE_PX = 1.0


@dataclass(frozen=True)
class PipelineFile:
    """What a pipeline file says.

    Attributes:
        path: Of the file itself.
        name: Of the pipeline.
        detector: File of the detector.
        classifier: File of the classifier: a net, or an ``ensemble.json``.
        sha256: Of each of the files, by role.
        cell_diameter_rbc: How wide a cell on black is taken to be, where nothing else tells.
        picture: File of the classifier of whole pictures, where there is one.
    """

    path: Path
    name: str
    detector: Path
    classifier: Path
    sha256: dict[str, str]
    cell_diameter_rbc: float
    picture: Path | None = None


def read_pipeline_file(path: Path) -> PipelineFile:
    """Read a pipeline file. Raises CardError where it breaks the schema."""
    content = artifacts.read_json(path, schema=SCHEMA, error=CardError)
    roles = ("detector", "classifier", *(["picture"] if "picture" in content else []))
    try:
        files = {role: path.parent / str(content[role]["file"]) for role in roles}
        return PipelineFile(
            path=path,
            name=str(content["name"]),
            detector=files["detector"],
            classifier=files["classifier"],
            sha256={role: str(content[role]["sha256"]) for role in roles},
            cell_diameter_rbc=float(content["cell_diameter_rbc"]),
            picture=files.get("picture"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CardError(f"{path} breaks the schema {SCHEMA}: {error!r}") from error


class Pipeline:
    """A detector and a classifier, ready to run.

    Args:
        detector: Finds the cells.
        classifier: Says what each white cell is.
        name: Goes into the results.
        sha256: Of the pipeline file, or of the one that was named in its place; goes into the
            results.
        cell_diameter_rbc: How wide a cell on black is taken to be, where nothing else tells.
        warnings: What stands in the result of every field.

    Raises:
        CardError: The nets are not what their roles need.
    """

    def __init__(
        self,
        detector: FieldDetector,
        classifier: Net,
        *,
        name: str = "",
        sha256: str = "",
        cell_diameter_rbc: float = 1.6,
        warnings: Sequence[str] = (),
    ) -> None:
        card = classifier.card
        if card.task != "classify" or not (card.features or card.members):
            raise CardError(f"{card.name} is no classifier with feature statistics in its card")
        if card.level != "cell":
            raise CardError(
                f"{card.name} classifies whole pictures; "
                "a pipeline shows its classifier single cells",
                hint="Name a net that was trained on cells (prepare --level cell), or look at "
                "whole pictures with --as image.",
            )
        self._detector = detector
        self._classifier = classifier
        self._name = name
        self._sha256 = sha256
        self._cell_diameter_rbc = cell_diameter_rbc
        self._warnings = tuple(warnings)

    @classmethod
    def load(cls, path: Path | None = None, *, trust: bool = False) -> Pipeline:
        """Open a pipeline, or a classifier of cells together with the shipped detector.

        Args:
            path: A pipeline file, an ``ensemble.json``, a net, or a folder that holds one of
                these; the shipped ``weights/default.json`` where None.
            trust: Run nets although their hashes differ.

        Raises:
            UsageError: The path is nothing of the kind.
            ModelError: A file is missing, breaks its schema, or is not the one that is meant.
        """
        shipped = weights_folder() / "default.json"
        named = model_file(path or shipped)
        if named.kind == "pipeline":
            file = read_pipeline_file(named.path)
            return cls(
                FieldDetector(_role(file, "detector", trust)),
                _role(file, "classifier", trust),
                name=file.name,
                sha256=artifacts.sha256_of_file(file.path),
                cell_diameter_rbc=file.cell_diameter_rbc,
            )
        classifier = open_net(named.path, trust=trust)
        file = read_pipeline_file(shipped)
        detector = FieldDetector(_role(file, "detector", trust=False))
        return cls(
            detector,
            classifier,
            name=named.path.parent.name if named.kind == "ensemble" else classifier.card.name,
            sha256=artifacts.sha256_of_file(named.path),
            cell_diameter_rbc=file.cell_diameter_rbc,
            warnings=[f"cells are found by the detector that ships, {detector.card.name}"],
        )

    @property
    def labels(self) -> LabelScheme:
        """The classifier's classes."""
        return self._classifier.card.scheme

    @property
    def detector(self) -> FieldDetector:
        """What finds the cells."""
        return self._detector

    @property
    def classifier(self) -> Net:
        """What says what each white cell is."""
        return self._classifier

    def run(
        self,
        loaded: LoadedImage,
        name: str,
        *,
        view: str | None = None,
        scale: str | float = "auto",
    ) -> SmearResult:
        """Find the white cells of an image, and suggest what each is.

        Args:
            loaded: The image.
            name: Its file name, for the result.
            view: ``field`` finds cells and classifies each; ``cell`` takes the picture for one
                cell; None recognises a cell on black and takes everything else for a field.
                ``image`` is for :class:`yolo_leuk.picture_pipeline.PicturePipeline`.
            scale: ``auto`` measures a red cell on the image; ``none`` takes the image to be at the
                detector's scale; a number is the width of a red cell in pixels.

        Raises:
            UsageError: The scale or the view is not one of these.
            CardError: The view is ``image``, which no pipeline of cells has a net for.
        """
        clock = _Clock()
        chosen = view or ("cell" if ruler.is_cell_on_black(loaded.rgb) else "field")
        warnings = list(self._warnings) if chosen == "field" else []
        if view is None and chosen == "cell":
            warnings.append("taken for a single cell on black; use --as field if it is a field")
        if chosen == "field":
            rgb = pixels.without_scale_bar(loaded.rgb)
            with clock.measured("detect"):
                found, scale_found = self._white_cells(rgb, scale, warnings)
        elif chosen == "cell":
            with clock.measured("detect"):
                found, scale_found = self._single_cell(loaded.rgb, scale)
            # The classifier knows cells on glass; black around one would be all that it sees.
            rgb = ruler.on_glass(loaded.rgb) if ruler.is_cell_on_black(loaded.rgb) else loaded.rgb
        elif chosen == "image":
            raise CardError(
                f"the pipeline {self._name} has no net that classifies a whole field",
                hint="Use --as field, or give a net of whole pictures by --model.",
            )
        else:
            raise UsageError(f"unknown view {chosen!r}; known are field, cell and image")
        with clock.measured("classify"):
            calls = self._calls(rgb, found, scale_found, chosen)
        return self._result(loaded, name, scale_found, calls, warnings, clock.spent_ms, chosen)

    def _white_cells(
        self, rgb: Image, scale: str | float, warnings: list[str]
    ) -> tuple[Detections, Scale]:
        measured = self._scale(rgb, scale)
        if measured.px_per_rbc is None and scale == "auto":
            warnings.append(
                "no cell to measure the scale by; the image is taken to be at "
                f"{self._detector.card.px_per_rbc:g} px per red cell (give it with --scale)"
            )
        elif measured.source == "auto" and measured.confidence < _UNSURE_SCALE:
            warnings.append(
                f"the scale, {measured.px_per_rbc:.0f} px per red cell, rests on few red cells; "
                "if the boxes do not fit, give it with --scale"
            )
        if measured.px_per_rbc is not None and measured.px_per_rbc < _COARSE_PX_PER_RBC:
            warnings.append(
                f"a red cell is only {measured.px_per_rbc:.0f} px wide; calls need "
                f"{_COARSE_PX_PER_RBC:g} px or more"
            )
        found = self._detector.detect(rgb, self._px_per_rbc(measured))
        white = found[found.class_id == self._detector.card.scheme.id_of("white")]
        return _in_reading_order(white), measured

    def _single_cell(self, rgb: Image, scale: str | float) -> tuple[Detections, Scale]:
        box = ruler.box_on_black(rgb)
        if scale == "auto":
            if ruler.is_cell_on_black(rgb):
                px = ruler.of_single_cell(rgb, self._cell_diameter_rbc)
                measured = Scale(px, "auto", 0.0)
            else:
                measured = ruler.measure(rgb, self._detector)
        else:
            measured = self._scale(rgb, scale)
        if measured.px_per_rbc is None:
            # The whole picture becomes the window.
            measured = Scale(min(rgb.shape[:2]) / pixels.WINDOW_RBC, "none", 0.0)
        one = Detections(np.array([box], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64))
        return one, measured

    def _scale(self, rgb: Image, scale: str | float) -> Scale:
        if scale == "auto":
            return ruler.measure(rgb, self._detector)
        if scale == "none":
            return Scale(None, "none", 0.0)
        try:
            px = float(scale)
        except ValueError:
            px = float("nan")
        if not 1 <= px <= 10_000:
            raise UsageError(
                f"--scale is {scale!r}; expected auto, none, or the width of a red cell in pixels"
            )
        return Scale(px, "given", 1.0)

    def _px_per_rbc(self, scale: Scale) -> float:
        return scale.px_per_rbc or self._detector.card.px_per_rbc

    def _calls(
        self, rgb: Image, found: Detections, scale: Scale, view: str
    ) -> tuple[CellCall, ...]:
        if not len(found):
            return ()
        px_per_rbc = self._px_per_rbc(scale)
        crops = cell_crops(rgb, found.xyxy, px_per_rbc, self._classifier.card)
        answers = classify(self._classifier, crops)
        if view == "field":
            # Nor did a classifier learn from slivers: ``prepare`` leaves them out.
            size_wh = (rgb.shape[1], rgb.shape[0])
            sliver = geometry.cut_off(found.xyxy, size_wh, px_per_rbc, margin_px=_AT_EDGE_PX)
            answers = replace(answers, is_called=answers.is_called & ~sliver)
        return calls_of(found, answers, self.labels)

    def _result(
        self,
        loaded: LoadedImage,
        name: str,
        scale: Scale,
        calls: tuple[CellCall, ...],
        warnings: list[str],
        spent_ms: dict[str, float],
        view: str,
    ) -> SmearResult:
        counts = counts_of(calls, self.labels)
        fraction, reason = blast_fraction(counts, self.labels)
        return SmearResult(
            image=ImageFacts(name, loaded.rgb.shape[1], loaded.rgb.shape[0], loaded.sha256),
            scale=scale,
            cells=calls,
            counts=counts,
            blast_fraction=fraction,
            blast_fraction_reason=reason,
            warnings=tuple(warnings),
            model=self._model(),
            timing_ms={"read": 0.0, "detect": 0.0, "classify": 0.0, **spent_ms},
            view=view,
        )

    def _model(self) -> dict[str, Any]:
        detector = self._detector.card
        return {
            "pipeline": self._name,
            "sha256": self._sha256,
            "detector": {"name": detector.name, "sha256": detector.sha256},
            **voters_of(self._classifier.card),
        }


def voters_of(card: ModelCard) -> dict[str, Any]:
    """The nets that vote, and the weight of each, as they stand in a result."""
    voters = card.members or (card,)
    return {
        "members": [{"name": voter.name, "sha256": voter.sha256} for voter in voters],
        "weights": [member.weight for member in card.members] or [1.0],
    }


def calls_of(found: Detections, answers: Answers, scheme: LabelScheme) -> tuple[CellCall, ...]:
    """What a classifier suggests for each of n boxes, numbered from 1."""
    return tuple(_call(i, found, answers, scheme) for i in range(len(found)))


def _call(row: int, found: Detections, answers: Answers, scheme: LabelScheme) -> CellCall:
    p = answers.probabilities[row]
    top = int(p.argmax())
    called = bool(answers.is_called[row])
    x1, y1, x2, y2 = (float(v) for v in found.xyxy[row])
    return CellCall(
        id=row + 1,
        box_xyxy=(x1, y1, x2, y2),
        confidence=float(found.confidence[row]),
        label=scheme.names[top] if called else UNIDENTIFIED,
        probability=float(p[top]),
        probabilities={name: float(v) for name, v in zip(scheme.names, p, strict=True)},
        blast_probability=float(p[list(scheme.blast_ids)].sum()),
        status="called" if called else UNIDENTIFIED,
    )


def counts_of(calls: Sequence[CellCall], scheme: LabelScheme) -> dict[str, int]:
    """How many there are of each class, and unidentified ones; every class has a number."""
    counts = dict.fromkeys((*scheme.names, UNIDENTIFIED), 0)
    for call in calls:
        counts[call.label] += 1
    return counts


def blast_fraction(counts: dict[str, int], scheme: LabelScheme) -> tuple[BlastFraction | None, str]:
    """Share of blasts among all called white cells, and why there is none where there is none.

    Args:
        counts: By class name, and ``unidentified``.
        scheme: Which classes are blasts.
    """
    called = sum(counts[name] for name in scheme.names)
    unidentified = counts[UNIDENTIFIED]
    if called == 0:
        return None, "no white cell was called"
    if unidentified > called:
        return None, f"{unidentified} of {called + unidentified} white cells are unidentified"
    blasts = sum(counts[name] for name in scheme.blasts)
    low, high = probabilities.wilson_interval(blasts, called)
    return BlastFraction(blasts / called, low, high, called), ""


def _role(file: PipelineFile, role: str, trust: bool) -> Net:
    """The net of a role. Raises ModelError where it is not the one that the pipeline names."""
    path = file.detector if role == "detector" else file.classifier
    net = open_net(path, trust=trust)
    found = artifacts.sha256_of_file(path) if path.suffix == ".json" else net.card.sha256
    if found != file.sha256[role] and not trust:
        raise HashError(
            f"{file.path}: the {role} has SHA-256 {found}, expected {file.sha256[role]}",
            hint="Fetch the weights again; the pipeline and its nets do not belong together.",
        )
    return net


def _in_reading_order(found: Detections) -> Detections:
    """Rows from top to bottom, within a row of cells from left to right.

    A row reaches half a cell's height down from its highest cell.
    """
    if not len(found):
        return found
    centre = (found.xyxy[:, :2] + found.xyxy[:, 2:]) / 2
    reach = float(np.median(found.xyxy[:, 3] - found.xyxy[:, 1])) / 2
    row = np.zeros(len(found), np.intp)
    number, top = 0, float(centre[:, 1].min())
    for position in np.argsort(centre[:, 1], kind="stable"):
        if centre[position, 1] > top + reach:
            number, top = number + 1, float(centre[position, 1])
        row[position] = number
    return found[np.lexsort((centre[:, 0], row))]


class _Clock:
    """Milliseconds by name."""

    def __init__(self) -> None:
        self.spent_ms: dict[str, float] = {}

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.spent_ms[name] = (time.perf_counter() - start) * 1000
