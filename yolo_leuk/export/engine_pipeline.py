"""A pipeline file that names engines in the place of their graphs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yolo_leuk import artifacts

if TYPE_CHECKING:
    from yolo_leuk.export.exported import Exported


def write_engine_pipeline(source: Path, path: Path, engines: Sequence[Exported]) -> None:
    """Write ``path``: the pipeline of ``source`` with engines for its nets.

    Args:
        source: A pipeline file; where there is none, as for a single net, nothing is written.
        path: May be the same.
        engines: By their roles.
    """
    if not source.is_file():
        return
    content = json.loads(source.read_bytes())
    for engine in engines:
        content[engine.role] = {"file": engine.path.name, "sha256": engine.card.sha256}
    artifacts.write_json(path, content)
