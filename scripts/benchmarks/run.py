"""The benchmarks by name."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import detect, ensemble, evaluate, prepare, train, vote


def main() -> None:
    """Run one and print its table."""
    options = _parser().parse_args()
    if options.what == "prepare":
        prepare.benchmark(options.data, options.rounds, options.workers)
    elif options.what == "ensemble":
        ensemble.benchmark(options.rounds, options.generations)
    elif options.what == "evaluate":
        evaluate.benchmark(options.samples, options.peer_draws)
    elif options.what == "detect":
        detect.benchmark(options.rounds, options.run)
    elif options.what == "vote":
        vote.benchmark(options.rounds, options.calls)
    else:
        train.benchmark(options.data, options.rounds, options.cells, options.device)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    names = parser.add_subparsers(dest="what", required=True)
    of_prepare = names.add_parser("prepare", help="beside plain reading and writing with OpenCV")
    of_prepare.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    of_prepare.add_argument("--workers", type=int, default=0, help="0 means one per core")
    of_train = names.add_parser("train", help="an epoch of a classifier beside Ultralytics' own")
    of_train.add_argument("--data", type=Path, required=True, help="prepared data set of cells")
    of_train.add_argument("--cells", type=int, default=1024, help="to learn from in an epoch")
    of_train.add_argument("--device", default="cpu", help="cpu, or the number of a GPU")
    of_ensemble = names.add_parser("ensemble", help="the search beside plain transcriptions of it")
    of_ensemble.add_argument("--generations", type=int, default=2, help="of the peers")
    of_evaluate = names.add_parser("evaluate", help="a large table beside scikit-learn")
    of_evaluate.add_argument("--samples", type=int, default=100_000, help="rows of the table")
    of_evaluate.add_argument("--peer-draws", type=int, default=3, help="of the peer")
    of_vote = names.add_parser("vote", help="three nets as one graph beside other ways to ask them")
    of_vote.add_argument("--calls", type=int, default=5, help="that are counted in each round")
    of_detect = names.add_parser("detect", help="a cold start beside yolo predict, and bare parts")
    of_detect.add_argument("--run", type=Path, help="of a detector; random weights without")
    for one in (of_prepare, of_train, of_ensemble, of_vote, of_detect):
        one.add_argument("--rounds", type=int, default=3, help="of which the median is printed")
    return parser
