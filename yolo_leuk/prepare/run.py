"""Sources as they were downloaded to data sets without leakage."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yolo_leuk import __version__, artifacts
from yolo_leuk.config import as_plain
from yolo_leuk.errors import DataError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.manifest import FILE_NAME
from yolo_leuk.prepare import card, placing, scale
from yolo_leuk.prepare.config import PrepareConfig, check_config
from yolo_leuk.prepare.extra import jobs as extra
from yolo_leuk.prepare.facts import Hash, PictureFacts, sha256_of
from yolo_leuk.prepare.placing import Origin
from yolo_leuk.prepare.problems import Problem, problem_of, problems_csv
from yolo_leuk.prepare.samples import (
    MadeSamples,
    SampleJob,
    SampleRecipe,
    Task,
    make_samples,
)
from yolo_leuk.prepare.scanning import Scanned, Tell, scan_sources
from yolo_leuk.prepare.schemes import classify_scheme, detect_scheme
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.prepare.split import cell_thumbnails
from yolo_leuk.prepare.split.homes import Home, homes_of
from yolo_leuk.prepare.split.same_cells import PlacedCell, torn_cells
from yolo_leuk.prepare.staging import Stage, staged
from yolo_leuk.progress import progress_bar
from yolo_leuk.records import Sample
from yolo_leuk.workers import Workers

# In the journal; no sample is called so.
_TORN_CELLS = "torn cells"


@dataclass(frozen=True)
class PrepareResult:
    """What came out.

    Attributes:
        folder: The data set; with the task ``both`` a folder of two.
        counts: Number of samples (classify) or boxes (detect) by task, split and class.
        problems: What was left out, and why.
        warnings: What a reader of any figure on this data must know.
    """

    folder: Path
    counts: dict[Task, card.Counts]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


def run(
    config: PrepareConfig,
    *,
    hash_of: Hash = sha256_of,
    tell: Tell = lambda _: None,
    progress: bool = False,
) -> PrepareResult:
    """Make a data set, or go on with one that a killed run left.

    Args:
        config: What is made, and of what.
        hash_of: What tells that two files have the same bytes; can be pickled.
        tell: Is told what each source was taken for.
        progress: Show a bar, if standard error is a terminal.

    Raises:
        ConfigError: The configuration cannot work.
        UsageError: No source is given and none lies under ``datasets/raw``.
        DataError: A source is of no known kind, or too much of it is broken.
        LeakageError: Groups of two splits that are kept are one group now.
        OutputError: The folder already holds something, another run is at it, or it cannot be
            written.
    """
    from threadpoolctl import threadpool_limits

    check_config(config)
    scanned = scan_sources(config.sources, config.kind, config.labels, tell)
    out = config.out or Path("datasets") / f"{'-'.join(_data_sets(scanned.images))}-{config.task}"
    try:
        with (
            staged(out, _fingerprint(config, scanned)) as stage,
            Workers(_processes(config)) as workers,
            # Threads of ours share the cores; BLAS would have its own wait for them, wide awake.
            threadpool_limits(limits=1),
        ):
            result = _Preparation(config, scanned, stage, workers, hash_of, progress).run(out)
    except _TooManyProblemsError as error:
        beside = out.with_name(f"{out.name}-problems.csv")
        artifacts.write_text(beside, problems_csv(error.problems))
        raise DataError(
            f"{error}; they are listed in {beside}",
            hint="Mend or remove them, or allow more with --max-bad.",
        ) from error
    return result


class _TooManyProblemsError(DataError):
    def __init__(self, problems: Sequence[Problem], of: int, limit: float) -> None:
        super().__init__(
            f"{len(problems)} of {of} files cannot be used, more than {limit:.3g} of them; "
            f"the first is {problems[0].file}: {problems[0].reason}"
        )
        self.problems = tuple(problems)


@dataclass(frozen=True)
class _Picture:
    """One picture, what came of it, and where it stays."""

    job: SampleJob
    made: MadeSamples
    facts: PictureFacts
    home: Home

    @property
    def image(self) -> SourceImage:
        return self.job.image


@dataclass(frozen=True)
class _Row:
    """A row of a manifest, and what the row counts."""

    sample: Sample
    labels: Mapping[str, int]


class _Preparation:
    """One run, from scanned sources to whole data sets in its stage."""

    def __init__(
        self,
        config: PrepareConfig,
        scanned: Scanned,
        stage: Stage,
        workers: Workers,
        hash_of: Hash,
        progress: bool,
    ) -> None:
        self._config = config
        self._scanned = scanned
        self._stage = stage
        self._workers = workers
        self._progress = progress
        self._problems = list(scanned.problems)
        self._files = len(scanned.images) + len(scanned.problems)
        self._recipe = self._recipe_of(config, hash_of)

    def run(self, out: Path) -> PrepareResult:
        """Make the samples of every picture, place them, write the tables."""
        pictures, copies, told = self._at_home(self._made())
        pictures, repeated_cells = self._without_torn_cells(pictures)
        warnings = (
            *card.warnings_for([p.image for p in pictures], self._config),
            *self._warnings_of_boxes(),
            *told,
        )
        rows = self._rows(pictures)
        self._check_problems()
        counts: dict[Task, card.Counts] = {}
        for task, placed in rows.items():
            own = [*placed, *self._turned(task, [row.sample for row in placed])]
            counts[task] = card.counted((row.sample.split, row.labels) for row in own)
            data_set = card.DataSet(
                name=out.name if len(rows) == 1 else task,
                task=task,
                scheme=self._recipe.schemes[task],
                samples=[row.sample for row in own],
                counts=counts[task],
                sources=self._scanned.facts,
                warnings=warnings,
                broken=self._problems,
                copies=copies,
                repeated_cells=repeated_cells if task == "classify" else [],
                repeated_boxes=self._scanned.repeated_boxes,
            )
            card.write_tables(self._folder(task), data_set, self._config)
        return PrepareResult(out, counts, tuple(self._problems), warnings)

    def _recipe_of(self, config: PrepareConfig, hash_of: Hash) -> SampleRecipe:
        classify = classify_scheme(config, self._scanned.scans)
        schemes: dict[Task, LabelScheme] = {
            "classify": classify,
            "detect": detect_scheme(config, classify),
        }
        return SampleRecipe(
            waiting=self._stage.waiting,
            schemes={task: schemes[task] for task in config.tasks},
            level=config.level,
            opening=config.opening,
            cells_per_image=config.cells_per_image,
            detect_px_per_rbc=config.detect_px_per_rbc,
            boxes_from=config.boxes_from,
            hash_of=hash_of,
        )

    def _folder(self, task: Task) -> Path:
        return self._stage.data if len(self._recipe.schemes) == 1 else self._stage.data / task

    # --- pictures ------------------------------------------------------------------------------

    def _made(self) -> list[tuple[SampleJob, MadeSamples]]:
        """What came of every picture."""
        images = self._scanned.images
        rulers = scale.px_per_rbc_of_all(images, self._config.px_per_rbc)
        jobs = [
            SampleJob(image, ruler, self._tasks_of(image))
            for image, ruler in zip(images, rulers, strict=True)
        ]
        # What the splits are made with takes a second to import, in which the workers are busy.
        threading.Thread(target=_load_scikit_learn, daemon=True).start()
        made = self._done(make_samples, jobs, [job.image.sample_id for job in jobs])
        self._check_problems()
        return list(zip(jobs, made, strict=True))

    def _tasks_of(self, image: SourceImage) -> tuple[Task, ...]:
        """Single cells that are composed to fields are no fields of their own."""
        composed = self._config.compose == "fields" and image.is_cell
        return tuple(t for t in self._recipe.schemes if not (composed and t == "detect"))

    def _done(
        self,
        function: Callable[[SampleRecipe, Any], MadeSamples],
        jobs: Sequence[Any],
        keys: Sequence[str],
    ) -> list[MadeSamples]:
        """What came of all jobs; those that an earlier run did are not done again."""
        done = self._stage.made.done
        made = {key: MadeSamples.from_json(done.pop(key)) for key in keys if key in done}
        todo = [(job, key) for job, key in zip(jobs, keys, strict=True) if key not in made]
        with progress_bar(len(todo), enabled=self._progress) as show:
            make = functools.partial(function, self._recipe)
            results = self._workers.in_order(make, [job for job, _ in todo])
            for number, result in enumerate(results):
                key = todo[number][1]
                show(number, key)
                self._stage.made.add(key, result.to_json())
                made[key] = result
        self._workers.rest()
        parts = [made[key] for key in keys]
        self._problems += [problem for part in parts for problem in part.problems]
        return parts

    # --- groups and splits ---------------------------------------------------------------------

    def _at_home(
        self, made: Sequence[tuple[SampleJob, MadeSamples]]
    ) -> tuple[list[_Picture], list[Problem], tuple[str, ...]]:
        """Pictures with their homes; what is left out; sentences about patients."""
        usable = [(job, part, part.facts) for job, part in made if part.facts is not None]
        images = [job.image for job, _, _ in usable]
        homes = homes_of(images, [fact for _, _, fact in usable], self._config)
        copies = []
        for row, reason in sorted(homes.left_out.items()):
            copies.append(problem_of(images[row].file, f"left out: {reason}"))
            for sample in usable[row][1].samples:
                placing.drop(sample, self._stage.waiting)
        pictures = [_Picture(*usable[row], home) for row, home in homes.of_row.items()]
        return pictures, copies, homes.told

    def _without_torn_cells(
        self, pictures: Sequence[_Picture]
    ) -> tuple[list[_Picture], list[Problem]]:
        """Pictures without the cells that a later split, or fold, shows too; and these cells."""
        torn = self._torn_cells(pictures)
        left, told = [], []
        for picture in pictures:
            for sample in picture.made.samples:
                if sample.name in torn:
                    placing.drop(sample, self._stage.waiting)
                    reason = f"left out: the cell {sample.name} is also {torn[sample.name]}"
                    told.append(problem_of(picture.image.file, reason))
            samples = tuple(s for s in picture.made.samples if s.name not in torn)
            made = dataclasses.replace(picture.made, samples=samples)
            left.append(dataclasses.replace(picture, made=made))
        return left, told

    def _torn_cells(self, pictures: Sequence[_Picture]) -> dict[str, str]:
        """Names of cells, each with the name of the same cell in a later split, or fold.

        They are written down before one is removed: a run that goes on could not find them again.
        """
        if _TORN_CELLS in self._stage.made.done:
            return dict(self._stage.made.done[_TORN_CELLS])
        cells: dict[str, PlacedCell] = {}
        for picture in pictures:
            # Of a known subject that tells more; C-NMC's single cells all look alike.
            if self._config.level == "cell" and picture.facts.look is not None:
                cells |= self._placed_cells(picture)
        names = list(cells)
        found = torn_cells(list(cells.values()), workers=_processes(self._config))
        torn = {names[first]: names[second] for first, second in found.items()}
        self._stage.made.add(_TORN_CELLS, torn)
        return torn

    def _placed_cells(self, picture: _Picture) -> dict[str, PlacedCell]:
        """The cells of a picture by name."""
        file = cell_thumbnails.file_of(self._stage.waiting, picture.image.sample_id)
        own = [sample for sample in picture.made.samples if sample.task == "classify"]
        return {
            sample.name: PlacedCell(
                file, number, f"{picture.image.data_set}/{sample.label}", picture.home.place
            )
            for number, sample in enumerate(own)
        }

    # --- rows ----------------------------------------------------------------------------------

    def _rows(self, pictures: Sequence[_Picture]) -> dict[Task, list[_Row]]:
        """Every sample at its place, by task."""
        rows: dict[Task, list[_Row]] = {task: [] for task in self._recipe.schemes}
        for picture in pictures:
            origin = Origin(
                picture.image.source,
                picture.facts.sha256,
                picture.image.subject,
                picture.home.group,
                picture.home.place,
            )
            self._place(rows, picture.made, origin)
        if self._config.compose == "fields":
            self._place_composed(rows, pictures)
        return rows

    def _place_composed(self, rows: dict[Task, list[_Row]], pictures: Sequence[_Picture]) -> None:
        single = [picture for picture in pictures if picture.image.is_cell]
        sha256_of_cell = {p.image.sample_id: p.facts.sha256 for p in single}
        place_of_group = {p.home.group: p.home.place for p in pictures}
        jobs = extra.field_jobs(
            [p.job for p in single],
            [p.home.group for p in single],
            self._config.compose_options,
            self._config.seed,
        )
        made = self._done(extra.make_field, jobs, [job.name for job in jobs])
        for job, part in zip(jobs, made, strict=True):
            first = job.cells[0].image
            # No one file stands behind a composed field; all of its cells do.
            together = "".join(sha256_of_cell[cell.image.sample_id] for cell in job.cells)
            sha256 = hashlib.sha256(together.encode()).hexdigest()
            group = job.plan.group
            place = place_of_group[group]
            self._place(rows, part, Origin(first.source, sha256, first.subject, group, place))

    def _place(self, rows: dict[Task, list[_Row]], made: MadeSamples, origin: Origin) -> None:
        for new in made.samples:
            sample = placing.placed(new, origin, self._stage.waiting, self._folder(new.task))
            rows[new.task].append(_Row(sample, new.labels))

    def _turned(self, task: Task, samples: Sequence[Sample]) -> list[_Row]:
        """Turned copies of the training split, where these are asked for."""
        if task != "classify" or self._config.balance != "turns":
            return []
        jobs = extra.turn_jobs(samples, self._folder(task), self._config.seed)
        return [
            _Row(sample, {sample.label: 1})
            for sample in self._workers.in_order(extra.make_turn, jobs)
        ]

    def _check_problems(self) -> None:
        limit = self._config.max_bad
        if self._problems and len(self._problems) > limit * self._files:
            raise _TooManyProblemsError(self._problems, self._files, limit)

    def _warnings_of_boxes(self) -> tuple[str, ...]:
        """Which classes of boxes the data sets do not have."""
        there = {label for image in self._scanned.images for label in image.box_labels}
        known = {name for scheme in self._recipe.schemes.values() for name in scheme.names}
        return tuple(
            f"boxes of {label} are left out; --set labels.{label}=white takes them for white cells"
            for label in sorted(there - known - {"white", "red", "platelet"})
        )


def _processes(config: PrepareConfig) -> int:
    return config.workers or os.cpu_count() or 1


def _load_scikit_learn() -> None:
    import sklearn.model_selection  # noqa: F401


def _data_sets(images: Sequence[SourceImage]) -> list[str]:
    return sorted({image.data_set for image in images})


def _fingerprint(config: PrepareConfig, scanned: Scanned) -> str:
    """Of all that decides what comes out: settings, version, and the files as they lie there."""
    settings = as_plain(dataclasses.replace(config, out=None, workers=0), whole_paths=True)
    read = {name: artifacts.sha256_of_file(path) for name, path in _files_of(config).items()}
    digest = hashlib.sha256(artifacts.to_json([__version__, settings, read]).encode())
    for image in scanned.images:
        for file in (image.file, image.mask):
            if file is not None:
                path = file.root / file.name if file.root.is_dir() else file.root
                facts = path.stat()
                digest.update(f"{file}|{facts.st_size}|{facts.st_mtime_ns}\n".encode())
        digest.update(repr((image.label, image.box_labels)).encode())
        if image.boxes_cxcywhn is not None:
            digest.update(image.boxes_cxcywhn.tobytes())
    return digest.hexdigest()


def _files_of(config: PrepareConfig) -> dict[str, Path]:
    """Files besides the sources that decide what comes out."""
    named = {"boxes_from": config.boxes_from, "keep_split": config.keep_split}
    return {
        name: path / FILE_NAME if path.is_dir() else path
        for name, path in named.items()
        if path is not None and path.exists()
    }
