"""Scores of conformal prediction: worked rows, and what holds for every row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.numeric.conformal import SCORES, aps_scores, lac_scores, raps_scores

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


def test_equal_classes_stand_in_the_order_of_their_columns():
    assert aps_scores(np.log([[0.25, 0.5, 0.25]]))[0] == pytest.approx([0.75, 0.5, 1.0])


def test_scores_near_one_keep_their_digits():
    """P = 1 - 1e-20 is 1 in binary, its log -1e-20 is not."""
    assert lac_scores(np.array([[-1e-20]]))[0, 0] == 1e-20


@pytest.mark.parametrize("wrong", [{"penalty": -0.1}, {"free": -1}, {"penalty": np.nan}])
def test_a_reward_for_long_sets_is_refused(wrong):
    with pytest.raises(ValueError, match="negative"):
        raps_scores(ROW, **wrong)
