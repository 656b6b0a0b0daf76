"""The table of docs/export.md on FP16 and INT8 says what was measured."""

from __future__ import annotations

import pytest

from tests.fresh_process import ROOT


@pytest.fixture(scope="module")
def section():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "scripts"))
        from figures.precision_table import section
    return section


def measured(size: int, time: float, accuracy: float, **classes: float) -> dict:
    return {"bytes": size, "time": time, "accuracy": accuracy, "classes": classes}


def test_each_net_and_precision_has_a_row(section):
    nets = {
        "calls": {
            "figure": "weighted_f1",
            "allowed": 0.005,
            "precisions": {
                "fp32": measured(6_340_000, 1.0, 0.9472, Benign=0.9, Pro=0.9),
                "int8": measured(1_960_000, 0.712, 0.9461, Benign=0.8, Pro=0.95),
            },
        },
        "finds": {
            "figure": "ap50",
            "allowed": 0.01,
            "precisions": {
                "fp32": measured(11_440_000, 1.0, 0.9, white=0.95, red=0.85),
                "fp16": measured(5_240_000, 0.97, 0.91, white=0.94, red=0.88),
            },
        },
    }
    assert section(nets).splitlines()[2:] == [
        "| `calls` | fp32 | 6.3 | × 1.00 | weighted F1 0.9472 | – | 0.5 |",
        "| `calls` | int8 | 2.0 | × 0.71 | weighted F1 0.9461 | 0.11 | 0.5 |",
        "| `finds` | fp32 | 11.4 | × 1.00 | mean AP50 0.9000 | – | 1 |",
        "| `finds` | fp16 | 5.2 | × 0.97 | mean AP50 0.9100 | 1.00 (white) | 1 |",
    ]


def test_nothing_measured_is_a_table_without_rows(section):
    assert len(section({}).splitlines()) == 2
