#!/usr/bin/env python3
"""Write the published figures into docs/results.md docs/export.md and the README, from docs/*.json.

    scripts/write_results.py

`scripts/measure.py`, `leave_one_source_out.py`, `compare_nets.py`, `compare_votes.py`,
`compare_recipes.py` and `measure_parity.py` make the JSON files. A test holds that the texts say
what these say.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from figures import net_table, parity_table, precision_table, recipe_table, vote_table  # noqa: E402  (the path above comes first)
from figures.wording import with_interval  # noqa: E402

from yolo_leuk import artifacts  # noqa: E402

Marks = tuple[str, str]
FIGURES: Marks = ("<!-- figures: scripts/write_results.py -->", "<!-- end of figures -->")
NETS: Marks = ("<!-- nets: scripts/write_results.py -->", "<!-- end of nets -->")
VOTES: Marks = ("<!-- votes: scripts/write_results.py -->", "<!-- end of votes -->")
RECIPES: Marks = ("<!-- recipes: scripts/write_results.py -->", "<!-- end of recipes -->")
PRECISION: Marks = ("<!-- precision: scripts/write_results.py -->", "<!-- end of precision -->")
PARITY: Marks = ("<!-- parity: scripts/write_results.py -->", "<!-- end of parity -->")

Row = tuple[str, str, str]


def main() -> None:
    """Write all of them."""
    for path, text in texts(ROOT).items():
        artifacts.write_text(path, text)


def texts(root: Path) -> dict[Path, str]:
    """What the files should hold, by path."""
    figures = json.loads((root / "docs" / "figures.json").read_text(encoding="utf-8"))["figures"]
    left_out_file = root / "docs" / "leave-one-source-out.json"
    left_out = (
        json.loads(left_out_file.read_text(encoding="utf-8"))["left_out"]
        if left_out_file.is_file()
        else {}
    )
    table = _table(_rows(figures, left_out))
    readme, page = root / "README.md", root / "docs" / "results.md"
    text = page.read_text(encoding="utf-8")
    for marks, part in (
        (FIGURES, table),
        (RECIPES, recipe_table.section(_made(root, "recipes"))),
        (NETS, net_table.section(_made(root, "nets")["experiments"])),
        (VOTES, vote_table.section(_made(root, "votes").get("experiments", {}))),
    ):
        text = _between(marks, text, part)
    return {
        readme: _between(FIGURES, readme.read_text(encoding="utf-8"), table),
        page: text,
        root / "docs" / "export.md": _export_page(root),
    }


def _export_page(root: Path) -> str:
    text = (root / "docs" / "export.md").read_text(encoding="utf-8")
    text = _between(PARITY, text, parity_table.section(_made(root, "parity").get("nets", {})))
    return _between(
        PRECISION, text, precision_table.section(_made(root, "precision").get("nets", {}))
    )


def _made(root: Path, name: str) -> dict[str, Any]:
    """What a script measured; {} where it has not been run."""
    file = root / "docs" / f"{name}.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _between(marks: Marks, text: str, part: str) -> str:
    start, end = marks
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}\n{part}{end}{after}"


def _table(rows: list[Row]) -> str:
    lines = ["| what | on | figure (95 % interval) |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _rows(figures: dict[str, Any], left_out: dict[str, Any]) -> list[Row]:
    return [
        *_finding_rows(figures),
        *(_left_out_row(source, found) for source, found in left_out.items()),
        *_calling_rows(figures),
    ]


def _finding_rows(figures: dict[str, Any]) -> list[Row]:
    bccd, apart = figures["bccd_white"], figures["bccd_white_apart"]
    ap50 = figures["txl_pbc_test_ap50"]
    rows = [
        (
            "white cells found: recall, precision at IoU 0.5",
            f"BCCD, the {bccd['images']} images that are not in TXL-PBC",
            f"{with_interval(bccd['recall'])}, {with_interval(bccd['precision'])}",
        ),
        (
            "– without those that share a part of a field with TXL-PBC",
            f"{apart['images']} images, {apart['boxes']} cells",
            f"{with_interval(apart['recall'])}, {with_interval(apart['precision'])}",
        ),
        *(
            (
                f"AP50 of {name}",
                f"TXL-PBC, test split, {part['boxes']} boxes in {part['samples']} images",
                with_interval(part),
            )
            for name, part in (
                ("white cells", ap50["white"]),
                ("red cells", ap50["red"]),
                ("platelets", ap50["platelet"]),
            )
        ),
    ]
    hand = figures["all4_hand_boxed_white"]
    rows.append(
        (
            "white cells found: recall, precision at IoU 0.5",
            f"ALL-4-class, {hand['images']} images of held-out groups, boxed by eye",
            f"{with_interval(hand['recall'])}, {with_interval(hand['precision'])}",
        )
    )
    for label in ("Benign", "Early", "Pre", "Pro"):
        part = figures[f"all4_hand_boxed_white_{label}"]
        rows.append(
            (
                f"– of them {label}",
                f"{part['images']} images, {part['boxes']} cells",
                f"{with_interval(part['recall'])}, {with_interval(part['precision'])}",
            )
        )
    smears = figures["synthetic_smears"]
    rows.append(
        (
            "white cells found; red cells taken for white",
            f"{len(smears)} synthetic smears, never trained on",
            "; ".join(
                (
                    f"{_sum(smears, 'found')} of {_sum(smears, 'white')}",
                    f"{_sum(smears, 'red_taken_for_white')} of {_sum(smears, 'red')}",
                )
            ),
        )
    )
    return rows


def _left_out_row(source: str, found: dict[str, Any]) -> Row:
    return (
        "white-cell recall, precision; this source left out of training",
        f"TXL-PBC, all {found['images']} images from {source}",
        f"{with_interval(found['recall'])}, {with_interval(found['precision'])}",
    )


def _calling_rows(figures: dict[str, Any]) -> list[Row]:
    cells = figures["all4_cells_test"]
    groups = f"{cells['swapped']['samples']} cells of {cells['swapped']['groups']} held-out groups"
    rows = [
        (
            "**weighted F1 of five classes, colours swapped**",
            f"ALL-4-class and TXL-PBC test splits, {groups}",
            f"**{with_interval(cells['swapped'])}**",
        ),
        ("– colour alone, same cells", "same", with_interval(cells["colour_only_swapped"])),
        ("– above colour alone, paired", "same", with_interval(cells["swapped_above_colour_only"])),
        ("weighted F1, colours as they are", "same", with_interval(cells["clean"])),
        ("– colour alone, same cells", "same", with_interval(cells["colour_only_clean"])),
    ]
    malignant = cells["malignant_called_blast"]
    rows.append(
        (
            "malignant cells called a blast",
            f"ALL-4-class, {malignant['cells']} cells of held-out groups",
            with_interval(malignant["share"]),
        )
    )
    for key, name in (("bccd_called_blast", "BCCD"), ("cellavision_called_blast", "CellaVision")):
        part = figures[key]
        rows.append(
            (
                "normal white cells called a blast",
                f"{name}, {part['cells']} cells found, {part['unidentified']} unidentified",
                with_interval(part["share"]),
            )
        )
    auroc = figures["cnmc_as_cell"]["auroc"]
    rows.append(
        (
            "AUROC of blast against normal, `--as cell`",
            f"C-NMC 2019, never trained on, {auroc['samples']} cells, {auroc['groups']} subjects",
            with_interval(auroc),
        )
    )
    return rows


def _sum(rows: list[dict[str, Any]], key: str) -> int:
    return sum(int(row[key]) for row in rows)


if __name__ == "__main__":
    main()
