"""Samples that no source has: fields composed of single cells, turned copies for balance."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from yolo_leuk import images, pixels
from yolo_leuk.errors import DataError
from yolo_leuk.prepare.extra.balance import ExtraTurn, extra_turns
from yolo_leuk.prepare.extra.compose import ComposeOptions, FieldPlan, compose_field, plan_fields
from yolo_leuk.prepare.pictures.opening import opened
from yolo_leuk.prepare.problems import problem_of
from yolo_leuk.prepare.samples import (
    MadeSamples,
    SampleJob,
    SampleRecipe,
    field_label,
    write_field,
    write_png,
)
from yolo_leuk.records import Sample


@dataclass(frozen=True)
class FieldJob:
    """A field to compose, in any process.

    Attributes:
        plan: Its group and name.
        cells: The pictures of its cells, each as it would become a sample of its own.
        options: How fields are composed.
        seed: The same for all fields.
    """

    plan: FieldPlan
    cells: tuple[SampleJob, ...]
    options: ComposeOptions
    seed: int

    @property
    def name(self) -> str:
        """Fit for a file name: groups of joined patients have a plus sign in theirs."""
        return self.plan.name.replace("+", "_")


@dataclass(frozen=True)
class TurnJob:
    """A turned copy to write, in any process."""

    turn: ExtraTurn
    sample: Sample
    folder: Path


def field_jobs(
    cells: Sequence[SampleJob], groups: Sequence[str], options: ComposeOptions, seed: int
) -> list[FieldJob]:
    """Share single cells out to fields. Raises DataError where there are none."""
    if not cells:
        raise DataError(
            "compose=fields needs pictures of single cells; the sources have none",
            hint="Leave it out, or name a source such as C-NMC.",
        )
    return [
        FieldJob(plan, tuple(cells[position] for position in plan.cells), options, seed)
        for plan in plan_fields(groups, options, seed)
    ]


def make_field(recipe: SampleRecipe, job: FieldJob) -> MadeSamples:
    """Draw one field and write it with its boxes. Raises OutputError."""
    first = job.cells[0]
    try:
        pictures = [
            opened(c.image, c.image.file.read(), c.px_per_rbc, recipe.opening).picture
            for c in job.cells
        ]
        labels = [field_label("white", c.image, recipe.schemes["detect"]) for c in job.cells]
        field = compose_field(pictures, labels, job.plan, job.options, job.seed)
    except DataError as error:
        return MadeSamples(None, (), (problem_of(first.image.file, f"{job.name}: {error}"),))
    sample = write_field(
        recipe, job.name, field.rgb, field.xyxy, field.labels,
        label="", px_per_rbc=field.px_per_rbc, steps=field.steps,
    )  # fmt: skip
    return MadeSamples(None, (sample,))


def turn_jobs(samples: Sequence[Sample], folder: Path, seed: int) -> list[TurnJob]:
    """The turned copies with which all classes of the training split are equal."""
    by_id = {sample.sample_id: sample for sample in samples}
    return [TurnJob(turn, by_id[turn.sample_id], folder) for turn in extra_turns(samples, seed)]


def make_turn(job: TurnJob) -> Sample:
    """Write one turned copy. Raises OutputError."""
    rgb = images.read_image(job.folder / job.sample.path)
    turned = pixels.turned(rgb, job.turn.quarter_turns, job.turn.mirrored)
    path = PurePosixPath(job.sample.path).with_name(f"{job.turn.name}.png")
    write_png(job.folder / path, turned)
    return dataclasses.replace(
        job.sample,
        sample_id=job.turn.name,
        path=str(path),
        width=turned.shape[1],
        height=turned.shape[0],
        steps="; ".join((job.sample.steps, job.turn.step)),
    )
