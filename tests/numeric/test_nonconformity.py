"""Scores of conformal prediction: worked rows, and what holds for every row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.numeric.nonconformity import (
    RAPS_PENALTIES,
    SCORES,
    aps_scores,
    lac_scores,
    margin_scores,
    raps_scores,
    saps_scores,
    top_k_scores,
    tuned_raps,
)

ROW = np.log([[0.2, 0.5, 0.3]])
log_ps = hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 8)), elements=st.floats(-30, 30)).map(
    lambda z: log_softmax(z, axis=1)
)


@given(log_ps)
def test_a_likelier_class_is_never_stranger(log_p):
    for score in SCORES.values():
        order = np.argsort(-log_p, axis=1, kind="stable")
        assert (np.diff(np.take_along_axis(score(log_p, None), order, axis=1), axis=1) >= 0).all()


@given(log_ps, st.floats(0, 1))
def test_a_draw_takes_off_a_part_of_the_class_itself(log_p, draw):
    uniform = np.full(len(log_p), draw)
    for score in (aps_scores, raps_scores):
        assert np.allclose(score(log_p) - score(log_p, uniform), draw * np.exp(log_p), atol=1e-12)


def test_a_worked_row():
    """P = 0.2, 0.5, 0.3: the middle class first, then the last, then the first; two places free, 0.1 for the third."""
    assert lac_scores(ROW)[0] == pytest.approx([0.8, 0.5, 0.7])
    assert aps_scores(ROW)[0] == pytest.approx([1.0, 0.5, 0.8])
    assert aps_scores(ROW, np.array([0.5]))[0] == pytest.approx([0.9, 0.25, 0.65])
    assert raps_scores(ROW, penalty=0.1, free=2)[0] == pytest.approx([1.1, 0.5, 0.8])
    assert margin_scores(ROW)[0] == pytest.approx([0.3, -0.2, 0.2])
    assert saps_scores(ROW, weight=0.2)[0] == pytest.approx([0.9, 0.5, 0.7])
    assert saps_scores(ROW, np.array([0.5]), weight=0.2)[0] == pytest.approx([0.8, 0.25, 0.6])
    assert top_k_scores(ROW)[0].tolist() == [3, 1, 2]
    assert top_k_scores(ROW, np.array([0.25]))[0].tolist() == [2.75, 0.75, 1.75]


@given(log_ps)
def test_a_sum_of_all_classes_is_one_to_the_last_bit(log_p):
    """At a threshold of 1 no set misses a class: sums from the likeliest down end at 1.0000000000000002 as well."""
    assert (aps_scores(log_p).max(axis=1) == 1).all()
    assert (aps_scores(log_p) <= 1).all()


def test_tuned_raps_makes_the_smallest_sets_on_its_rows():
    random = np.random.default_rng(0)
    labels = random.integers(0, 30, 500)
    z = random.normal(size=(500, 30))
    z[np.arange(500), labels] += 2
    log_p = log_softmax(2 * z, axis=1)
    penalty, free = tuned_raps(log_p, labels, coverage=0.9)
    places = np.sort((log_p >= log_p[np.arange(500), labels][:, None]).sum(axis=1))
    assert free == places[449]

    def size(penalty):
        scores = raps_scores(log_p, penalty=penalty, free=free)
        return (scores <= np.sort(scores[np.arange(500), labels])[449]).sum()

    assert size(penalty) == min(map(size, RAPS_PENALTIES))


def test_equal_classes_stand_in_the_order_of_their_columns():
    assert aps_scores(np.log([[0.25, 0.5, 0.25]]))[0] == pytest.approx([0.75, 0.5, 1.0])


def test_scores_near_one_keep_their_digits():
    """P = 1 - 1e-20 is 1 in binary, its log -1e-20 is not."""
    assert lac_scores(np.array([[-1e-20]]))[0, 0] == 1e-20


@pytest.mark.parametrize("wrong", [{"penalty": -0.1}, {"free": -1}, {"penalty": np.nan}])
def test_a_reward_for_long_sets_is_refused(wrong):
    with pytest.raises(ValueError, match="negative"):
        raps_scores(ROW, **wrong)
