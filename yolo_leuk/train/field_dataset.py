"""The torch side of a detector's training data. Import it only where torch is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from yolo_leuk import geometry
from yolo_leuk.dataset import DataSet, read_boxes
from yolo_leuk.records import Sample
from yolo_leuk.train.canvas import Field
from yolo_leuk.train.fields import FieldComposer, FieldPicture


def field_pictures(data: DataSet, samples: Sequence[Sample]) -> list[FieldPicture]:
    """Samples of a detection data set, with their boxes.

    Raises:
        DataError: A label file is missing or broken.
    """
    pictures = []
    for sample in samples:
        boxes = read_boxes(data.folder, sample, len(data.scheme))
        pictures.append(
            FieldPicture(
                path=data.folder / sample.path,
                source=sample.source,
                xyxy=boxes.xyxy,
                class_id=boxes.class_id,
                px_per_rbc=sample.px_per_rbc,
            )
        )
    return pictures


class TrainingFields(Dataset[dict[str, Any]]):
    """Random fields; field ``i`` of epoch ``e`` is the same for the same seed, in any worker."""

    def __init__(self, composer: FieldComposer, length: int, seed: int) -> None:
        self._composer = composer
        self._length = length
        self._seed = seed
        # Shared memory, so that workers that live through all epochs see the epoch change.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return self._length

    def set_epoch(self, epoch: int) -> None:
        """Make the fields of another epoch."""
        self._epoch[0] = epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        generator = np.random.default_rng([self._seed, int(self._epoch[0]), index])
        return _as_item(self._composer.training_field(generator), f"field-{index}")


class ValidationFields(Dataset[dict[str, Any]]):
    """Whole pictures at one scale, the same in every epoch."""

    def __init__(self, composer: FieldComposer, px_per_rbc: float) -> None:
        self._fields = composer.validation_fields(px_per_rbc)

    def __len__(self) -> int:
        return len(self._fields)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return _as_item(self._fields[index], f"field-{index}")


def _as_item(field: Field, name: str) -> dict[str, Any]:
    """What Ultralytics' detection trainer and validator expect of a sample."""
    height, width = field.rgb.shape[:2]
    cxcywhn = geometry.cxcywhn_from_xyxy(field.xyxy, (width, height))
    return {
        "img": torch.from_numpy(np.ascontiguousarray(field.rgb.transpose(2, 0, 1))),
        "cls": torch.from_numpy(field.class_id.astype(np.float32))[:, None],
        "bboxes": torch.from_numpy(cxcywhn.astype(np.float32)),
        "im_file": name,
        "ori_shape": (height, width),
        "resized_shape": (height, width),
        "ratio_pad": ((1.0, 1.0), (0.0, 0.0)),
    }


def collate(items: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch as Ultralytics expects it: boxes of all images in one list, with their image."""
    counts = [len(item["cls"]) for item in items]
    batch: dict[str, Any] = {
        "img": torch.stack([item["img"] for item in items]),
        "cls": torch.cat([item["cls"] for item in items]),
        "bboxes": torch.cat([item["bboxes"] for item in items]),
        "batch_idx": torch.repeat_interleave(
            torch.arange(len(items), dtype=torch.float32), torch.tensor(counts)
        ),
    }
    for key in ("im_file", "ori_shape", "resized_shape", "ratio_pad"):
        batch[key] = tuple(item[key] for item in items)
    return batch
