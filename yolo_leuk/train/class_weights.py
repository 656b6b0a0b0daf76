"""How much each class counts in the loss of a classifier."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from yolo_leuk.errors import DataError, UsageError
from yolo_leuk.train.dataset import TrainingData

ClassWeights = Literal["balanced", "dataset", "none"]
"""``balanced``: by the inverse of a class's share of what this run learns from; ``dataset``: as
``prepare`` wrote, of the whole training split; ``none``: all samples count alike."""


def weights_of_classes(data: TrainingData, kind: ClassWeights) -> npt.NDArray[np.float64]:
    """Weight of each class, in the order of the scheme.

    Raises:
        UsageError: The data set's own are asked for, and it has none.
        DataError: It has none of some class that is learnt from.
    """
    if kind == "none":
        return np.ones(len(data.scheme))
    if kind == "dataset":
        return _of_data_set(data)
    class_ids = [data.scheme.id_of(sample.label) for sample in data.training]
    counts = np.bincount(class_ids, minlength=len(data.scheme))
    # n ÷ (classes · n of the class), scikit-learn's "balanced": the mean over the samples is 1.
    return np.asarray(len(class_ids) / (len(data.scheme) * counts), np.float64)


def _of_data_set(data: TrainingData) -> npt.NDArray[np.float64]:
    if data.class_weights is None:
        raise UsageError(
            f"optimise.class_weights is dataset, but {data.folder} has no class weights",
            hint="Prepare it with --set balance=weights, or leave out optimise.class_weights.",
        )
    if missing := [name for name in data.scheme.names if name not in data.class_weights]:
        raise DataError(
            f"{data.folder} has no class weight of {', '.join(missing)}: "
            "its training split has no such sample",
            hint="Leave out optimise.class_weights; balanced weights are of this run's own fold.",
        )
    return np.array([data.class_weights[name] for name in data.scheme.names], np.float64)
