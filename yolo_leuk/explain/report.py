"""report.html: one page that holds everything it shows, for screen and paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from yolo_leuk import __version__
from yolo_leuk.explain.explanation import Explanation, VoiceSummary
from yolo_leuk.explain.files import Picture
from yolo_leuk.image_files import Failure, display_name
from yolo_leuk.jpeg import at_most, jpeg_uri
from yolo_leuk.markup import Html, fill, join, page

_QUALITY = 88

_PURPOSE = (
    "Decision support for trained people and research. yolo-leuk suggests; it does not diagnose. "
    "Heat shows what a net's answer rests on. It says nothing of whether the answer is right."
)
_READING = (
    "A net that looks at cells has far more of its heat on them than their share of the area, "
    "which is what chance would put there. Every window counts the same."
)

_BOX = '<div class="box" role="note"><b>$title</b><ul>$items</ul></div>\n'
_ITEM = "<li>$text</li>\n"
_FACT = "<dt>$name</dt><dd>$value</dd>\n"

_OVERVIEW = """<div class="scroll"><table>
<tr><th scope="col">image</th><th scope="col">member</th><th scope="col">class</th>
<th scope="col">probability</th><th scope="col">heat on cells</th>
<th scope="col">area of cells</th></tr>
$rows
</table></div>
"""
_ROW = """<tr><td><a href="#$anchor">$image</a></td><td>$member</td><td>$classes</td>
<td class="number">$probability</td><td class="number">$on_cells</td>
<td class="number">$area</td></tr>
"""

_SECTION = """<section id="$anchor">
<h2>$name</h2>
<p class="faint">$facts</p>
$warnings
$figures
<p class="faint">As numbers: <a href="$folder/explanation.json">explanation.json</a>$numbers</p>
</section>
"""
_NUMBERS = Html(', <a href="$folder/heat.npz">heat.npz</a>')
_FIGURE = (
    '<figure><a href="$folder/$file"><img src="$uri" alt="$text"/></a>'
    "<figcaption>$text</figcaption></figure>\n"
)


@dataclass(frozen=True)
class Section:
    """What the page says of one picture.

    Attributes:
        explanation: What was found.
        anchor: Where links inside of the page lead to.
        html: The section.
    """

    explanation: Explanation
    anchor: str
    html: Html


def report_section(explanation: Explanation, pictures: Sequence[Picture], folder: str) -> Section:
    """The section of one picture.

    Args:
        explanation: What was found.
        pictures: All that were drawn.
        folder: Name of its folder, which lies beside the page.
    """
    anchor = f"image-{quote(folder)}"
    beside = quote(folder)
    html = fill(
        _SECTION,
        anchor=anchor,
        name=explanation.image.path,
        facts=_facts_of(explanation),
        warnings=_box("To be considered", explanation.warnings),
        figures=join(_figure(picture, beside) for picture in pictures),
        folder=beside,
        numbers=fill(_NUMBERS, folder=beside) if explanation.windows else "",
    )
    return Section(explanation, anchor, html)


def report_page(
    title: str, sections: Sequence[Section], failures: Sequence[Failure], notes: Sequence[str]
) -> str:
    """The whole page.

    Args:
        title: Name of the picture, or of the run where there are several.
        sections: One for each picture that could be used, in order.
        failures: Inputs that could not be used.
        notes: What was chosen for the user.
    """
    first = sections[0].explanation
    return page(
        "yolo_leuk.explain",
        f"Explanation: {title}",
        heading=title,
        summary=f"{first.model['name']} ({first.model['kind']}), by {first.method}",
        purpose=_PURPOSE,
        failures=_box("Not in this report", [_failure_text(failure) for failure in failures]),
        reading=_READING,
        overview=fill(
            _OVERVIEW, rows=join(_row(s, v) for s in sections for v in s.explanation.summaries)
        ),
        sections=join(section.html for section in sections),
        facts=join(fill(_FACT, name=name, value=value) for name, value in _facts(first, notes)),
    )


def _row(section: Section, summary: VoiceSummary) -> Html:
    return fill(
        _ROW,
        anchor=section.anchor,
        image=section.explanation.image.path,
        member=summary.voice.name,
        classes=section.explanation.classes or "–",
        probability="–" if summary.probability is None else f"{summary.probability:.2f}",
        on_cells=_percent(summary.on_cells),
        area=_percent(summary.cell_area),
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _facts_of(explanation: Explanation) -> str:
    image = explanation.image
    facts = [f"{image.width} × {image.height} pixels", f"taken for a {explanation.view}"]
    if explanation.view == "field":
        facts.append(f"{len(explanation.windows)} cells")
    if explanation.scale.px_per_rbc is not None:
        facts.append(f"a red cell is {explanation.scale.px_per_rbc:.0f} pixels wide")
    return " · ".join(facts)


def _figure(picture: Picture, folder: str) -> Html:
    uri = jpeg_uri(at_most(picture.rgb, picture.longest_px), _QUALITY)
    return fill(_FIGURE, folder=folder, file=quote(picture.name), uri=uri, text=picture.text)


def _facts(explanation: Explanation, notes: Sequence[str]) -> list[tuple[str, str]]:
    settings = ", ".join(f"{name} {value}" for name, value in explanation.settings.items())
    return [
        ("made", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")),
        ("program", f"yolo-leuk {__version__}"),
        ("model", f"{explanation.model['name']} (SHA-256 {explanation.model['sha256']})"),
        ("method", f"{explanation.method}: {settings}"),
        *(("note", note) for note in notes),
    ]


def _box(title: str, items: Sequence[str]) -> Html:
    if not items:
        return Html()
    return fill(_BOX, title=title, items=join(fill(_ITEM, text=item) for item in items))


def _failure_text(failure: Failure) -> str:
    """The error without the folder that the file lies in."""
    path, error = failure
    message = str(error).replace(str(path), display_name(path))
    return f"{message}. {error.hint}" if error.hint else message
