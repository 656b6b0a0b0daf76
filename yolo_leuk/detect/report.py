"""report.html: one page that holds everything it shows, for screen and paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from yolo_leuk import __version__
from yolo_leuk.detect.gallery import gallery
from yolo_leuk.detect.palette import Colour, css
from yolo_leuk.detect.wording import (
    DECISION_SUPPORT,
    blast_count,
    counted,
    interval,
    meaning,
    percent,
    probability,
    unit,
)
from yolo_leuk.image_files import Failure, display_name
from yolo_leuk.jpeg import jpeg_uri
from yolo_leuk.labels import LabelScheme
from yolo_leuk.markup import Html, fill, join, page
from yolo_leuk.pipeline import FEW_CELLS
from yolo_leuk.records import UNIDENTIFIED, Image, Scale, SmearResult

_PICTURE_QUALITY = 85
_LARGEST_PICTURE_PX = 1600
_SMALLEST_PICTURE_PX = 640
_IMAGES_AT_FULL_SIZE = 20

_SECTION = """
<section id="$anchor">
<h2>$heading</h2>
<p class="faint">$facts</p>
$warnings
<div class="findings">
<table>
<tr><th scope="col">class</th><th scope="col">${unit}s</th><th scope="col">$share</th></tr>
$rows
<tr class="total"><td>$all</td><td>$found</td><td></td></tr>
</table>
<div class="panel">$blasts</div>
</div>
<figure class="picture">
<img src="$picture" alt="$name$boxes"/>
<figcaption class="faint">$key
In full size: <a href="$folder/annotated.jpg">annotated.jpg</a>;
as tables: <a href="$folder/cells.csv">cells.csv</a>,
<a href="$folder/result.json">result.json</a>,
<a href="$folder/cells.geojson">cells.geojson</a> (QuPath).</figcaption>
</figure>
$gallery
<p class="faint file">$file_facts</p>
</section>
"""

_KEY = (
    "The numbers are those of the cells below, where the percentage is the probability of the "
    "class."
)

_COUNT = """<tr><td><span class="swatch" style="background:$colour"></span>$name$tag
<span class="faint">$meaning</span></td><td>$count</td><td>$share</td></tr>
"""

_BLAST_TAG = Html('<span class="tag">blast</span>')

_BLASTS = """<p class="kicker">Blast fraction</p>
<p class="figure">$estimate</p>
<p>95% interval $interval<br/>$blasts of $cells</p>
<div class="axis"><div class="range" style="left:$low;width:$width"></div>
<div class="point" style="left:$estimate"></div></div>
<div class="ticks"><span>0%</span><span>50%</span><span>100%</span></div>
<p class="faint">The interval is the counting error only: it knows nothing of wrong calls.
$few</p>
"""

_NO_BLASTS = """<p class="kicker">Blast fraction</p>
<p class="figure">–</p>
<p>None is given: $reason</p>
"""

_BOX = """<div class="box" role="note"><b>$title</b><ul>$items</ul></div>"""
_ITEM = "<li>$text</li>\n"
_FACT = "<dt>$name</dt><dd>$value</dd>\n"

_OVERVIEW = """
<section class="flow">
<h2>All images</h2>
<div class="scroll"><table>
<tr><th scope="col">image</th>$heads<th scope="col">blast fraction</th>
<th scope="col">95% interval</th><th scope="col">warnings</th></tr>
$rows
</table></div>
</section>
"""

_OVERVIEW_ROW = """<tr><td><a href="#$anchor">$name</a></td>$counts<td>$estimate</td>
<td>$interval</td><td>$warnings</td></tr>
"""


@dataclass(frozen=True)
class ReportSection:
    """What the report says of one image, with the pictures in it but without the image itself.

    Attributes:
        anchor: Where links inside of the page lead to.
        result: What was found.
        html: The section.
    """

    anchor: str
    result: SmearResult
    html: Html


def picture_side_px(image_count: int) -> int:
    """Longer side of the pictures in a report, less where many make the file large."""
    shrink = math.sqrt(_IMAGES_AT_FULL_SIZE / max(image_count, _IMAGES_AT_FULL_SIZE))
    return max(_SMALLEST_PICTURE_PX, round(_LARGEST_PICTURE_PX * shrink))


def report_section(
    image: Image,
    marked: Image,
    result: SmearResult,
    labels: LabelScheme,
    colours: dict[str, Colour],
    *,
    heading: str,
    folder: str,
) -> ReportSection:
    """The section of one image.

    Args:
        image: RGB; the gallery is cut from it.
        marked: RGB; the picture to show, with the cells marked.
        result: What was found in the image.
        labels: The classes, in order.
        colours: Of each class and of ``unidentified``.
        heading: Of the section.
        folder: Name of the image's folder, which lies beside the report.
    """
    anchor = f"image-{quote(folder)}"
    is_whole = result.view == "image"
    html = fill(
        _SECTION,
        anchor=anchor,
        heading=heading,
        name=result.image.path,
        facts=_facts_of(result),
        warnings=_box("To be considered", result.warnings),
        rows=_count_rows(result, labels, colours),
        unit=unit(result),
        share="probability" if is_whole else "of those called",
        all="Pictures classified whole" if is_whole else "White cells found",
        found=len(result.cells),
        blasts=_blast_panel(result, labels),
        picture=jpeg_uri(marked, _PICTURE_QUALITY),
        boxes="" if is_whole else f" with {counted(len(result.cells), 'boxed cell')}",
        key="" if is_whole else _KEY,
        folder=quote(folder),
        gallery=gallery(image, result, labels, colours),
        file_facts=_file_facts(result),
    )
    return ReportSection(anchor, result, html)


def report_page(
    title: str, sections: Sequence[ReportSection], failures: Sequence[Failure], labels: LabelScheme
) -> str:
    """The whole page.

    Args:
        title: Name of the image, or of the run where there are several.
        sections: One for each image that could be used, in order.
        failures: Inputs that could not be used.
        labels: The classes, in order.
    """
    results = [section.result for section in sections]
    return page(
        "yolo_leuk.detect",
        f"White cells: {title}",
        heading=title,
        summary=f"{counted(len(results), 'image')}, {_found(results)}",
        purpose=DECISION_SUPPORT,
        failures=_box("Not in this report", [_failure_text(failure) for failure in failures]),
        overview=_overview(sections, labels) if len(sections) > 1 else "",
        sections=join(section.html for section in sections),
        facts=_run_facts(results),
    )


def _found(results: Sequence[SmearResult]) -> str:
    if any(result.view == "image" for result in results):  # of a run, all or none
        return "classified whole"
    return f"{counted(sum(len(result.cells) for result in results), 'white cell')} found"


def _facts_of(result: SmearResult) -> str:
    size = f"{result.image.width} × {result.image.height} pixels"
    return f"{size} · {_scale_text(result.scale)}"


def _scale_text(scale: Scale) -> str:
    if scale.px_per_rbc is None or scale.source == "none":
        return "size of a red cell not known"
    if scale.source == "given":
        return f"a red cell is {scale.px_per_rbc:.0f} pixels wide, as given"
    if scale.confidence == 0:
        return f"a red cell is taken to be {scale.px_per_rbc:.0f} pixels wide"
    confidence = f"confidence {scale.confidence:.2f}"
    return f"a red cell is {scale.px_per_rbc:.0f} pixels wide, measured on the image ({confidence})"


def _count_rows(result: SmearResult, labels: LabelScheme, colours: dict[str, Colour]) -> Html:
    return join(
        fill(
            _COUNT,
            colour=css(colours[name]),
            name=name,
            tag=_BLAST_TAG if name in labels.blasts else "",
            meaning=meaning(name, labels),
            count=result.counts.get(name, 0),
            share=_share(result, name, labels),
        )
        for name in (*labels.names, UNIDENTIFIED)
    )


def _share(result: SmearResult, name: str, labels: LabelScheme) -> str:
    """Of the called cells those of a class, or its probability for a picture classified whole."""
    if name == UNIDENTIFIED:
        return "–"
    if result.view == "image":
        (whole,) = result.cells
        return probability(whole.probabilities[name])
    called = sum(result.counts.get(name, 0) for name in labels.names)
    return percent(result.counts.get(name, 0) / called) if called else "–"


def _blast_panel(result: SmearResult, labels: LabelScheme) -> Html:
    fraction = result.blast_fraction
    if fraction is None:
        return fill(_NO_BLASTS, reason=result.blast_fraction_reason)
    few = f"It is weak under {FEW_CELLS} cells"
    return fill(
        _BLASTS,
        estimate=percent(fraction.estimate),
        interval=interval(fraction),
        blasts=blast_count(result, labels),
        cells=counted(fraction.cells, "called white cell"),
        low=percent(fraction.low),
        width=percent(fraction.high - fraction.low),
        few=f"{few}; here there are {fraction.cells}." if fraction.cells < FEW_CELLS else f"{few}.",
    )


def _overview(sections: Sequence[ReportSection], labels: LabelScheme) -> Html:
    names = (*labels.names, UNIDENTIFIED)
    return fill(
        _OVERVIEW,
        heads=join(fill('<th scope="col">$name</th>', name=name) for name in names),
        rows=join(_overview_row(section, names) for section in sections),
    )


def _overview_row(section: ReportSection, names: Sequence[str]) -> Html:
    result = section.result
    fraction = result.blast_fraction
    return fill(
        _OVERVIEW_ROW,
        anchor=section.anchor,
        name=result.image.path,
        counts=join(fill("<td>$n</td>", n=result.counts.get(name, 0)) for name in names),
        estimate=percent(fraction.estimate) if fraction else "–",
        interval=interval(fraction) if fraction else "–",
        warnings=len(result.warnings) or "",
    )


def _box(title: str, items: Sequence[str]) -> Html:
    if not items:
        return Html()
    return fill(_BOX, title=title, items=join(fill(_ITEM, text=item) for item in items))


def _failure_text(failure: Failure) -> str:
    """The error without the folder that the file lies in."""
    path, error = failure
    name = display_name(path)
    message = str(error).replace(str(path), name)
    return f"{message}. {error.hint}" if error.hint else message


def _run_facts(results: Sequence[SmearResult]) -> Html:
    facts = {
        "made": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "program": f"yolo-leuk {__version__}",
    }
    if results:
        model = results[0].model
        facts["pipeline"] = f"{model['pipeline']} (SHA-256 {model['sha256']})"
        if "detector" in model:
            facts["cells found by"] = model["detector"]["name"]
        facts["called by"] = ", ".join(str(member["name"]) for member in model["members"])
        if len(model["weights"]) > 1:
            facts["weights"] = ", ".join(f"{weight:.3f}" for weight in model["weights"])
    return join(fill(_FACT, name=name, value=value) for name, value in facts.items())


def _file_facts(result: SmearResult) -> str:
    times = ", ".join(f"{step} {ms:.0f} ms" for step, ms in result.timing_ms.items())
    return f"SHA-256 of the image {result.image.sha256} · {times}"
