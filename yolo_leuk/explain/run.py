"""Pictures in, heat maps out: what ``yolo-leuk explain`` does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from yolo_leuk.artifacts import write_bytes, write_json, write_text
from yolo_leuk.errors import DataError
from yolo_leuk.explain.activations import Activations, activations_of
from yolo_leuk.explain.checkpoints import check_libraries, checkpoints_of
from yolo_leuk.explain.config import ExplainConfig
from yolo_leuk.explain.explanation import Explanation, summary_csv
from yolo_leuk.explain.files import (
    NUMBERS,
    activation_pictures,
    heat_numbers,
    heat_pictures,
)
from yolo_leuk.explain.image import Asked, Explained, explain_image
from yolo_leuk.explain.inside import Inside
from yolo_leuk.explain.methods import (
    ByActivation,
    ByOcclusion,
    Explainer,
    check_checkpoints,
    chosen_method,
)
from yolo_leuk.explain.report import Section, report_page, report_section
from yolo_leuk.explain.subject import Subject, open_subject
from yolo_leuk.image_files import Failure, display_name, list_images, run_name
from yolo_leuk.images import load_image
from yolo_leuk.progress import progress_bar
from yolo_leuk.run_folder import CONFIG_NAME, REPORT_NAME, RunFolder, open_run_folder

RUNS = Path("runs/explain")
EXPLANATION_NAME = "explanation.json"
SUMMARY_NAME = "summary.csv"


@dataclass(frozen=True)
class ExplainOutcome:
    """What came of a run.

    Attributes:
        report: ``report.html``; everything else lies beside it. None where no picture could be
            used, and nothing was left.
        explanations: Of each that could be used.
        failures: The others, each with its error.
        notes: What was chosen for the user.
    """

    report: Path | None
    explanations: tuple[Explanation, ...]
    failures: tuple[Failure, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Tools:
    """What a run works with.

    Attributes:
        subject: The model.
        explainer: Makes the heat.
        insides: Nets that can be looked into, by name; only those that are needed.
        notes: What was chosen for the user.
    """

    subject: Subject
    explainer: Explainer
    insides: Mapping[str, Inside]
    notes: tuple[str, ...]


def run(config: ExplainConfig) -> ExplainOutcome:
    """Explain what a model says of pictures. Model and pictures are only read.

    A picture that cannot be used does not keep the others from being done: it is listed among the
    failures.

    Raises:
        UsageError: The model cannot be asked this: it is a detector, its checkpoints are not at
            hand, it has no such class or layer.
        ModelError: It cannot be opened or run.
        OutputError: The results cannot be written.
    """
    images, failures = list_images(config.inputs)
    if not images:
        return ExplainOutcome(None, (), tuple(failures), ())
    tools = _tools(config)
    with open_run_folder(config.out, RUNS, run_name(config.inputs[0])) as folder:
        write_json(folder.path / CONFIG_NAME, config.to_json())
        summary = folder.claim(SUMMARY_NAME)
        sections: list[Section] = []
        with progress_bar(len(images), enabled=config.progress) as show:
            for number, path in enumerate(images):
                show(number, display_name(path))
                try:
                    sections.append(_explain(path, config, tools, folder))
                except DataError as error:
                    failures.append((path, error))
        if not sections:
            return ExplainOutcome(None, (), tuple(failures), tools.notes)
        explanations = tuple(section.explanation for section in sections)
        write_text(summary, summary_csv(explanations))
        title = explanations[0].image.path if len(images) == 1 else folder.path.name
        report = folder.path / REPORT_NAME
        write_text(report, report_page(title, sections, failures, tools.notes))
    return ExplainOutcome(report, explanations, tuple(failures), tools.notes)


def _tools(config: ExplainConfig) -> _Tools:
    """Open all that is needed, before anything is written."""
    subject = open_subject(config.model, config.view, trust=config.trust)
    if config.explained is not None:
        subject.labels.id_of(config.explained)
    voices = subject.voices
    only_net = subject.file if len(voices) == 1 else None
    checkpoints = checkpoints_of(voices, only_net, config.checkpoints)
    method, why = chosen_method(config.method, voices, checkpoints)
    notes = [*subject.notes, *([f"method {method}: {why}"] if why else [])]
    nets = [voice for voice in voices if not voice.is_vote]
    insides: dict[str, Inside] = {}
    if config.layers or method == "cam":
        check_checkpoints("--layers", [v.name for v in nets if v.name not in checkpoints])
        check_libraries("--layers")
        insides = {
            voice.name: Inside.load(
                checkpoints[voice.name], voice.name, voice.temperature, trust=config.trust
            )
            for voice in nets
        }
        for layer in config.layers:
            for inside in insides.values():
                inside.layer(layer)
    explainer: Explainer = (
        ByActivation(voices, insides, config.cam)
        if method == "cam"
        else ByOcclusion(subject, config.occlusion)
    )
    return _Tools(subject, explainer, insides if config.layers else {}, tuple(notes))


def _explain(path: Path, config: ExplainConfig, tools: _Tools, folder: RunFolder) -> Section:
    """Read one picture, explain it, and write its folder, ``explanation.json`` last."""
    loaded = load_image(path, max_pixels=config.max_pixels)
    asked = Asked(config.view, config.scale, config.explained, config.most_cells)
    explained = explain_image(loaded, display_name(path), tools.subject, tools.explainer, asked)
    pictures = [
        *heat_pictures(loaded.rgb, explained),
        *activation_pictures(_activations(explained, config, tools)),
    ]
    own = folder.claim(Path(display_name(path)).stem)
    for picture in pictures:
        write_bytes(own / picture.name, picture.png())
    if explained.windows:
        write_bytes(own / NUMBERS, heat_numbers(explained))
    write_json(own / EXPLANATION_NAME, explained.explanation.to_json())
    return report_section(explained.explanation, pictures, own.name)


def _activations(
    explained: Explained, config: ExplainConfig, tools: _Tools
) -> dict[tuple[str, int], list[Activations]]:
    return {
        (name, window.cell.id): [
            activations_of(inside, inside.layer(layer), window.shown) for layer in config.layers
        ]
        for name, inside in tools.insides.items()
        for window in explained.windows
    }
