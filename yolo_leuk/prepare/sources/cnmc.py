"""C-NMC 2019: single cells on black, leukemic (``all``) or normal (``hem``), with their patients.

Pictures for training lie in the three folds of the challenge and are named
``UID_<subject>_<image>_<cell>_all`` or ``UID_H<subject>_<image>_<cell>_hem``. Those for validation
are named by numbers, and a table gives each its own name and label: they are of other patients, and
so the test split. Those of the final test have no labels. Any readable format is taken: the suffix
of a name does not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from yolo_leuk.errors import DataError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree
from yolo_leuk.prepare.sources.text_files import read_table

FACTS = SourceFacts(
    name="cnmc",
    title="C-NMC 2019 (ALL Challenge dataset of ISBI 2019)",
    page="https://doi.org/10.7937/tcia.2019.dc64i46r",
    licence="CC BY 3.0",
    size="15,114 images, 10.4 GB unpacked",
    raw_folder="cnmc",
    citation="R. Gupta, A. Gupta: ALL Challenge dataset of ISBI 2019 (C-NMC 2019). The Cancer "
    "Imaging Archive, 2019. DOI 10.7937/tcia.2019.dc64i46r",
)

SCHEME = LabelScheme(("hem", "all"), blasts=frozenset({"all"}))

_CELL_NAME = re.compile(
    r"UID_(?:(?P<leukemic>\d+)_\d+_\d+_all|(?P<normal>H\d+)_\d+_\d+_hem)", re.IGNORECASE
)
_FOLD = re.compile(r"fold_(\d+)", re.IGNORECASE)
_LABEL_OF_CODE = {"1": "all", "0": "hem"}
_COLUMNS = {"patient_id", "new_names", "labels"}


def recognises(tree: SourceTree) -> bool:
    """Whether a picture is named as C-NMC names its cells, or the validation table is there."""
    named = any(_CELL_NAME.fullmatch(file.place.stem) for file in tree.pictures.values())
    return named or any(map(_is_label_table, tree.files))


def scan(tree: SourceTree) -> Scan:
    """The labelled cells: those for training, sorted by place, then those for validation.

    Raises:
        DataError: There are none.
    """
    problems: list[Problem] = []
    rows = _validation_rows(tree, problems)
    training, validation = [], []
    for file in tree.pictures.values():
        try:
            if _is_for_validation(file):
                if rows is not None:
                    validation.append(_validation_image(file, rows))
            elif _is_for_training(file):
                training.append(_training_image(file))
        except DataError as error:
            problems.append(problem_of(file, str(error)))
    return finished_scan(
        tree,
        [*training, *validation],
        problems,
        SCHEME,
        expected="names like training_data/fold_0/all/UID_1_1_1_all.bmp",
    )


# --- training ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cell:
    """What a cell's name says."""

    label: str
    subject: str


def _cell_named(stem: str) -> _Cell:
    match = _CELL_NAME.fullmatch(stem)
    if match is None:
        raise DataError(f"is named {stem}; expected a name like UID_1_1_1_all or UID_H1_1_1_hem")
    if match["leukemic"]:
        return _Cell("all", match["leukemic"])
    return _Cell("hem", match["normal"].upper())  # 36 cells have h3


def _is_for_training(file: SourceFile) -> bool:
    return file.folders[-1] in SCHEME.names or bool(_CELL_NAME.fullmatch(file.place.stem))


def _training_image(file: SourceFile) -> SourceImage:
    cell = _cell_named(file.place.stem)
    if file.folders[-1] in set(SCHEME.names) - {cell.label}:
        raise DataError(f"is named as {cell.label} and lies in the folder {file.folders[-1]}")
    fold = next((match[1] for match in map(_FOLD.fullmatch, file.folders) if match), None)
    return SourceImage(
        file=file,
        key=file.place.stem,
        source=FACTS.name,
        label=cell.label,
        subject=cell.subject,
        is_cell=True,
        fold=None if fold is None else int(fold),
    )


# --- validation --------------------------------------------------------------------------------

_Rows = dict[str, set[tuple[str, str]]]
"""The own names and label codes that the table gives a picture, by its stem."""


def _is_for_validation(file: SourceFile) -> bool:
    return any(folder == "validation_data" or "test_prelim" in folder for folder in file.folders)


def _is_label_table(file: SourceFile) -> bool:
    name = file.place.name.lower()
    return "test_prelim" in name and name.endswith("labels.csv")


def _validation_rows(tree: SourceTree, problems: list[Problem]) -> _Rows | None:
    """The table of the validation set; None where there is none that can be read."""
    table = next(filter(_is_label_table, tree.files), None)
    if table is None:
        return None
    rows: _Rows = {}
    try:
        for row in _table_rows(table):
            picture, own = (PurePosixPath(row[name]).stem for name in ("new_names", "patient_id"))
            rows.setdefault(picture, set()).add((own, row["labels"]))
    except DataError as error:
        problems.append(problem_of(table, str(error)))
        return None
    return rows


def _table_rows(table: SourceFile) -> list[dict[str, str]]:
    rows = read_table(table)
    if not rows or not rows[0].keys() >= _COLUMNS:
        raise DataError(f"{table}: expected rows of Patient_ID, new_names and labels")
    return rows


def _validation_image(file: SourceFile, rows: _Rows) -> SourceImage:
    stem = file.place.stem
    own = rows.get(stem, set())
    if len(own) != 1:
        raise DataError(f"expected one row for {stem} in the table of labels, found {len(own)}")
    [(name, code)] = own
    cell = _cell_named(name)
    if _LABEL_OF_CODE.get(code) != cell.label:
        raise DataError(f"the table of labels calls it {name} and labels it {code!r}")
    return SourceImage(
        file=file,
        key=f"validation-{stem}",
        source=FACTS.name,
        label=cell.label,
        split="test",
        subject=cell.subject,
        is_cell=True,
    )
