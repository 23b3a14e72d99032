"""Draws: the distribution they follow, and what they depend on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from softmax_cli.numeric.distributions.sampling import gumbel, mix_uniform, sample
from softmax_cli.numeric.softmax import log_softmax

P = np.array([0.5, 0.25, 0.15, 0.08, 0.02, 0.0])
with np.errstate(divide="ignore"):
    LOG_P = np.log(P)


def test_draws_follow_the_distribution():
    drawn = sample(np.tile(LOG_P, (100_000, 1)), seed=1, first_row=0)
    counts = np.bincount(drawn.actions[:, 0], minlength=6)
    assert counts[5] == 0, "a masked class is never drawn"
    assert chisquare(counts[:5], P[:5] * 100_000).pvalue > 1e-3


def test_several_draws_of_a_row_are_independent():
    drawn = sample(np.tile(LOG_P[:3], (60_000, 1)), seed=2, first_row=0, draws=2).actions
    p = P[:3] / P[:3].sum()
    counts = np.zeros((3, 3))
    np.add.at(counts, (drawn[:, 0], drawn[:, 1]), 1)
    assert chisquare(counts.ravel(), np.outer(p, p).ravel() * 60_000).pvalue > 1e-3


def test_without_replacement_a_class_is_drawn_from_what_is_left():
    """Plackett-Luce: the chance of an ordered pair is p_i * p_j / (1 - p_i)."""
    drawn = sample(np.tile(LOG_P, (60_000, 1)), seed=3, first_row=0, draws=2, replace=False)
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    chance = np.array([P[i] * P[j] / (1 - P[i]) for i, j in pairs])
    counts = np.array([((drawn.actions == pair).all(axis=1)).sum() for pair in pairs])
    assert counts.sum() == 60_000
    assert chisquare(counts, chance * 60_000).pvalue > 1e-3
    first, second = drawn.actions.T
    np.testing.assert_allclose(np.exp(drawn.log_p[:, 0]), P[first])
    np.testing.assert_allclose(np.exp(drawn.log_p[:, 1]), P[second] / (1 - P[first]))


def test_the_noise_is_standard_gumbel_in_all_of_its_cells():
    noise = gumbel(7, 0, 0, 500, 101)
    assert kstest(noise.ravel(), "gumbel_r").pvalue > 1e-3
    assert len(np.unique(noise)) == noise.size


def test_the_noise_is_philox_of_numpy_with_the_row_as_counter():
    raw = np.random.Philox(key=np.array([5, 0], np.uint64), counter=np.array([21 * 2, 0, 0, 0], np.uint64)).random_raw(
        8
    )
    uniform = ((raw >> np.uint64(11)).astype(float) + 0.5) / 2.0**53
    np.testing.assert_array_equal(gumbel(5, 0, 21, 1, 7)[0], -np.log(-np.log(uniform[:7])))


@given(
    rows=st.integers(1, 40),
    classes=st.integers(1, 9),
    cut=st.integers(0, 40),
    first=st.integers(0, 2**40),
    replace=st.booleans(),
    data=st.data(),
)
def test_a_row_is_drawn_alike_in_every_block(rows, classes, cut, first, replace, data):
    draws = data.draw(st.integers(1, 3 if replace else min(3, classes)))
    log_p = log_softmax(np.random.default_rng(rows).normal(size=(rows, classes)))
    options = {"seed": 11, "draws": draws, "replace": replace}
    whole = sample(log_p, first_row=first, **options)
    parts = [sample(log_p[:cut], first_row=first, **options), sample(log_p[cut:], first_row=first + cut, **options)]
    np.testing.assert_array_equal(np.concatenate([part.actions for part in parts]), whole.actions)
    np.testing.assert_array_equal(np.concatenate([part.log_p for part in parts]), whole.log_p)
    np.testing.assert_array_equal(sample(log_p, first_row=first, seed=11).actions[:, 0], whole.actions[:, 0])


def test_a_large_block_is_cut_without_a_trace():
    log_p = log_softmax(np.random.default_rng(0).normal(size=(300, 2_000)))
    whole = sample(log_p, seed=1, first_row=0)
    assert sample(log_p[299:], seed=1, first_row=299).actions[0, 0] == whole.actions[299, 0]


def test_another_seed_draws_otherwise():
    log_p = np.tile(LOG_P, (1000, 1))
    one, other = (sample(log_p, seed=seed, first_row=0).actions for seed in (1, 2))
    assert 0.2 < (one == other).mean() < 0.5  # sum p^2 = 0.34


def test_rows_without_a_distribution_and_rows_that_are_used_up():
    log_p = np.array([[np.nan, np.nan, np.nan], [0.0, -np.inf, -np.inf]])
    drawn = sample(log_p, seed=0, first_row=0, draws=2, replace=False)
    assert drawn.actions.tolist() == [[-1, -1], [0, -1]]
    np.testing.assert_array_equal(drawn.log_p, [[np.nan, np.nan], [0.0, np.nan]])
    assert sample(log_p, seed=0, first_row=0, draws=2).actions.tolist() == [[-1, -1], [0, 0]]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"seed": -1}, "seed -1"),
        ({"seed": 1 << 64}, "seed"),
        ({"first_row": -1}, "first_row"),
        ({"draws": 0}, "draws"),
        ({"draws": 7, "replace": False}, "at most 6"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, problem):
    with pytest.raises(ValueError, match=problem):
        sample(LOG_P[None], **{"seed": 0, "first_row": 0, **options})


def test_epsilon_mixes_a_uniform_choice_among_what_is_allowed():
    allowed = P > 0
    mixed = np.exp(mix_uniform(LOG_P[None], allowed[None], 0.1))[0]
    np.testing.assert_allclose(mixed, 0.9 * P + 0.1 * allowed / 5)
    cut = np.where(P >= 0.2, P, 0) / 0.75  # what top-p has cut off is explored all the same
    with np.errstate(divide="ignore"):
        mixed = np.exp(mix_uniform(np.log(cut)[None], allowed[None], 0.1))[0]
    np.testing.assert_allclose(mixed, 0.9 * cut + 0.1 * allowed / 5)


def test_the_ends_of_epsilon():
    allowed = (P > 0)[None]
    np.testing.assert_array_equal(mix_uniform(LOG_P[None], allowed, 0), LOG_P[None])
    np.testing.assert_allclose(np.exp(mix_uniform(LOG_P[None], allowed, 1)), allowed / 5)
    nothing = np.full((1, 6), np.nan)
    assert np.isnan(mix_uniform(nothing, allowed, 1)).all()
    with pytest.raises(ValueError, match="epsilon 2"):
        mix_uniform(LOG_P[None], allowed, 2)


def test_float32_is_drawn_from_as_the_float64_that_it_is():
    log_p = log_softmax(np.random.default_rng(0).normal(size=(500, 20), scale=3).astype(np.float32))
    assert log_p.dtype == np.float32
    for replace in (True, False):
        narrow, wide = (sample(p, seed=1, first_row=0, draws=3, replace=replace) for p in (log_p, log_p.astype(float)))
        for one, other in zip(narrow, wide, strict=True):
            np.testing.assert_array_equal(one, other)
