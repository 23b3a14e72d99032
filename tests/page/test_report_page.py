"""The parts of a report page: what the script is given to draw, and which columns sort as numbers."""

import math

import pytest

from softmax_cli.page.report import (
    MOST_ROWS,
    Tile,
    curve_chart,
    histogram_chart,
    number,
    reliability_chart,
    report_page,
    table,
)


def test_empty_bins_are_not_drawn():
    chart = reliability_chart("text", [(0.0, 0.5, 0, math.nan, math.nan), (0.5, 1.0, 3, 0.75, 2 / 3)], "mine")
    assert chart.id == "mine"
    assert chart.data["bins"] == [{"lower": 0.5, "upper": 1.0, "rows": 3, "confidence": 0.75, "accuracy": 2 / 3}]


def test_a_histogram():
    data = histogram_chart("h", "Title", "text", "share", ("right", ""), [(3, 0), (1, 2)]).data
    assert data["bins"] == [{"right": 3, "wrong": 0}, {"right": 1, "wrong": 2}]
    assert (data["x"], data["parts"], data["range"]) == ("share", ["right", ""], [0, 1])


@pytest.mark.parametrize(("values", "low"), [([0.1, 0.9], 0.0), ([0.8, 0.9], 0.8), ([-0.5, 0.9], -0.5)])
def test_a_curve_begins_at_0_unless_it_would_be_flat(values, low):
    points = [(x, y, f"point {x}") for x, y in enumerate(values, 1)]
    data = curve_chart("c", "Title", "text", ("T", "loss"), points).data
    assert (data["low"], data["range"]) == (low, [0.0, 2])
    assert data["points"][1] == {"x": 2, "y": values[1], "text": "point 2"}
    assert curve_chart("c", "Title", "text", ("T", "loss"), []).data["points"] == []


def test_columns_of_numbers_sort_as_numbers():
    rows = [("1", "1,234", "-0.5", "12 %", "unknown", "x"), ("2", "", "1.25", "0.1 %", "0.5", "3")]
    found = table("t", "Title", "text", ("a", "b", "c", "d", "e", "f"), rows)
    assert dict(found.columns) == {"a": False, "b": True, "c": True, "d": True, "e": True, "f": False}


@pytest.mark.parametrize("cell", [">.9999", "<.0001", "+0.0012", "-1,234.5", "3.2e-05", "inf", "5.1 %", "12"])
def test_every_spelling_of_a_number_is_one(cell):
    assert table("t", "", "", ("a", "b"), [("x", cell)]).columns[1] == ("b", True)


@pytest.mark.parametrize("cell", ["1, 2", "e5", "1-2", "95 %: 0.1 to 0.2", "."])
def test_other_text_is_none(cell):
    assert table("t", "", "", ("a", "b"), [("x", cell)]).columns[1] == ("b", False)


def test_a_long_table_is_cut_and_says_so():
    found = table("t", "Title", "Text.", ("a",), [(str(i),) for i in range(MOST_ROWS + 1)])
    assert len(found.rows) == MOST_ROWS
    assert found.text == "Text. The first 1,000 of 1,001."


def test_numbers():
    assert [number(value) for value in (0.123456, math.nan, math.inf)] == ["0.1235", "unknown", "inf"]


def test_a_page_has_its_parts_in_order():
    pytest.importorskip("jinja2")
    chart = histogram_chart("h", "A chart", "look here", "x", ("a", "b"), [(1, 2)])
    rows = table("t", "A table", "", ("name", "n"), [("row", "5")])
    parts = {
        "verdict": ["a verdict"],
        "tiles": [Tile("accuracy", "0.9", "a share")],
        "charts": [chart],
        "tables": [rows],
        "steps": ["a step"],
    }
    page = report_page("A heading", "the command", facts=["a fact"], **parts).decode()
    body = page[page.index("<body") :]
    places = [body.index(words) for words in ("A heading", "a verdict", "0.9", "A chart", "A table", "a step")]
    assert places == sorted(places)
    assert "the command" in body
