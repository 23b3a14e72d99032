"""Resampling depends on the seed and the row, and on nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.numeric.bootstrap import interval, weights


@given(st.integers(0, 2**64 - 1), st.integers(0, 10**9), st.integers(0, 30), st.integers(0, 30), st.integers(1, 50))
def test_a_cut_changes_no_weight(seed, first, above, below, replicates):
    whole = weights(seed, first, above + below, replicates)
    parts = [weights(seed, first, above, replicates), weights(seed, first + above, below, replicates)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_weights_are_poisson():
    """800,000 draws: each share lies within five standard errors of exp(-1) / k!."""
    drawn = weights(7, 0, 4000, 200)
    for count in range(6):
        share = math.exp(-1) / math.factorial(count)
        assert (drawn == count).mean() == pytest.approx(share, abs=5 * math.sqrt(share / drawn.size))


def test_rows_and_replicates_are_independent():
    """No correlation between neighbours, in either direction, beyond chance."""
    drawn = weights(7, 0, 4000, 200).astype(float) - 1
    for first, second in ((drawn[1:], drawn[:-1]), (drawn[:, 1:], drawn[:, :-1])):
        assert abs((first * second).mean()) < 5 / math.sqrt(first.size)


def test_another_seed_is_another_draw():
    assert not np.array_equal(weights(0, 0, 50, 20), weights(1, 0, 50, 20))


def test_percentile_and_basic_limits():
    """Of 0, 1, ... 999, the central 95 % run from 24 to 975; turned round 400 they are -175 and 776."""
    estimates = np.arange(1000.0)
    assert interval(estimates) == (24, 975)
    assert interval(estimates, around=400) == (-175, 776)
    assert interval(np.array([1.0, math.inf, math.inf])) == (1.0, math.inf)
    assert all(map(math.isnan, interval(np.array([1.0, math.nan]))))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weights(-1, 0, 1), "seed -1"),
        (lambda: weights(2**64, 0, 1), "seed"),
        (lambda: weights(0, -1, 1), "row -1"),
        (lambda: weights(0, 0, 1, 0), "0 replicates"),
        (lambda: interval(np.ones(3), level=1.0), "level 1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
