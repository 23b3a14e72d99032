"""The report of ``compare`` as a page and as plots: each table beside the first, with truths and without."""

import json
import re

import numpy as np
import pytest

from softmax_cli.distributed.fleet import ThisProcess
from softmax_cli.evaluation.pairs.pictures import PLOTS, comparison_page, comparison_tables, write_comparison_plots
from softmax_cli.evaluation.pairs.report import build_comparison
from softmax_cli.evaluation.pairs.run import compare
from softmax_cli.numeric.metrics import Plan
from softmax_cli.prediction.members.joining import open_members
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.tables.threads import NOBODY

# Rows 1 and 2 flip: the first of them is right in "one", the second in neither.
FIRST = np.log([[0.8, 0.1, 0.1], [0.62, 0.28, 0.1], [0.52, 0.08, 0.4], [0.1, 0.1, 0.8]])
SECOND = np.log([[0.7, 0.2, 0.1], [0.18, 0.72, 0.1], [0.1, 0.08, 0.82], [0.1, 0.2, 0.7]])
TRUTHS = np.array(["a", "a", "b", "c"])


@pytest.fixture
def compared(table):
    """Compare "one" with "<two>", and with "three", which is the same, if it is asked for."""

    def made(truths=TRUTHS, three=False):
        tables = [table("one", FIRST, truths=truths), table("<two>", SECOND)]
        tables += [table("three", FIRST)] if three else []
        flips, plan = [], Plan(top_k=(), replicates=50)
        with open_members(tables, Scoring(emit=("logprob",)), False, wants_truth=True) as members:
            found = compare(ThisProcess(members, 1), members.names, plan, NOBODY, flips.append)
            report = build_comparison(members, plan, found, ())
        return report, [row for batch in flips for row in batch.to_pylist()]

    return made


def rows_of(report, flips, title):
    return next(one.rows for one in comparison_tables(report, flips) if one.title == title)


def test_tables_with_truths(compared):
    report, flips = compared()
    assert rows_of(report, flips, "Classes") == [
        ("a", "2", "1.0000", "0.5000", "-0.5000", "3", "1"),
        ("b", "1", "0.0000", "0.0000", "+0.0000", "0", "1"),
        ("c", "1", "1.0000", "1.0000", "+0.0000", "1", "2"),
    ]
    assert rows_of(report, flips, "Commonest flips") == [("a", "b", "1"), ("a", "c", "1")]
    assert rows_of(report, flips, "Rows whose prediction changes") == [
        ["2", "a", "a", "0.6200", "b", "0.7200"],
        ["3", "b", "a", "0.5200", "c", "0.8200"],
    ]
    figures = {row[0]: row for row in rows_of(report, flips, "Figures")}
    assert figures["flips"][1] == "2"
    assert figures["accuracy gap"][1] == "-0.25000"
    assert figures["accuracy gap"][2].startswith("95 %: -")
    assert "max |dp|: 50.0% of rows" in figures


def test_tables_without_truths_count_predictions(compared):
    report, flips = compared(truths=None)
    assert rows_of(report, flips, "Classes") == [("a", "3", "1", "-2"), ("b", "0", "1", "+1"), ("c", "1", "2", "+1")]
    assert not any(figure.name.endswith("_difference") for figure in report.pairs[0].figures)


def test_json_has_classes_and_flips(compared):
    (pair,) = json.loads(json.dumps(compared()[0].to_json()))["pairs"]
    assert pair["flips_by_class"] == [
        {"first": "a", "second": "b", "rows": 1},
        {"first": "a", "second": "c", "rows": 1},
    ]
    changed = {"name": "a", "first_predicted": 3, "second_predicted": 1, "support": 2}
    assert pair["classes"][0] == changed | {"first_recall": 1.0, "second_recall": 0.5}


def test_a_page_shows_both_confidences_and_escapes_names(compared):
    pytest.importorskip("jinja2")
    report, flips = compared()
    text = comparison_page(report, flips, "softmax-cli compare one two").decode()
    (chart,) = json.loads(re.search(r'type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)[1])["charts"]
    assert {"kind": 2, "x": 12, "y": 14, "rows": 1} in chart["marks"]
    assert {"kind": 1, "x": 10, "y": 16, "rows": 1} in chart["marks"]
    assert sum(mark["rows"] for mark in chart["marks"]) == 4
    assert "2 of 4 rows (50.00%) change their prediction." in text
    assert "&lt;two&gt;" in text
    assert "<two>" not in text
    assert "50 paired bootstrap replicates, seed 0" in text


def test_of_three_tables_each_is_beside_the_first(compared, tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    report, flips = compared(three=True)
    text = comparison_page(report, flips, "softmax-cli compare one two three").decode()
    for name in ("&lt;two&gt;", "three"):
        for title in ("Confidence of both", "Figures", "Classes"):
            assert f"<h2>{name}: {title}</h2>" in text
    assert "three: 0 of 4 rows (0.00%) change their prediction." in text
    write_comparison_plots(report, ["flips"], str(tmp_path / "c.svg"), force=False)
    drawn = (tmp_path / "c.svg").read_text("utf-8")
    assert "three: Flips, first → second (0 rows)" in drawn
    assert "no prediction changes" in drawn


def test_plots_mark_and_count_the_flips(compared, tmp_path):
    pytest.importorskip("matplotlib")
    write_comparison_plots(compared()[0], [*PLOTS], str(tmp_path / "c.svg"), force=False)
    drawn = (tmp_path / "c.svg").read_text("utf-8")
    for words in (
        "one (first) and &lt;two&gt; (second): 4 rows",
        "agreement 50.00%, 2 flips, N = 4",
        "same prediction: 2",
        "flip, neither is right: 1",
        "flip, only the first is right: 1",
        "flip, only the second is right: 0",
        "Flips, first → second (2 rows)",
        "Recall (rows)",
        "accuracy -0.25000 [",
    ):
        assert words in drawn, words


def test_plots_without_truths_know_of_flips_only(compared, tmp_path):
    pytest.importorskip("matplotlib")
    write_comparison_plots(compared(truths=None)[0], ["confidence", "classes"], str(tmp_path / "c.svg"), force=False)
    drawn = (tmp_path / "c.svg").read_text("utf-8")
    assert "flip: 2" in drawn
    assert "is right" not in drawn
    assert "rows predicted as the class" in drawn


def test_classes_that_changed_most_come_first_and_those_never_seen_not_at_all(table):
    names = ("a", "b", "c", "never")
    first = np.log([[0.8, 0.1, 0.05, 0.05], [0.1, 0.6, 0.2, 0.1], [0.1, 0.2, 0.6, 0.1]])
    second = np.log([[0.8, 0.1, 0.05, 0.05], [0.1, 0.6, 0.2, 0.1], [0.1, 0.6, 0.2, 0.1]])
    tables = [
        table("one", first, truths=np.array(["a", "b", "c"]), classes=names),
        table("two", second, classes=names),
    ]
    plan = Plan(top_k=(), replicates=0)
    with open_members(tables, Scoring(emit=("logprob",)), False, wants_truth=True) as members:
        report = build_comparison(
            members, plan, compare(ThisProcess(members, 1), members.names, plan, NOBODY, lambda batch: None), ()
        )
    (shown,) = [one for one in comparison_tables(report, ()) if one.title == "Classes"]
    assert [row[0] for row in shown.rows] == ["c", "b", "a"]
    assert shown.text == "The most changed first. 1 that are neither true nor predicted are left out."


def test_without_a_row_nothing_is_known(table, tmp_path):
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    holed = np.full((1, 3), np.nan)
    tables = [table("one", holed, truths=np.array(["a"])), table("two", FIRST[:1])]
    plan = Plan(top_k=(), replicates=5)
    with open_members(tables, Scoring(emit=("logprob",)), True, wants_truth=True) as members:
        report = build_comparison(
            members, plan, compare(ThisProcess(members, 1), members.names, plan, NOBODY, lambda batch: None), ()
        )
    text = comparison_page(report, (), "softmax-cli compare one two").decode()
    body = text[text.index("<body") : text.index("<script")]
    assert "There is no row to compare." in body
    assert "1 bad row left out" in body
    assert "unknown" in body
    assert "nan" not in body
    write_comparison_plots(report, [*PLOTS], str(tmp_path / "c.svg"), force=False)


def test_confidences_of_very_many_classes_fill_the_plot(table, tmp_path):
    pytest.importorskip("matplotlib")
    classes = tuple(f"c{k}" for k in range(60))
    z = np.random.default_rng(0).normal(size=(30, 60), scale=0.5)
    tables = [table("one", z, classes=classes), table("two", z / 2, classes=classes)]
    plan = Plan(top_k=(), replicates=0)
    with open_members(tables, Scoring(emit=("logprob",)), False, wants_truth=True) as members:
        report = build_comparison(
            members, plan, compare(ThisProcess(members, 1), members.names, plan, NOBODY, lambda batch: None), ()
        )
    write_comparison_plots(report, ["confidence"], str(tmp_path / "c.svg"), force=False)
    drawn = (tmp_path / "c.svg").read_text("utf-8")
    assert ">0.10<" in drawn
    assert ">0.8<" not in drawn
