"""The classes of a data set, from those of its sources."""

from __future__ import annotations

from collections.abc import Sequence

from yolo_leuk.errors import ConfigError
from yolo_leuk.labels import FIELD, MATURITY, LabelScheme
from yolo_leuk.prepare.config import PrepareConfig
from yolo_leuk.prepare.samples import OTHER
from yolo_leuk.prepare.sources.source_image import Scan


def classify_scheme(config: PrepareConfig, scans: Sequence[Scan]) -> LabelScheme:
    """Classes to classify: those that are asked for, else those of all sources, in their order.

    Maturity stages stand in their own order, ``Other`` after them.
    """
    own = [renamed(scan.scheme, config.labels) for scan in scans if scan.scheme is not None]
    names = list(dict.fromkeys(name for scheme in own for name in scheme.names))
    if any(_has_white_cells_without_class(scan) for scan in scans) and OTHER not in names:
        names.append(OTHER)
    blasts = frozenset(name for scheme in own for name in scheme.blasts)
    if set(names) <= set(MATURITY.names) and blasts <= MATURITY.blasts:
        names = [name for name in MATURITY.names if name in names]
        blasts = MATURITY.blasts & set(names)
    chosen = config.classes or tuple(names)
    wanted = blasts & set(chosen) if config.blasts is None else set(config.blasts)
    if wanted - set(chosen):
        raise ConfigError(
            f"blasts {', '.join(sorted(wanted - set(chosen)))} are not among the classes "
            f"{', '.join(chosen)}"
        )
    return LabelScheme(chosen, frozenset(wanted))


def detect_scheme(config: PrepareConfig, classify: LabelScheme) -> LabelScheme:
    """Classes of boxes."""
    if config.boxes == "field":
        return FIELD
    if config.boxes == "white":
        return LabelScheme(("white",))
    kinds = [name for name in classify.names if name not in FIELD.names]
    return LabelScheme((*kinds, "red", "platelet"), classify.blasts)


def renamed(scheme: LabelScheme, labels: dict[str, str]) -> LabelScheme:
    """A scheme in which classes are renamed, and joined where two get one name."""
    names = tuple(dict.fromkeys(labels.get(name, name) for name in scheme.names))
    return LabelScheme(names, frozenset(labels.get(name, name) for name in scheme.blasts))


def _has_white_cells_without_class(scan: Scan) -> bool:
    return any(image.label is None and "white" in image.box_labels for image in scan.images)
