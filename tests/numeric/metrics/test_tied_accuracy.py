"""What ties leave open is said, and so is that no temperature is the best."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.numeric.metrics import Parts, Plan, within
from softmax_cli.numeric.metrics._counts import ClassCounts
from softmax_cli.numeric.metrics._replicates import BinReplicates
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.accuracy import Ties
from softmax_cli.numeric.metrics.ece import METRIC, figures


def counted(log_p, labels):
    rows = Rows(log_p, labels)
    return Ties.of(rows), ClassCounts.of(rows).correct


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=20), st.data())
def test_the_bounds_are_those_of_every_order_of_the_classes(rows, data):
    """However the classes are ordered, the count of right rows lies between the bounds, and the upper is reached."""
    log_p = np.array(rows, np.float64)
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows))))
    ties, _ = counted(log_p, labels)
    order = np.array(data.draw(st.permutations(range(3))))
    permuted, correct = counted(log_p[:, order], np.argsort(order)[labels])
    assert permuted == ties
    assert ties.surely <= correct <= ties.possibly
    own = log_p[np.arange(len(labels)), labels]
    truth_first = np.column_stack([own, np.where(np.eye(3)[labels] > 0, -1, log_p)])
    assert counted(truth_first, np.zeros(len(labels), int))[1] == ties.possibly


def test_ties_are_told_beside_the_accuracy(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("a,b,label\n1,1,a\n1,1,b\n2,1,a\n1,2,b\n")
    figure = json.loads(softmax_cli("evaluate", "x.csv", "--json").out)["figures"]["accuracy"]
    assert (figure["value"], figure["note"]) == (0.75, "share of rows; ties leave open 0.5 to 1")
    (tmp_path / "y.csv").write_text("a,b,label\n1,2,a\n1,1.5,b\n")
    assert json.loads(softmax_cli("evaluate", "y.csv", "--json").out)["figures"]["accuracy"]["note"] == "share of rows"


@given(st.integers(12, 40), st.integers(0, 30), st.sampled_from(["l1", "l2", "max"]))
def test_an_interval_of_a_calibration_error_stays_within_0_and_1(rows, seed, norm):
    log_p = np.log(np.maximum(np.random.default_rng(seed).dirichlet(np.full(3, 0.05), size=rows), 1e-12))
    wrong = Rows(log_p, (log_p.argmax(axis=1) + 1) % 3)  # sure, and always wrong
    plan = Plan(norm=norm)
    ece = next(iter(figures(plan)))
    weight = np.random.default_rng(seed).poisson(1, (rows, 50)).astype(float)
    parts = Parts({kind: kind.of(wrong, plan) for kind in METRIC.folds(plan)})
    low, high = within(ece.interval.limits(Parts({BinReplicates: BinReplicates.of(wrong, plan, weight)}), parts), ece)
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("9,0,a\n0,9,b\n", "no T is the best: every row is right"),
        ("9,0,b\n0,9,a\n", "no T is the best: worse than uniform"),
    ],
)
def test_where_no_temperature_is_the_best_it_is_said(softmax_cli, tmp_path, rows, words):
    (tmp_path / "x.csv").write_text("a,b,label\n" + rows)
    assert words in json.loads(softmax_cli("evaluate", "x.csv", "--json").out)["figures"]["refinement"]["note"]
