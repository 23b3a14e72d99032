"""The report of ``inspect``: on a screen, as a page, and as a plot."""

import io
import json
import re
from dataclasses import replace

import pytest
from rich.console import Console

from softmax_cli.inspection.evidence import Finding
from softmax_cli.inspection.pictures import inspection_page, write_inspection_plots
from softmax_cli.inspection.report import ClassFigures, Inspection
from softmax_cli.inspection.screen import show_inspection
from softmax_cli.terminal.console import make_console

FINDING = Finding(
    "bad-rows", "problem", "2 rows of 100 cannot be scored", ("in.csv:3", "other: row 7"), "mend them", "-x"
)


def inspection(classes=3, findings=(FINDING,), name="class {}", **changed):
    figures = tuple(
        ClassFigures(name.format(k), 10 + k, -2.0, 0.5, 0.25, 7.0, 1.0 + (k == classes - 1) * 9, 0, 0, int(k == 1))
        for k in range(classes)
    )
    told = {
        "source": "in.csv",
        "kind": "logits",
        "dtype": "float64",
        "columns": f"{classes} classes",
        "id": None,
        "label": None,
        "other_columns": ("split",),
        "rows": 100,
        "scored": 98,
        "outlier_limit": 6.0,
        "quantile_error": 0.01,
        "confidence": (0,) * 12 + (3, 5) + (0,) * 4 + (0, 90),
        "entropy": (90,) + (0,) * 18 + (8,),
        "classes": figures,
        "findings": tuple(findings),
    }
    return Inspection(**told | changed)


def shown(found, most=None, width=80, encoding="utf-8", all_=False):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    console = make_console(stream, "never")
    console.width = width
    show_inspection(console, found, most, all_)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_what_was_found_and_what_to_do():
    lines = [line.strip() for line in shown(inspection()).splitlines()]
    assert lines[0] == "in.csv: 100 rows (2 bad rows), 3 classes, float64"
    assert lines[1] == "passes through: split"
    assert "problem  2 rows of 100 cannot be scored" in lines
    place = lines.index("line 3")
    assert lines[place : place + 3] == ["line 3", "other: row 7", "-> mend them: -x"]


def test_a_sound_table_is_said_to_be_one():
    text = shown(inspection(findings=(), rows=98))
    assert "nothing found that would go wrong" in text
    assert "bad row" not in text.splitlines()[0]


@pytest.mark.parametrize("classes", [2, 200])
@pytest.mark.parametrize("width", [80, 132])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_line_fits(classes, width, encoding):
    text = shown(inspection(classes, name="a rather long class name {}"), None, width, encoding)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() == (encoding == "ascii")


def test_of_many_classes_the_oddest_are_shown():
    """That with an outlier, that with another spread, then those that win most."""
    text = shown(inspection(50), most=4)
    shown_classes = re.findall(r"^class (\d+) ", text, re.MULTILINE)
    assert shown_classes == ["1", "47", "48", "49"]
    assert "46 more classes, less odd than these: --all shows them" in text


def histogram(text):
    """The ranges of both histograms, with the rows in each."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.split()[:1] == ["confidence"])
    cells = [re.fullmatch(r"(\S+ - \S+) +(\S+) +\S+ %\W+(\S+) +\S+ %\W*", line) for line in lines[start + 2 : -1]]
    return [one.groups() for one in cells]


def test_histograms_begin_and_end_with_rows():
    found = inspection(entropy=(0,) * 8 + (98,) + (0,) * 11)
    assert histogram(shown(found)) == [
        ("0.4 - 0.6", "0", "98"),
        ("0.6 - 0.8", "8", "0"),
        ("0.8 - 1.0", "90", "0"),
    ]
    finer = histogram(shown(found, all_=True))
    assert (finer[0], finer[2], finer[-1]) == (
        ("0.4 - 0.5", "0", "98"),
        ("0.6 - 0.7", "8", "0"),
        ("0.9 - 1.0", "90", "0"),
    )


@pytest.mark.parametrize("classes", [2, 10, 214])
def test_it_fits_a_small_terminal(classes):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, height=24)
    show_inspection(console, inspection(classes, findings=()))
    assert 10 < stream.getvalue().count("\n") < 24


def test_names_are_data():
    text = shown(inspection(name="[red]{}\x1b[2J"))
    assert "[red]0\\x1b[2J" in text
    assert "\x1b" not in text


def test_the_page_says_the_same():
    pytest.importorskip("jinja2")
    page = inspection_page(inspection(), "softmax-cli inspect in.csv").decode()
    data = json.loads(re.search(r'type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    counts = {chart["id"]: [bar["right"] for bar in chart["bins"]] for chart in data["charts"]}
    assert counts == {"confidence": list(inspection().confidence), "entropy": list(inspection().entropy)}
    for words in ("problem: 2 rows of 100 cannot be scored", "1 problem, 0 warnings", "class 2", "read as logits"):
        assert words in page
    assert "Nothing found that would go wrong." in inspection_page(inspection(findings=()), "c").decode()


def test_the_plot(tmp_path):
    pytest.importorskip("matplotlib")
    found = inspection()
    calm = replace(found, classes=tuple(replace(one, outliers=0) for one in found.classes))
    for name, one in (("found", found), ("calm", calm)):
        write_inspection_plots(one, str(tmp_path / f"{name}.svg"), force=False)
    drawn = (tmp_path / "found.svg").read_text("utf-8")
    assert "in.csv: 100 rows, 3 classes" in drawn
    assert "Confidence (20 bins, N = 98)" in drawn
    assert "no cell with a robust z" not in drawn
    assert "no cell with a robust z beyond 6" in (tmp_path / "calm.svg").read_text("utf-8")
