"""Prediction sets of a transform keep the promise of their threshold, randomized or not, row by row."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.prediction.prediction_sets import Nonconformity, SetRequest

KINDS = [Nonconformity("lac"), Nonconformity("aps"), Nonconformity("raps"), Nonconformity("aps", 3)]
tables = hnp.arrays(float, st.tuples(st.integers(2, 25), st.just(4)), elements=st.integers(-3, 3))


@given(tables, st.sampled_from(KINDS), st.sampled_from([0.5, 0.8, 0.9]), st.booleans(), st.data())
@settings(max_examples=60)
def test_hold_each_row_out_in_turn(z, nonconformity, coverage, allow_empty, data):
    """Of n rows, each judged by the other n - 1, at least the promised share is covered: no tolerance for luck."""
    log_p = log_softmax(z, axis=1)
    labels = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(z), max_size=len(z))))
    request = SetRequest(nonconformity, coverage, allow_empty=allow_empty)
    covered = 0
    for row in range(len(z)):
        others = np.arange(len(z)) != row
        rule = request.rule(log_p[others], labels[others])
        covered += rule(log_p[[row]])[0, labels[row]]
    assert covered >= coverage * len(z) - 1e-9


@pytest.mark.parametrize("nonconformity", KINDS)
def test_a_set_belongs_to_its_row(nonconformity):
    rng = np.random.default_rng(0)
    log_p, labels = log_softmax(rng.normal(size=(200, 5)), axis=1), rng.integers(0, 5, 200)
    rule = pickle.loads(pickle.dumps(SetRequest(nonconformity, 0.8).rule(log_p, labels)))
    whole = rule(log_p)
    assert np.array_equal(whole, np.concatenate([rule(log_p[:7]), rule(log_p[7:])]))
    assert np.array_equal(whole, rule(np.asfortranarray(log_p)))
    assert whole.any(axis=1).all()


def test_a_set_is_empty_only_where_that_is_allowed():
    log_p = np.log([[0.9, 0.1], [0.55, 0.45]])
    held_out = np.log(np.tile([0.8, 0.2], (9, 1)))
    for allow_empty in (True, False):
        request = SetRequest(Nonconformity("lac"), 0.5, allow_empty=allow_empty)
        found = request.rule(held_out, np.zeros(9, int))(log_p)
        assert found.tolist() == [[True, False], [not allow_empty, False]]


def test_randomizing_makes_smaller_sets():
    rng = np.random.default_rng(1)
    log_p = log_softmax(rng.normal(size=(2000, 6)), axis=1)
    labels = np.array([rng.choice(6, p=np.exp(row)) for row in log_p])
    plain, drawn = (
        SetRequest(Nonconformity("aps", seed), 0.8, allow_empty=True).rule(log_p, labels)(log_p) for seed in (None, 0)
    )
    assert drawn.sum() < plain.sum()
    assert drawn[np.arange(2000), labels].mean() == pytest.approx(0.8, abs=0.001)


def test_each_class_its_own_threshold_and_published_code():
    log_p = np.log([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6]])
    labels = np.array([0, 0, 0, 1])
    rule = SetRequest(Nonconformity("lac"), 0.5, per_class=True).rule(log_p, labels)
    assert rule.threshold == pytest.approx([0.2, 0.4])
    # k = ceil(5 * 0.5) = 3: the third score, and published code takes the fourth.
    exact, higher = (
        SetRequest(Nonconformity("lac"), 0.5, quantile=name).rule(log_p, labels) for name in ("exact", "higher")
    )
    assert (exact.threshold, higher.threshold) == (pytest.approx([0.3]), pytest.approx([0.4]))
