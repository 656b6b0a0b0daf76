"""Single white cells with a mask for each; so the CellaVision pictures of segmentation_WBC.

A mask lies beside its picture as ``001.png`` beside ``001.bmp`` or ``a_mask.png`` beside ``a.jpg``,
or has its name in a folder ``masks`` beside ``images``. Pictures without a mask are taken too.
"""

from __future__ import annotations

from dataclasses import dataclass

from yolo_leuk.errors import DataError
from yolo_leuk.labels import LabelScheme
from yolo_leuk.prepare.problems import Problem, problem_of
from yolo_leuk.prepare.sources.finished_scan import finished_scan
from yolo_leuk.prepare.sources.source_image import Scan, SourceFacts, SourceImage
from yolo_leuk.prepare.sources.source_tree import SourceFile, SourceTree
from yolo_leuk.prepare.sources.text_files import read_table

CELLAVISION = SourceFacts(
    name="cellavision-masks",
    title="Masks of white cells (dataset 2 of segmentation_WBC, pictures by CellaVision)",
    page="https://github.com/zxaoyou/segmentation_WBC",
    licence="GPL-3.0 in its repository",
    size="100 images",
    raw_folder="cellavision-masks",
    citation="X. Zheng, Y. Wang, G. Wang, J. Liu: Fast and robust segmentation of white blood cell "
    "images by self-supervised learning. Micron 107 (2018), 55–71",
)

SCHEME = LabelScheme(("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil"))
"""Normal cells all, in the order of the codes 1–5 in the data set's table."""

_PICTURE_FOLDERS = {"image", "images"}
_MASK_FOLDERS = {"mask", "masks"}
_MASK_ENDING = "_mask"
_COLUMNS = {"image id", "class"}
_CODES = {str(code) for code in range(1, len(SCHEME) + 1)}


def recognises(tree: SourceTree) -> bool:
    """Whether more than half of the pictures of a tree are cells with a mask, or the masks."""
    masked = sum(cell.mask is not None for cell in _cells(tree))
    return 2 * masked > len(tree.pictures) / 2


def scan(tree: SourceTree) -> Scan:
    """All cells, sorted by place, with their masks, and their classes where a table has them.

    Raises:
        DataError: There are no pictures.
    """
    images: list[SourceImage] = []
    problems: list[Problem] = []
    tables = _class_tables(tree, problems)
    for cell in _cells(tree):
        table = next((table for table in tables if table.speaks_of(cell.file)), None)
        try:
            label = None if table is None else table.label_of(cell.file)
        except DataError as error:
            problems.append(problem_of(cell.file, str(error)))
            continue
        images.append(
            SourceImage(
                file=cell.file,
                key=cell.place.rpartition(".")[0].replace("/", "-"),
                source=tree.name if table is None else CELLAVISION.name,
                label=label,
                mask=cell.mask,
                mask_kind="values" if cell.mask else "",
                is_cell=True,
            )
        )
    return finished_scan(
        tree,
        images,
        problems,
        SCHEME if tables else None,
        expected="a mask beside each picture, or the folders images and masks",
    )


# --- pictures and masks ------------------------------------------------------------------------


@dataclass(frozen=True)
class _MaskedCell:
    """A picture, its place below the top, and its mask."""

    place: str
    file: SourceFile
    mask: SourceFile | None


def _cells(tree: SourceTree) -> list[_MaskedCell]:
    mask_places = _mask_places(tree)
    masks = {_pair_key(place): tree.pictures[place] for place in mask_places}
    return [
        _MaskedCell(place, file, masks.get(_pair_key(place)))
        for place, file in tree.pictures.items()
        if place not in mask_places
    ]


def _mask_places(tree: SourceTree) -> set[str]:
    """Which pictures are masks: by their folder, by their ending, or as PNG beside another kind."""
    is_png = {place: place.lower().endswith(".png") for place in tree.pictures}
    others = {place.rpartition(".")[0] for place in tree.pictures if not is_png[place]}
    found = set()
    for place in tree.pictures:
        *folders, name = place.lower().split("/")
        by_name = bool(_MASK_FOLDERS & set(folders)) or _stem(name).endswith(_MASK_ENDING)
        if by_name or (is_png[place] and _stem(place) in others):
            found.add(place)
    return found


def _pair_key(place: str) -> tuple[tuple[str, ...], str]:
    """The same for a picture and its mask."""
    *folders, name = place.lower().split("/")
    kept = tuple(part for part in folders if part not in _PICTURE_FOLDERS | _MASK_FOLDERS)
    return kept, _stem(name).removesuffix(_MASK_ENDING)


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


# --- classes -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _ClassTable:
    """Codes 1–5 of the pictures of one folder, by their numbers."""

    file: SourceFile
    code_of: dict[str, str]

    def speaks_of(self, picture: SourceFile) -> bool:
        """Whether it lies beside a picture, or is named for the folder that the picture lies in."""
        folder = picture.folders[-1]
        beside = self.file.place.parent == picture.place.parent
        return beside or self.file.place.stem.lower().endswith(folder)

    def label_of(self, picture: SourceFile) -> str:
        """The class of a picture. Raises DataError where the table has none for it."""
        code = self.code_of.get(picture.place.stem.lstrip("0"), "")
        if code not in _CODES:
            raise DataError(f"has the class {code!r} in {self.file}; expected 1–5")
        return SCHEME.names[int(code) - 1]


def _class_tables(tree: SourceTree, problems: list[Problem]) -> list[_ClassTable]:
    tables = []
    for file in tree.files:
        if file.place.suffix.lower() != ".csv":
            continue
        try:
            rows = read_table(file)
        except DataError as error:
            problems.append(problem_of(file, str(error)))
            continue
        if rows and rows[0].keys() >= _COLUMNS:
            codes = {row["image id"].lstrip("0"): row["class"] for row in rows}
            tables.append(_ClassTable(file, codes))
    return tables
