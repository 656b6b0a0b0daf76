"""The benchmarks by name."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import prepare


def main() -> None:
    """Run one and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["prepare"])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is printed")
    parser.add_argument("--workers", type=int, default=0, help="0 means one per core")
    options = parser.parse_args()
    prepare.benchmark(options.data, options.rounds, options.workers)
