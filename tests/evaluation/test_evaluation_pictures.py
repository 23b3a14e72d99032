"""The report of ``evaluate`` as a page and as plots: the numbers of the report, and of many classes the worst."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from softmax_cli.evaluation.pictures import (
    MOST_PAIRS,
    PLOTS,
    evaluation_page,
    evaluation_tables,
    write_evaluation_plots,
)
from softmax_cli.evaluation.report import Bin, ClassFigures, Figure, Pair, Point, Report, Slice
from softmax_cli.page.report import print_tables, table

FIGURES = (
    ("accuracy", "accuracy", None),
    ("ece", "ECE", "reliability"),
    ("aurc", "AURC", "risk_coverage"),
    ("macro_auroc", "macro AUROC", None),
)


def report(classes=3, **changed):
    figures = tuple(
        Figure(name, title, 0.125, None if name == "aurc" else (0.1, 0.15), "a note", name != "aurc", diagram)
        for name, title, diagram in FIGURES
    )
    per_class = tuple(
        ClassFigures(
            f"class {k}", 10, 5, 5, 0.5, 0.5, k / classes, {"auroc": np.nan if k else 0.9, "size": None, "ece": 0.01}
        )
        for k in range(classes)
    )
    pairs = tuple(Pair(f"class {k}", f"class {(k + 1) % classes}", k + 1) for k in range(classes))
    values = {
        "verdict": ("12.5% right.",),
        "source": "in.csv",
        "columns": f"{classes} classes",
        "operations": ("softmax",),
        "rows": 100,
        "bad_rows": 2,
        "classes": classes,
        "bins_by": "15 bins of equal width",
        "bootstrap": 200,
        "seed": 7,
        "figures": figures,
        "bins": (Bin(0.0, 0.5, 0, np.nan, np.nan), Bin(0.5, 1.0, 100, 0.8, 0.7)),
        "histogram": tuple((k, 20 - k) for k in range(20)),
        "risk_coverage": (Point(0.5, 0.9, 0.01), Point(1.0, 0.2, 0.1)),
        "confusion": (Pair("class 0", "class 0", 5), *pairs),
        "per_class": per_class,
        "by": None,
        "slices": (),
        "failed_gates": (),
        "titles": {"auroc": "AUROC", "size": "set size", "ece": "ECE"},
    }
    return Report(**values | changed)


@pytest.fixture
def page():
    pytest.importorskip("jinja2")
    return lambda found: evaluation_page(found, "softmax-cli evaluate in.csv").decode()


def rows_of(page, title):
    """Return the cells of the table under a heading, without its own headings."""
    section = page[page.index(f">{title}<") :].partition("</table>")[0]
    _, *rows = re.findall(r"<tr[^>]*>(.*?)</tr>", section, re.DOTALL)
    cells = [re.findall(r"<(?:td|th)[ >].*?</(?:td|th)>", row, re.DOTALL) for row in rows]
    return [[re.sub("<[^>]*>", "", cell).strip() for cell in row] for row in cells]


def test_charts_hold_what_the_report_holds(page):
    text = page(report())
    data = json.loads(re.search(r'type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)[1])
    charts = {chart["id"]: chart for chart in data["charts"]}
    (held,) = charts["reliability"]["bins"]
    assert held == {"lower": 0.5, "upper": 1.0, "rows": 100, "confidence": 0.8, "accuracy": 0.7}
    assert charts["confidence"]["bins"][3] == {"right": 3, "wrong": 17}
    assert charts["risk"]["points"][1]["text"] == "100.0% answered, confidence from 0.2000: 10.00% wrong"


def test_figures_tables_and_steps(page):
    text = page(report(by="site", slices=(Slice("x", 60, report().figures),)))
    assert "95 %: 0.1000 to 0.1500" in text
    assert "intervals: 95 %, 200 bootstrap replicates, seed 7" in text
    assert ["AURC", "0.1250", "", "a note"] in rows_of(text, "All figures")
    assert ["x", "60", "0.1250", "0.1250", "0.1250"] in rows_of(text, "By site")
    assert ["class 1", "10", "5", "0.5000", "0.5000", "0.3333", "unknown", "0.0100"] in rows_of(text, "Classes")


def test_confusions_are_the_commonest_mistakes(page):
    rows = rows_of(page(report(80)), "Commonest confusions")
    assert rows[0] == ["class 79", "class 0", "80", "800.0 %", ""]
    assert len(rows) == MOST_PAIRS
    named = page(report(confusion=(Pair("class 0", "class 1", 2, ("<b>", "x9")),)))
    assert rows_of(named, "Commonest confusions") == [["class 0", "class 1", "2", "20.0 %", "&lt;b&gt;, x9"]]
    right = report(confusion=(Pair("class 0", "class 0", 5),))
    assert "Commonest confusions" not in page(right)


@pytest.mark.parametrize("classes", [3, 100])
def test_every_plot_is_drawn(tmp_path, classes):
    pytest.importorskip("matplotlib")
    write_evaluation_plots(report(classes), [*PLOTS], str(tmp_path / "e.svg"), force=False)
    drawn = (tmp_path / "e.svg").read_text("utf-8")
    assert f"in.csv: 100 rows, {classes} classes" in drawn
    assert "ECE 0.1250 [0.1000, 0.1500]" in drawn
    assert "Risk and coverage (AURC 0.1250, N = 100)" in drawn
    assert ("Most confused" in drawn) == (classes > 20)
    assert ("lowest F1 of 100" in drawn) == (classes > 20)


def test_without_a_mistake_no_pair_is_listed(tmp_path):
    pytest.importorskip("matplotlib")
    right = report(100, confusion=(Pair("class 0", "class 0", 5),))
    write_evaluation_plots(right, ["confusion"], str(tmp_path / "e.svg"), force=False)
    assert "no row is wrong" in (tmp_path / "e.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("markup", "title", "row"),
    [
        ("markdown", "### All figures", "| macro AUROC | 0.1250 | 95 %: 0.1000 to 0.1500 | a note |"),
        ("latex", r"\subsection*{All figures}", r"macro AUROC & 0.1250 & 95 \%: 0.1000 to 0.1500 & a note \\"),
        ("html", "<h3>All figures</h3>", '<td>macro AUROC</td><td align="right">0.1250</td>'),
    ],
)
def test_tables_are_printed_to_be_pasted(capfdbinary, markup, title, row):
    """The tables of the page, the figures first; without a row there is a heading all the same."""
    print_tables(evaluation_tables(report()), markup)
    text = capfdbinary.readouterr().out.decode()
    assert text.startswith(title)
    assert row in text
    assert text.index("All figures") < text.index("Classes") < text.index("Commonest confusions")
    print_tables([table("none", "Nothing", "", ("a", "b_c"), [])], markup)
    assert "Nothing" in capfdbinary.readouterr().out.decode()


@pytest.mark.filterwarnings("error")
def test_perfect_classes_have_a_scale(tmp_path):
    pytest.importorskip("matplotlib")
    perfect = tuple(ClassFigures(f"class {k}", 10, 10, 10, 1.0, 1.0, 1.0, {}) for k in range(3))
    write_evaluation_plots(report(per_class=perfect), ["classes"], str(tmp_path / "e.svg"), force=False)
    drawn = (tmp_path / "e.svg").read_text("utf-8")
    assert ">0.90<" in drawn
    assert ">1.00<" in drawn


def test_limits_that_are_not_known_are_left_out(page, tmp_path):
    figures = tuple(replace(one, interval=one.interval and (np.nan, np.nan)) for one in report().figures)
    few = report(figures=figures, verdict=())
    text = page(few)
    assert "There is no row to measure." in text
    assert not any("nan" in cell for row in rows_of(text, "All figures") for cell in row)
    pytest.importorskip("matplotlib")
    write_evaluation_plots(few, ["reliability"], str(tmp_path / "e.svg"), force=False)
    assert "nan" not in (tmp_path / "e.svg").read_text("utf-8").partition("ECE 0.1250")[2].partition("N =")[0]
