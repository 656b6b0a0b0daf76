"""One picture of a source to the samples that come of it, written to the data set's folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from yolo_leuk import artifacts, geometry, images, pixels
from yolo_leuk.errors import DataError
from yolo_leuk.field_detector import FieldDetector
from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare import crops
from yolo_leuk.prepare.cells import find_cells
from yolo_leuk.prepare.sources.source_image import SourceImage
from yolo_leuk.records import Image, Sample


@dataclass(frozen=True)
class SampleJob:
    """All that is needed to turn one source image into samples, in any process."""

    image: SourceImage
    sha256: str
    px_per_rbc: float
    group: str
    split: str
    fold: int
    task: Literal["classify", "detect"]
    scheme: LabelScheme
    out: Path
    cells_per_image: int
    detect_px_per_rbc: float
    boxes_from: Path | None


@dataclass(frozen=True)
class MadeSamples:
    """What one source image became.

    Attributes:
        samples: Rows of the manifest.
        labels_by_split: Number of cells by (split, class).
    """

    samples: list[Sample]
    labels_by_split: Counter[tuple[str, str]]


@dataclass(frozen=True)
class _Field:
    """A field ready to be cut: painted, with the boxes of all its labelled cells."""

    rgb: Image
    xyxy: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    painted_xyxy: tuple[int, int, int, int] | None
    steps: tuple[str, ...]


def make_samples(job: SampleJob) -> MadeSamples:
    """Write the samples of one source image. Raises DataError or OutputError."""
    field = _field_of(job)
    return _as_field(job, field) if job.task == "detect" else _as_cells(job, field)


def _field_of(job: SampleJob) -> _Field:
    rgb = images.read_image(job.image.path)
    steps: list[str] = []
    painted = pixels.find_scale_bar(rgb) if job.image.has_scale_bar else None
    if painted is not None:
        rgb = pixels.paint_out(rgb, painted)
        steps.append("scale bar painted out")
    if job.image.boxes_cxcywhn is not None:
        size_wh = (rgb.shape[1], rgb.shape[0])
        xyxy = geometry.clip_xyxy(
            geometry.xyxy_from_cxcywhn(job.image.boxes_cxcywhn, size_wh), size_wh
        )
        return _Field(rgb, xyxy, job.image.box_labels, painted, tuple(steps))
    found = find_cells(rgb, job.px_per_rbc)
    steps.append("cells found by colour")
    return _Field(rgb, found.xyxy, ("white",) * len(found.xyxy), painted, tuple(steps))


def _as_field(job: SampleJob, field: _Field) -> MadeSamples:
    reduced, factor = pixels.reduced_field(field.rgb, job.px_per_rbc, job.detect_px_per_rbc)
    name = job.image.sample_id
    size_wh = (reduced.shape[1], reduced.shape[0])
    # The rest that fills no whole pixel is gone, and with it the edge of a box that lay there.
    xyxy = geometry.clip_xyxy(field.xyxy / factor, size_wh)
    labels, steps = field.labels, list(field.steps)
    if job.boxes_from is not None and set(labels) <= {"white"}:
        xyxy, labels = _completed(
            reduced, job.px_per_rbc / factor, xyxy, job.scheme, job.boxes_from
        )
        steps.append(f"red cells and platelets boxed by {job.boxes_from.stem}")
    if factor > 1:
        steps.append(f"reduced by {factor}")
    ids = [job.scheme.id_of(label) for label in labels]
    rows = geometry.cxcywhn_from_xyxy(xyxy, size_wh)
    text = "".join(
        f"{class_id} {' '.join(f'{v:.6f}' for v in row)}\n"
        for class_id, row in zip(ids, rows, strict=True)
    )
    path = Path("images") / job.split / f"{name}.png"
    _write_png(job.out / path, reduced)
    artifacts.write_text(job.out / "labels" / job.split / f"{name}.txt", text)
    sample = _row(job, name, path, reduced, job.image.label or "", job.px_per_rbc / factor, steps)
    return MadeSamples([sample], Counter((job.split, label) for label in labels))


def _completed(
    field: Image,
    px_per_rbc: float,
    white_xyxy: npt.NDArray[np.float32],
    scheme: LabelScheme,
    detector: Path,
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """The white cells of the source, and the red cells and platelets that a detector finds."""
    found = _detector(detector).detect(field, px_per_rbc)
    others = found[found.class_id != scheme.id_of("white")]
    in_white = geometry.intersection_over_smaller(others.xyxy, white_xyxy).max(axis=1, initial=0.0)
    others = others[in_white < 0.6]
    xyxy = np.concatenate([white_xyxy, others.xyxy]).astype(np.float32)
    return xyxy, ("white",) * len(white_xyxy) + tuple(scheme.names[i] for i in others.class_id)


@lru_cache(maxsize=1)
def _detector(path: Path) -> FieldDetector:
    return FieldDetector.load(path)


def _as_cells(job: SampleJob, field: _Field) -> MadeSamples:
    is_white = np.array([label == "white" for label in field.labels], bool)
    xyxy = field.xyxy[is_white].reshape(-1, 4)
    size_wh = (field.rgb.shape[1], field.rgb.shape[0])
    xyxy = xyxy[crops.worth_cutting(xyxy, size_wh, job.px_per_rbc, field.painted_xyxy)]
    if job.cells_per_image and len(xyxy) > job.cells_per_image:
        # Evenly spread over the list, which runs over the picture; the same ones every time.
        xyxy = xyxy[np.linspace(0, len(xyxy) - 1, job.cells_per_image).round().astype(int)]
    label = job.image.label or "Other"
    job.scheme.id_of(label)
    samples = []
    for number, crop in enumerate(crops.cut_crops(field.rgb, xyxy, job.px_per_rbc)):
        name = f"{job.image.sample_id}-c{number:03d}"
        path = Path(job.split) / label / f"{name}.png"
        _write_png(job.out / path, crop.picture)
        steps = [*field.steps, f"window of {pixels.WINDOW_RBC:g} red cells, rim {pixels.RIM:g}"]
        samples.append(_row(job, name, path, crop.picture, label, crop.px_per_rbc, steps))
    return MadeSamples(samples, Counter({(job.split, label): len(samples)}))


def _row(
    job: SampleJob,
    name: str,
    path: Path,
    picture: Image,
    label: str,
    px_per_rbc: float,
    steps: list[str],
) -> Sample:
    return Sample(
        sample_id=name,
        path=path.as_posix(),
        source=job.image.source,
        sha256=job.sha256,
        width=picture.shape[1],
        height=picture.shape[0],
        label=label,
        subject="",
        group=job.group,
        split=job.split,
        fold=job.fold,
        px_per_rbc=px_per_rbc,
        steps="; ".join(steps),
    )


def _write_png(path: Path, rgb: Image) -> None:
    done, buffer = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not done:
        raise DataError(f"a picture of {rgb.shape} pixels could not be written as PNG to {path}")
    artifacts.write_bytes(path, buffer.tobytes())
