"""The published figures are those of the files that the scripts write."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_readme_and_results_page_say_what_the_measurements_say():
    spec = importlib.util.spec_from_file_location(
        "write_results", ROOT / "scripts" / "write_results.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path, text in module.texts(ROOT).items():
        assert path.read_text(encoding="utf-8") == text, "run scripts/write_results.py"
