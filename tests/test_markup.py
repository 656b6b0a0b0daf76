"""Templates, and the head that all pages share."""

from __future__ import annotations

import pytest

from yolo_leuk.markup import page

ROOMS = {
    "yolo_leuk.audit": dict.fromkeys(
        ("heading", "summary", "verdict", "overview", "sections", "facts"), "<x>"
    ),
    "yolo_leuk.detect": dict.fromkeys(
        ("heading", "summary", "purpose", "failures", "overview", "sections", "facts"), "<x>"
    ),
}


def test_the_pages_of_all_rooms_share_one_head_up_to_their_own_style():
    audit, detect = (page(room, "same", **values) for room, values in ROOMS.items())
    shared = audit[: audit.index("</style>")]
    own = 0
    while shared[own] == detect[own]:
        own += 1
    assert "Content-Security-Policy" in shared[:own]
    assert "@media print" in shared[:own]
    assert ".verdict" in audit
    assert ".verdict" not in detect


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_is_whole_and_what_is_put_in_is_escaped(room):
    made = page(room, "a < b", **ROOMS[room])
    assert made.startswith("<!doctype html>")
    assert made.endswith("</body>\n</html>\n")
    assert "<title>a &lt; b</title>" in made
    assert "<x>" not in made
    for tag in ("html", "head", "style", "body", "header"):
        assert made.count(f"<{tag}") - made.count("<header") * (tag == "head") == 1
        assert made.count(f"</{tag}>") == 1


@pytest.mark.parametrize("room", ROOMS)
def test_a_page_lacks_no_value(room):
    for missing in ROOMS[room]:
        values = {name: value for name, value in ROOMS[room].items() if name != missing}
        with pytest.raises(KeyError, match=missing):
            page(room, "title", **values)
