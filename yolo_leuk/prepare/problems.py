"""What is wrong with a file of a source, told instead of raised: one bad file ends no run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yolo_leuk.prepare.sources.source_tree import SourceFile


@dataclass(frozen=True, order=True)
class Problem:
    """A file, or a part of it, that is left out.

    Attributes:
        file: Its place, from the name of its source on; never an absolute path.
        reason: What is wrong with it, in a few words.
    """

    file: str
    reason: str


def problem_of(file: SourceFile, reason: str) -> Problem:
    """A problem of one file; paths of its source that ``reason`` names begin with its name too."""
    return Problem(file.display_name, reason.replace(f"{file.root}/", f"{file.root_name}/"))


def problems_csv(problems: Iterable[Problem]) -> str:
    """A table of problems, sorted by file."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("file", "reason"))
    writer.writerows((problem.file, problem.reason) for problem in sorted(problems))
    return stream.getvalue()
