"""Two tables compared: each figure against scipy, whatever the cut, and which of two models is better."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy.spatial.distance import jensenshannon
from scipy.special import log_softmax, rel_entr, softmax
from scipy.stats import binomtest

from softmax_cli.distributed.fleet import ThisProcess
from softmax_cli.errors import DataError
from softmax_cli.evaluation.pairs.report import build_comparison, gate_names
from softmax_cli.evaluation.pairs.run import Flipped, compare
from softmax_cli.evaluation.pairs.screen import show_comparison
from softmax_cli.numeric.metrics import Plan
from softmax_cli.prediction.members.joining import open_members
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.tables.threads import NOBODY
from softmax_cli.terminal.console import make_console

CLASSES = ("a", "b", "c")
PLAN = Plan(top_k=(), replicates=0)


def compared(*tables, plan=PLAN, skips=False):
    flips = []
    with open_members(tables, Scoring(emit=("logprob",)), skips, wants_truth=True) as members:
        found = compare(ThisProcess(members, 1), members.names, plan, NOBODY, flips.append)
        report = build_comparison(members, plan, found, ())
    return report, [row for batch in flips for row in batch.to_pylist()]


def figures(report, place=0):
    return {figure.name: figure.value for figure in report.pairs[place].figures}


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), cuts=st.tuples(st.integers(1, 9), st.integers(1, 9)), rows=st.integers(1, 20))
def test_figures_are_those_of_scipy_and_ids_come_in_any_order(seed, cuts, rows, table):
    generator = np.random.default_rng(seed)
    z, other = generator.normal(size=(2, rows, 3), scale=2)
    p, q = softmax(z, axis=1), softmax(other, axis=1)
    order = generator.permutation(rows)
    ids = np.array([f"r{row}" for row in range(rows)])
    by_id, flips = compared(
        table("one", z, ids, cut=cuts[0]),
        table("two", other[order][:, [1, 2, 0]], ids[order], cut=cuts[1], classes=("b", "c", "a")),
    )
    by_place, _ = compared(table("one", z, cut=cuts[1]), table("two", other, cut=cuts[0]))
    found = figures(by_id)
    np.testing.assert_equal(figures(by_place), found)
    assert (by_id.joined_by, by_place.joined_by) == ("id", "position")
    wanted = {
        "agreement": (p.argmax(axis=1) == q.argmax(axis=1)).mean(),
        "kl": rel_entr(p, q).sum(axis=1).mean(),
        "kl_reverse": rel_entr(q, p).sum(axis=1).mean(),
        "js": (jensenshannon(p, q, axis=1) ** 2).mean(),
        "total_variation": np.abs(p - q).sum(axis=1).mean() / 2,
        "max_dp": np.abs(p - q).max(),
        "logit_correlation": np.corrcoef(
            (z - z.mean(axis=1, keepdims=True)).ravel(), (other - other.mean(axis=1, keepdims=True)).ravel()
        )[0, 1],
    }
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
    assert [row["id"] for row in flips] == ids[p.argmax(axis=1) != q.argmax(axis=1)].tolist()


def test_the_same_logits_at_another_temperature_and_shift(table):
    z = np.random.default_rng(0).normal(size=(40, 3))
    report, flips = compared(table("one", z), table("two", z / 2 + 7))
    assert figures(report)["logit_scale"] == pytest.approx(0.5)
    assert "two is one at 2 times the temperature." in report.pairs[0].verdict
    assert not flips


def test_which_is_better_and_whether_it_could_be_chance(table):
    generator = np.random.default_rng(3)
    truths = generator.integers(0, 3, 600)
    z = generator.normal(size=(600, 3))
    better = z + 1.5 * np.eye(3)[truths]
    names = np.array(CLASSES)[truths]
    report, _ = compared(table("one", z, truths=names), table("two", better), plan=Plan(top_k=(), replicates=200))
    found = {figure.name: figure for figure in report.pairs[0].figures}
    right = (z.argmax(axis=1) == truths), (better.argmax(axis=1) == truths)
    assert found["accuracy_difference"].value == pytest.approx(right[1].mean() - right[0].mean())
    only = int((right[0] & ~right[1]).sum()), int((~right[0] & right[1]).sum())
    assert found["mcnemar_p"].value == pytest.approx(binomtest(only[0], sum(only), 0.5).pvalue, rel=1e-9)
    gaps = log_softmax(z, axis=1)[np.arange(600), truths] - log_softmax(better, axis=1)[np.arange(600), truths]
    low, high = found["log_loss_difference"].interval
    assert low < gaps.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * gaps.std() / 600**0.5, rel=0.25)
    assert any("accuracy: two is better" in line for line in report.pairs[0].verdict)
    same, _ = compared(table("one", z, truths=names), table("two", z), plan=Plan(top_k=(), replicates=200))
    assert any("the same but for chance" in line for line in same.pairs[0].verdict)


def test_a_report_fits_a_small_terminal_and_says_nothing_twice(table):
    generator = np.random.default_rng(4)
    truths = generator.integers(0, 3, 300)
    z = generator.normal(size=(300, 3))
    better = z + 1.5 * np.eye(3)[truths]
    plan = Plan(top_k=(), replicates=200)
    report, flips = compared(table("one", z, truths=np.array(CLASSES)[truths]), table("two", better), plan=plan)

    def shown(full):
        stream = io.StringIO()
        show_comparison(Console(file=stream, force_terminal=True, width=80, height=24), report, flips[:3], full)
        return stream.getvalue()

    assert 15 < shown(False).count("\n") < 24
    gap = f"{figures(report)['log_loss_difference']:.5f}"
    assert (shown(False).count(gap), shown(True).count(gap)) == (1, 2)
    assert "McNemar p" in shown(True)
    assert len(shown(True).splitlines()) > 30


def test_bad_rows_of_either_are_left_out(table):
    z = np.random.default_rng(0).normal(size=(6, 3))
    holed = z.copy()
    holed[2] = np.nan
    with pytest.raises(DataError, match="two: row"):
        compared(table("one", z), table("two", holed))
    report, _ = compared(table("one", z), table("two", holed), skips=True)
    assert (report.rows, report.left_out) == (5, 1)


def test_three_tables_are_a_table(capsys, table):
    z = np.random.default_rng(0).normal(size=(30, 3))
    truths = np.array(CLASSES)[z.argmax(axis=1)]
    report, flips = compared(table("one", z, truths=truths), table("two", z), table("three", -z))
    assert [figures(report, place)["agreement"] for place in (0, 1)] == [1, 0]
    assert {row["file"] for row in flips} == {"three"}
    show_comparison(make_console(sys.stdout, "never"), report, [])
    shown = capsys.readouterr().out
    assert "each beside one" in shown
    assert shown.count("three") == 3


def test_gates_name_the_figures_there_are():
    assert gate_names(PLAN, False)[0] == "agreement"
    assert "accuracy_difference" in gate_names(PLAN, True)


def test_flips_are_described_before_a_row_is_read(table):
    z = np.zeros((2, 3))
    with open_members([table("one", z), table("two", z)], Scoring(emit=("logprob",)), False, True) as members:
        names = Flipped(members, members.names).schema.names
    assert names == ["row", "first_prediction", "first_confidence", "second_prediction", "second_confidence"]
