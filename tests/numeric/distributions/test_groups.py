"""Softmax over the rows of a group: what a loop over the groups gives."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax as scipy_log_softmax
from scipy.stats import rankdata

from softmax_cli.numeric.distributions.groups import (
    group_log_softmax,
    group_maxima,
    group_means,
    group_ranks,
    group_sums,
)

sizes = st.lists(st.integers(1, 6), max_size=8)


def grouped(counts: list[int]) -> tuple[np.ndarray, np.ndarray, list[slice]]:
    scores = np.random.default_rng(sum(counts)).normal(scale=5, size=sum(counts)).round(0)
    starts = np.cumsum([0, *counts])[:-1].astype(np.intp)
    return scores, starts, [slice(start, start + count) for start, count in zip(starts, counts, strict=True)]


def test_the_worked_example_of_two_queries():
    log_p = group_log_softmax(np.array([2.0, 1.0, 0.5, 0.5, 3.0]), np.array([0, 2]))
    expected = [0.7310585786300049, 0.2689414213699951, 0.07050946066120506, 0.07050946066120506, 0.8589810786775898]
    np.testing.assert_allclose(np.exp(log_p), expected)


@given(counts=sizes, temperature=st.sampled_from([0.5, 1.0, 3.0]))
def test_softmax_of_a_group_is_scipys(counts, temperature):
    scores, starts, groups = grouped(counts)
    expected = [scipy_log_softmax(scores[rows] / temperature) for rows in groups]
    np.testing.assert_allclose(
        group_log_softmax(scores, starts, temperature), np.concatenate([[], *expected]), atol=1e-15
    )


@given(counts=sizes)
def test_ranks_are_scipys_ordinal_ranks(counts):
    scores, starts, groups = grouped(counts)
    expected = [rankdata(-scores[rows], method="ordinal") for rows in groups]
    np.testing.assert_array_equal(group_ranks(scores, starts), np.concatenate([[], *expected]))


@given(counts=sizes)
def test_sums_means_and_maxima_are_those_of_a_loop(counts):
    scores, starts, groups = grouped(counts)
    values = np.stack([scores, scores[::-1]], axis=1)
    for figure, plain in ((group_sums, np.sum), (group_means, np.mean), (group_maxima, np.max)):
        expected = np.array([plain(values[rows], axis=0) for rows in groups]).reshape(len(groups), 2)
        np.testing.assert_allclose(figure(values, starts), expected, atol=1e-12)


def test_a_group_of_a_million_rows_sums_to_one():
    scores = np.random.default_rng(0).normal(size=1_000_000)
    p = np.exp(group_log_softmax(scores, np.array([0])))
    assert abs(p.sum() - 1) < 1e-12


def test_large_scores_masked_rows_and_rows_that_are_not_numbers():
    scores = np.array([1e308, -1e308, -np.inf, 1000.0, 999.0, np.nan, 0.0, -np.inf, -np.inf, np.inf])
    p = np.exp(group_log_softmax(scores, np.array([0, 3, 5, 7, 9])))
    np.testing.assert_allclose(p[:5], [1, 0, 0, 0.7310585786300049, 0.2689414213699951])
    assert np.isnan(p[5:]).all()


def test_an_infinite_temperature_makes_a_group_even():
    scores = np.array([1.0, 5.0, -np.inf])
    np.testing.assert_allclose(np.exp(group_log_softmax(scores, np.array([0]), np.inf)), [0.5, 0.5, 0])
