"""Parts for nested cross-validation over groups: each is voted on by what the others taught.

Varma S, Simon R. BMC Bioinformatics 2006;7:91.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yolo_leuk.ensemble.joined import Joined

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Division:
    """Parts of the samples, each with the others to learn from.

    Attributes:
        folds: Rows to learn from and rows to vote on, for each part; empty where there are none.
        reason: Why there are none.
    """

    folds: tuple[tuple[Rows, Rows], ...]
    reason: str = ""


def divided(data: Joined, wanted: int, seed: int) -> Division:
    """Part the groups so that each part has about the same share of each class.

    There are at most as many parts as a class has groups, so that each class can be learnt.
    """
    if not wanted:
        return Division((), "it was not asked for")
    from sklearn.model_selection import StratifiedGroupKFold

    labels, groups = data.class_ids, np.array(data.groups)
    groups_of = {data.classes[c]: len(np.unique(groups[labels == c])) for c in np.unique(labels)}
    rarest = min(groups_of, key=lambda name: groups_of[name])
    parts = min(wanted, groups_of[rarest])
    if parts < 2:
        return Division((), f"all samples of {rarest} are of one group")
    splitter = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # That a class has fewer samples than there are parts; what matters is checked below.
        warnings.simplefilter("ignore", UserWarning)
        folds = tuple(splitter.split(labels, labels, groups))
    present = set(np.unique(labels))
    if any(set(np.unique(labels[learnt])) != present for learnt, _ in folds):
        return Division((), f"the groups of {rarest} cannot be parted")
    return Division(folds)
