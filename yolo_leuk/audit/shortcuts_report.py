"""The sections of the page about what gives the class away, beside the cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from yolo_leuk.audit.exhibits import painted_out_uri, picture_uri, region_uri, some_of_each_class
from yolo_leuk.audit.findings import percent
from yolo_leuk.audit.page_parts import capital, figure, note, table
from yolo_leuk.audit.pictures import Picture
from yolo_leuk.audit.probe import Score
from yolo_leuk.audit.result import Audit, Shortcuts
from yolo_leuk.audit.scan import Clues
from yolo_leuk.markup import Html, fill, join

_PICTURES_OF_A_CLASS = 4

_WARNING = '<div class="box" role="note">$text</div>\n'
_CLASS_ROW = '<h3>$label</h3>\n<div class="strip">$figures</div>\n'
_SWATCH = '<span class="swatch" style="background:rgb($red,$green,$blue)"></span>'
_PLACE = '<div class="place $kind" style="grid-area:$area"><b>$score</b><br/>$name</div>\n'


def _warning(shortcuts: Shortcuts) -> Html:
    warning = shortcuts.trials.warning
    return fill(_WARNING, text=f"{capital(warning)}.") if warning else Html()


def _score_table(scores: Sequence[Score]) -> Html:
    labels = sorted({label for score in scores for label in score.recall})
    rows = [
        [
            score.tested_on,
            f"{score.pictures:,}",
            percent(score.accuracy),
            percent(score.majority),
            percent(score.balanced_accuracy),
            percent(score.chance),
            *(percent(score.recall[label]) if label in score.recall else "–" for label in labels),
        ]
        for score in scores
    ]
    head = ["tried on", "pictures", "right", "commonest class", "balanced", "a guess"]
    return table([*head, *(f"{label} right" for label in labels)], rows)


def colour(audit: Audit, clues: Mapping[str, Clues]) -> Html:
    """How well colour alone predicts the class, and the colours of each."""
    if audit.shortcuts is None:
        return Html()
    return join(
        [
            _warning(audit.shortcuts),
            _score_table(audit.shortcuts.colour_only),
            _colours_of_classes(audit.data_set.pictures, clues),
        ]
    )


def _colours_of_classes(pictures: Sequence[Picture], clues: Mapping[str, Clues]) -> Html:
    """Median of the eleven numbers over the pictures of each class."""
    rows = []
    for label in sorted({picture.label for picture in pictures if picture.label}):
        own = [clues[p.path].colours for p in pictures if p.label == label and p.path in clues]
        if not own:
            continue
        middle = np.median(np.stack(own), axis=0)
        brightness = ", ".join(f"{value:.0f}" for value in middle[6:])
        rows.append([label, _swatch(middle[:3]), _swatch(middle[3:6]), brightness])
    return table(["class", "brightest tenth", "darkest tenth", "brightness at 5–95 %"], rows)


def _swatch(rgb: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Html:
    red, green, blue = (int(value) for value in rgb)
    shown = fill(_SWATCH, red=red, green=green, blue=blue)
    return join([shown, fill("$red, $green, $blue", red=red, green=green, blue=blue)])


_AREAS = {
    "upper left": "1 / 1",
    "top": "1 / 2",
    "upper right": "1 / 3",
    "left": "2 / 1",
    "right": "2 / 3",
    "lower left": "3 / 1",
    "bottom": "3 / 2",
    "lower right": "3 / 3",
}


def regions(audit: Audit) -> Html:
    """How well each corner and strip does, where it lies, and how the best one looks."""
    if audit.shortcuts is None:
        return Html()
    regions = audit.shortcuts.regions
    last = {region.region: region.scores[-1] for region in regions}
    stand_out = {region.region for region in regions if region.stands_out}
    places = join(
        fill(
            _PLACE,
            kind="out" if name in stand_out else "",
            area=area,
            score=percent(last[name].balanced_accuracy),
            name=name,
        )
        for name, area in _AREAS.items()
    )
    score = next(iter(last.values()))
    parts = [
        fill('<div class="map">$places</div>', places=places),
        note(
            f"Balanced accuracy on {score.tested_on} of each region by itself; a guess has "
            f"{percent(score.chance)}. Colour and contrast are taken out."
        ),
    ]
    best = max(
        regions, key=lambda region: (region.stands_out, last[region.region].balanced_accuracy)
    )
    if last[best.region].is_above_chance:
        parts.append(_region_examples(audit, best.region))
    return join(parts)


def _region_examples(audit: Audit, region: str) -> Html:
    rows = []
    for label, pictures in _examples(audit).items():
        figures = join(
            figure(
                region_uri(picture, region),
                alt=f"{region} of {picture.path}",
                caption=picture.path.rsplit("/", 1)[-1],
            )
            for picture in pictures
        )
        rows.append(fill(_CLASS_ROW, label=f"{label}, {region}", figures=figures))
    return join(rows)


def without_cells(audit: Audit) -> Html:
    """How well what is left without cells does, and what is left."""
    if audit.shortcuts is None:
        return Html()
    rows = []
    for label, pictures in _examples(audit).items():
        figures = join(
            figure(uri(picture), alt=f"{what} {picture.path}", caption=what)
            for picture in pictures[:2]
            for uri, what in ((picture_uri, "as it is"), (painted_out_uri, "without cells"))
        )
        rows.append(fill(_CLASS_ROW, label=label, figures=figures))
    return join([_score_table(audit.shortcuts.without_cells), *rows])


def _examples(audit: Audit) -> dict[str, list[Picture]]:
    broken = {unreadable.picture for unreadable in audit.unreadable}
    readable = [picture for picture in audit.data_set.pictures if picture not in broken]
    return some_of_each_class(readable, _PICTURES_OF_A_CLASS)
