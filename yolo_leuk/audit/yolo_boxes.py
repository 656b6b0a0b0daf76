"""YOLO's label files: a line per box, "class cx cy w h", or "class x1 y1 x2 y2 …" of an outline.

All values are fractions of the picture; ``data.yaml`` names the classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from yolo_leuk.audit.boxes import Box, Corners, Problem, finite


def yolo_boxes(
    file: str,
    text: str,
    names: Mapping[int, str] | None,
    picture: str,
    size_wh: tuple[int, int] | None,
) -> Iterator[Box | Problem]:
    """The boxes of one label file, and what cannot be understood.

    Args:
        file: Relative to the data set.
        text: Of the file.
        names: Class id to name; None where nothing says.
        picture: That the file belongs to; empty where there is none.
        size_wh: Of the picture in pixels; None where it is not known.
    """
    width, height = size_wh or (1, 1)
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        where = f"line {number}"
        try:
            class_id, values = int(words[0]), [finite(word) for word in words[1:]]
        except ValueError:
            yield Problem("unreadable", file, f"{where}: expected numbers, found {line.strip()!r}")
            continue
        corners = _corners(values)
        if corners is None:
            found = f"{where}: expected 'class cx cy w h' or an outline, found {len(words)} numbers"
            yield Problem("unreadable", file, found)
            continue
        if names is not None and class_id not in names:
            yield Problem("unknown_class", file, f"{where}: {class_id}; known are {_listed(names)}")
        x1, y1, x2, y2 = corners
        label = (names or {}).get(class_id, str(class_id))
        yield Box(picture, where, label, (x1 * width, y1 * height, x2 * width, y2 * height))


def _corners(values: list[float]) -> Corners | None:
    if len(values) == 4:
        cx, cy, width, height = values
        return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2
    if len(values) >= 6 and len(values) % 2 == 0:
        return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])
    return None


def class_names(root: Path) -> tuple[dict[int, str] | None, list[Problem]]:
    """Class id to name by ``data.yaml``, None without one; and files of YAML that are none."""
    import yaml

    problems = []
    for file in sorted((*root.glob("*.yaml"), *root.glob("*.yml"))):
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            problems.append(Problem("unreadable", file.name, f"no YAML that can be read: {error}"))
            continue
        names = content.get("names") if isinstance(content, dict) else None
        if isinstance(names, list):
            return {number: str(name) for number, name in enumerate(names)}, problems
        if isinstance(names, dict) and all(isinstance(key, int) for key in names):
            return {number: str(name) for number, name in names.items()}, problems
    return None, problems


def _listed(names: Mapping[int, str]) -> str:
    return ", ".join(f"{number} {name}" for number, name in sorted(names.items()))
