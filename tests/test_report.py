"""The report and the tables: what they say, and what they never say."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.made_results import cell, picture, result_of
from yolo_leuk.detect.cells_csv import cells_csv
from yolo_leuk.detect.gallery import CROP_PX, MAX_PER_CLASS, crop_cell
from yolo_leuk.detect.geojson import cells_geojson
from yolo_leuk.detect.palette import class_colours
from yolo_leuk.detect.report import picture_side_px, report_page, report_section
from yolo_leuk.detect.wording import probability
from yolo_leuk.errors import ImageError
from yolo_leuk.labels import MATURITY, LabelScheme
from yolo_leuk.markup import Html, fill
from yolo_leuk.records import UNIDENTIFIED

COLOURS = class_colours(MATURITY)
VOID = {"meta", "img", "br"}
NASTY = """<b>&"'$title.jpg"""


class Page(HTMLParser):
    """Collects text, attributes and whether the tags are balanced."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def values(self, tag: str, attribute: str) -> list[str]:
        return [v for t, a, v in self.attributes if (t, a) == (tag, attribute)]

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.texts.append(data)


def page_of(*results, failures=(), title="smear.jpg", labels=MATURITY) -> str:
    sections = [
        report_section(
            picture(),
            picture(),
            result,
            labels,
            class_colours(labels),
            heading=result.image.path,
            folder=f"smear {number}",
        )
        for number, result in enumerate(results)
    ]
    return report_page(title, sections, failures, labels)


def twelve_cells():
    labels = ["Pre"] * 4 + ["Other"] * 5 + ["Benign"] * 2 + [UNIDENTIFIED]
    return [
        cell(i + 1, (20 * i, 40, 20 * i + 18, 60), label, 0.5 + 0.03 * i)
        for i, label in enumerate(labels)
    ]


# --- the report -----------------------------------------------------------------------------------


def test_the_report_needs_nothing_but_itself():
    html = page_of(result_of(twelve_cells()))
    page = Page(html)
    assert "<script" not in html
    assert not re.search(r"https?:|@import|url\(", html)
    sources = page.values("img", "src")
    assert len(sources) == 1 + 12
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert any("default-src 'none'" in policy for policy in page.values("meta", "content"))


def test_every_picture_in_the_report_can_be_decoded_and_holds_no_metadata():
    for source in Page(page_of(result_of(twelve_cells()))).values("img", "src"):
        content = base64.b64decode(source.partition(",")[2])
        assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) is not None
        assert b"Exif" not in content


def test_the_report_says_counts_fraction_interval_and_what_the_interval_is_not():
    text = Page(page_of(result_of(twelve_cells()))).text
    assert "Pre blast pre-B lymphoblasts 4 36.4%" in text
    assert "Other all other white cells 5 45.5%" in text
    assert "White cells found 12" in text
    assert "36.4% 95% interval 15.2% to 64.6% 4 of 11 called white cells" in text
    assert "counting error only" in text
    assert "weak under 100 cells; here there are 11" in text


def test_with_many_cells_the_report_does_not_complain_of_few():
    cells = [cell(i + 1, (10, 10, 30, 30), "Other") for i in range(100)]
    text = Page(page_of(result_of(cells))).text
    assert "weak under 100 cells." in text
    assert "here there are" not in text


def test_the_report_says_that_it_does_not_diagnose():
    text = Page(page_of(result_of([]))).text
    assert "locates, counts and suggests; it does not diagnose" in text


def test_without_called_cells_the_report_gives_the_reason_instead_of_a_fraction():
    text = Page(page_of(result_of([]))).text
    assert "None is given: no white cell was called" in text


def test_warnings_stand_in_a_box_and_no_box_without_them():
    quiet, loud = (result_of([], warnings=w) for w in ((), ("the light is uneven",)))
    assert 'class="box"' not in page_of(quiet)
    html = page_of(loud)
    assert 'class="box"' in html
    assert "the light is uneven" in Page(html).text


def test_scale_model_and_hashes_are_told():
    text = Page(page_of(result_of([]))).text
    assert "a red cell is 31 pixels wide, measured on the image (confidence 0.80)" in text
    assert "made for tests" in text
    assert "cd" * 32 in text
    assert "ab" * 32 in text


def test_cells_stand_by_class_and_the_most_probable_first():
    captions = re.findall(
        r"<figcaption><b>(\d+)</b> (.+?)</figcaption>", page_of(result_of(twelve_cells()))
    )
    numbers = [int(number) for number, _ in captions]
    assert numbers == [11, 10, 4, 3, 2, 1, 9, 8, 7, 6, 5, 12]  # Benign, Pre, Other, unidentified
    assert captions[0] == ("11", "80%")
    assert captions[-1] == ("12", "Pre? 83%")


def test_a_long_gallery_is_cut_and_says_so():
    cells = [cell(i + 1, (10, 10, 30, 30)) for i in range(MAX_PER_CLASS + 3)]
    html = page_of(result_of(cells))
    assert html.count('class="cell"') == MAX_PER_CLASS
    assert "3 cells not shown here" in Page(html).text


def test_whatever_a_file_is_called_the_page_stays_whole():
    failure = (Path(NASTY), ImageError(f"{NASTY} is cut off", hint="<i>copy</i> it"))
    result = result_of([cell(1, (10, 10, 30, 30))], name=NASTY, warnings=("<script>x</script>",))
    html = page_of(result, result, failures=[failure], title=NASTY)
    page = Page(html)
    assert "<b>&" not in html
    assert "<script>" not in html
    assert page.text.count(NASTY) >= 5
    assert page.values("img", "alt")[0] == f"{NASTY} with 1 boxed cell"


def test_names_of_classes_are_escaped_too():
    labels = LabelScheme(("<u>", "&"), frozenset({"&"}))
    result = result_of([])
    html = page_of(result, labels=labels)
    assert "<u>" not in html
    assert "&lt;u&gt;" in html


def test_failures_are_listed_by_file_name_without_the_folder():
    path = Path("/home/somebody/patients/smear 7.jpg")
    error = ImageError(f"{path} is cut off", hint="Copy the file again.")
    html = page_of(result_of([]), failures=[(path, error)])
    assert "smear 7.jpg is cut off. Copy the file again." in Page(html).text
    assert "somebody" not in html


def test_several_images_have_an_overview_that_leads_to_each():
    assert "All images" not in Page(page_of(result_of([]))).text
    page = Page(page_of(result_of(twelve_cells(), name="a.jpg"), result_of([], name="b.jpg")))
    assert "All images" in page.text
    targets = [href[1:] for href in page.values("a", "href") if href.startswith("#")]
    assert targets == page.values("section", "id")
    assert len(targets) == 2


def test_links_to_the_files_of_an_image_are_relative_and_quoted():
    links = Page(page_of(result_of([]))).values("a", "href")
    assert "smear%200/annotated.jpg" in links
    assert all(not link.startswith("/") for link in links)


def test_pictures_shrink_where_many_would_make_the_page_heavy():
    sides = [picture_side_px(count) for count in (1, 20, 80, 1000)]
    assert sides == [1600, 1600, 800, 640]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "<1%"), (0.5, "50%"), (0.994, "99%"), (0.998, ">99%"), (1, ">99%")]
)
def test_no_probability_is_shown_as_certain(value, text):
    assert probability(value) == text


def test_a_template_takes_html_as_it_is_and_escapes_the_rest():
    assert fill("<p>$a $b</p>", a=Html("<i>x</i>"), b="<i>") == "<p><i>x</i> &lt;i&gt;</p>"
    with pytest.raises(KeyError):
        fill("$missing")


@pytest.mark.parametrize(
    "box", [(100, 100, 140, 120), (-3, -2, 30, 30), (300, 220, 320, 240), (0, 0, 320, 240)]
)
def test_a_crop_is_square_and_centred_on_its_cell_even_at_the_edge(box):
    rgb = np.full((240, 320, 3), 255, np.uint8)
    centre = round((box[0] + box[2]) / 2), round((box[1] + box[3]) / 2)
    cv2.circle(rgb, centre, 4, (200, 0, 0), cv2.FILLED)
    crop = crop_cell(rgb, cell(1, box))
    assert crop.shape == (CROP_PX, CROP_PX, 3)
    ys, xs = np.nonzero(crop[:, :, 1] < 100)
    assert (xs.mean(), ys.mean()) == pytest.approx((CROP_PX / 2, CROP_PX / 2), abs=5)


# --- the tables -----------------------------------------------------------------------------------


def test_the_csv_has_a_row_per_cell_and_a_column_per_class():
    result = result_of(twelve_cells(), name="a, b.jpg")
    rows = list(csv.DictReader(io.StringIO(cells_csv(result, MATURITY))))
    assert len(rows) == 12
    assert rows[0]["image"] == "a, b.jpg"
    assert [float(rows[0][key]) for key in ("x1", "y1", "x2", "y2")] == [0, 40, 18, 60]
    assert (rows[0]["label"], rows[11]["status"]) == ("Pre", UNIDENTIFIED)
    total = sum(float(rows[0][f"p_{name}"]) for name in MATURITY.names)
    assert total == pytest.approx(1, abs=0.001)


def test_the_csv_of_no_cells_is_its_header():
    assert cells_csv(result_of([]), MATURITY).count("\n") == 1


def test_the_geojson_is_what_qupath_reads():
    collection = json.loads(json.dumps(cells_geojson(result_of(twelve_cells()), COLOURS)))
    assert collection["type"] == "FeatureCollection"
    assert len(collection["features"]) == 12
    feature = collection["features"][0]
    assert feature["geometry"]["type"] == "Polygon"
    (ring,) = feature["geometry"]["coordinates"]
    assert ring == [[0, 40], [18, 40], [18, 60], [0, 60], [0, 40]]
    properties = feature["properties"]
    assert properties["objectType"] == "detection"
    assert properties["classification"] == {"name": "Pre", "color": [230, 159, 0]}
    assert all(isinstance(value, float | int) for value in properties["measurements"].values())


def test_the_objects_of_the_geojson_have_ids_that_last():
    cells = twelve_cells()
    first, second = (cells_geojson(result_of(cells), COLOURS) for _ in range(2))
    other = cells_geojson(result_of(cells, sha256="00" * 32), COLOURS)
    ids = [[feature["id"] for feature in c["features"]] for c in (first, second, other)]
    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])
    assert len(set(ids[0])) == 12
