"""The report of ``evaluate`` on terminals of any width and any character set."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from softmax_cli.evaluation.report import Bin, ClassFigures, Figure, Pair, Point, Report, Slice
from softmax_cli.evaluation.screen import show_evaluation

NAMES = ("accuracy", "balanced_accuracy", "log_loss", "brier", "ece", "smooth_ece")


def report(classes, name="class {}", by=None):
    figures = tuple(
        Figure(n, n.replace("_", " "), 0.125, (0.1, 0.15), "what it is, at some length, " * 3, decides=True)
        for n in NAMES
    )
    per_class = tuple(
        ClassFigures(name.format(k), 10 + k, 10, 5, 0.5, 0.5, k / classes, {"auroc": 0.9, "ece": np.nan, "size": None})
        for k in range(classes)
    )
    return Report(
        verdict=("12.5% right.", "class 2 is never predicted."),
        source="in.csv",
        columns=f"{classes} classes",
        operations=("softmax",),
        rows=100,
        bad_rows=2,
        classes=classes,
        bins_by="15 bins of equal width",
        bootstrap=200,
        seed=0,
        figures=figures,
        bins=(Bin(0.0, 0.5, 0, np.nan, np.nan), Bin(0.5, 1.0, 100, 0.8, 0.7)),
        histogram=tuple((k, 1) for k in range(20)),
        risk_coverage=(Point(0.5, 0.9, 0.01), Point(1.0, 0.2, 0.1)),
        confusion=(Pair(name.format(0), name.format(1), 3), Pair(name.format(0), name.format(0), 5)),
        per_class=per_class,
        by=by,
        slices=() if by is None else (Slice("x", 60, figures), Slice("y", 40, figures)),
        failed_gates=(),
        titles={"auroc": "AUROC", "ece": "ECE", "size": "set size"},
    )


def shown(found, width=80, encoding="utf-8", full=True):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    console = Console(file=stream, width=width, color_system=None, markup=False, emoji=False, highlight=False)
    show_evaluation(console, found, full)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("classes", [2, 10, 214])
@pytest.mark.parametrize("width", [80, 132])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_line_fits(classes, width, encoding):
    text = shown(report(classes, by="source"), width, encoding)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() == (encoding == "ascii")
    assert "[0.10000, 0.15000]" in text


def test_few_classes_are_all_there_and_many_show_the_worst():
    assert "class 9" in shown(report(10))
    text = shown(report(214))
    assert "classes with the lowest F1" in text
    assert "class 11 " in text
    assert "class 213" not in text
    assert "202 more classes: --per-class FILE has all" in text


def test_names_are_data():
    text = shown(report(3, name="[red]{}\x1b[2J"))
    assert "[red]0\\x1b[2J" in text
    assert "\x1b" not in text


def test_only_mistakes_are_confusions():
    text = shown(report(3))
    confusions = text[text.index("commonest confusions") :]
    assert "class 1" in confusions
    assert "30.0 %" in confusions, "3 of the 10 rows of class 0"


def test_it_fits_a_screen_unless_all_is_asked_for():
    short = shown(report(214), full=False)
    assert len(short.splitlines()) <= 24 + 2 * len(NAMES), "the notes of this example take three lines each"
    assert "--full" in short
    assert "reliability" not in short.partition("--full")[0]


@pytest.mark.parametrize(("encoding", "shade"), [("utf-8", "▓"), ("ascii", "*")])
def test_the_heat_map_shades_the_share_of_the_true_class(encoding, shade):
    """3 of 10 rows of class 0 are taken for class 1; of many classes the confused ones are shown."""
    for classes, width in ((10, 80), (214, 80)):
        text = shown(report(classes), width, encoding).partition("confusion: ")[2].partition("commonest")[0]
        line = next(line for line in text.splitlines() if "class 0" in line)
        assert shade in line
        assert ("less confused not shown" in text.replace("\n", " ")) == (classes == 214)


def test_values_stand_below_each_other_however_long_a_title_is():
    one = report(2)
    long = Figure("long", "a title of thirty-one characters", 1.5, None, "short", decides=True)
    lines = shown(replace(one, figures=(*one.figures, long)), full=False).splitlines()
    top = next(place for place, line in enumerate(lines) if "95 % interval" in line)
    column = lines[top].index("value") + len("value")
    rows = [line for line in lines[top + 1 :] if line.startswith((*(n.replace("_", " ") for n in NAMES), "a title"))]
    assert len(rows) == len(NAMES) + 1
    assert {line[:column].split()[-1] for line in rows} == {"0.12500", "1.50000"}
    assert {line[column] for line in rows} == {" "}
