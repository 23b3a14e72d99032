"""Two models side by side, beside scipy's figures and published ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import binomtest
from scipy.stats import entropy as scipy_entropy

from softmax_cli.numeric.distributions.comparison import Flips, Predictions, Similarity, row_js, row_kl
from softmax_cli.numeric.softmax import log_softmax

GENERATOR = np.random.default_rng(0)
Z = GENERATOR.normal(scale=3, size=(300, 5))
A = log_softmax(Z)
B = log_softmax(Z + GENERATOR.normal(scale=0.5, size=Z.shape))


def test_divergences_of_a_published_example():
    """Kullback (1959), "Information theory and statistics", example 2.1: 0.0852996 and 0.0974550 nats."""
    p, q = np.log([[0.36, 0.48, 0.16]]), np.log([[1 / 3, 1 / 3, 1 / 3]])
    assert row_kl(p, q)[0] == pytest.approx(0.0852996, abs=1e-7)
    assert row_kl(q, p)[0] == pytest.approx(0.0974550, abs=1e-7)


def test_divergences_are_scipys():
    np.testing.assert_allclose(row_kl(A, B), scipy_entropy(np.exp(A), np.exp(B), axis=1), atol=1e-15)
    np.testing.assert_allclose(row_js(A, B), jensenshannon(np.exp(A), np.exp(B), axis=1) ** 2, atol=1e-15)


def test_divergences_of_what_is_ruled_out():
    p, q = np.array([[0.0, -np.inf]]), np.array([[np.log(0.5), np.log(0.5)]])
    assert row_kl(p, q)[0] == pytest.approx(np.log(2))
    assert row_kl(q, p)[0] == np.inf
    assert row_js(p, p[:, ::-1])[0] == pytest.approx(np.log(2))


def test_figures_of_a_pair_of_models():
    found = Similarity.of(A, B)
    gap = np.abs(np.exp(A) - np.exp(B))
    assert found.agreement == (A.argmax(axis=1) == B.argmax(axis=1)).mean()
    assert found.mean_kl == pytest.approx((row_kl(A, B).mean(), row_kl(B, A).mean()))
    assert found.mean_js == pytest.approx(row_js(A, B).mean())
    assert found.mean_variation == pytest.approx(gap.sum(axis=1).mean() / 2)
    assert found.largest == gap.max()
    for share in (0.5, 0.9, 0.99):
        exact = np.quantile(gap.max(axis=1), share, method="inverted_cdf")
        assert exact <= found.quantile(share) <= exact * (1 + 2**-7)
    assert found.quantile(1.0) == found.largest


def test_the_correlation_ignores_scale_and_shift():
    shifted = log_softmax(0.4 * Z + GENERATOR.normal(size=(300, 1)))
    found = Similarity.of(A, shifted)
    assert found.correlation == pytest.approx(1)
    assert found.scale == pytest.approx(0.4)
    assert Similarity.of(A, log_softmax(-Z)).correlation == pytest.approx(-1)
    x, y = (log - log.mean(axis=1, keepdims=True) for log in (A, B))
    assert Similarity.of(A, B).correlation == pytest.approx((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))


def test_a_model_is_like_itself():
    found = Similarity.of(A, A)
    assert (found.agreement, found.mean_kl, found.mean_variation) == (1, (0, 0), 0)
    assert found.mean_js == pytest.approx(0, abs=1e-15)
    assert (found.largest, found.quantile(0.99)) == (0, 0)
    assert found.correlation == pytest.approx(1)


def test_models_without_anything_to_compare():
    nothing = Similarity.of(A[:0], B[:0])
    assert np.isnan([nothing.agreement, *nothing.mean_kl, nothing.quantile(0.5), nothing.correlation]).all()
    even = np.log(np.full((3, 2), 0.5))
    assert np.isnan(Similarity.of(even, even).correlation)
    masked = np.array([[0.0, -np.inf, -np.inf]])
    assert Similarity.of(masked, np.log([[0.5, 0.25, 0.25]])).mean_kl == (pytest.approx(np.log(2)), np.inf)


@given(cuts=st.lists(st.integers(0, 300), max_size=4))
def test_parts_merge_to_the_same_bits(cuts):
    edges = [0, *sorted(cuts), 300]
    parts = [Similarity.of(A[i:j], B[i:j]) for i, j in pairwise(edges)]
    merged = parts[0]
    for part in parts[1:]:
        merged = part.plus(merged)
    whole = Similarity.of(A, B)
    names = ("agreement", "mean_kl", "mean_js", "mean_variation", "largest", "correlation", "scale")
    assert [getattr(merged, name) for name in names] == [getattr(whole, name) for name in names]
    assert merged.quantile(0.9) == whole.quantile(0.9)


@given(counts=st.tuples(*[st.integers(0, 40)] * 4))
def test_mcnemar_is_a_binomial_test(counts):
    flips = Flips(*counts)
    tosses = flips.only_first + flips.only_second
    expected = binomtest(flips.only_first, tosses, 0.5).pvalue if tosses else 1.0
    assert flips.p_value == pytest.approx(expected)


def test_mcnemar_of_a_published_table():
    """Agresti (1990), "Categorical data analysis", table 10.1: 86 and 150 change their mind, p = 3.7e-5 (exact)."""
    assert Flips(794, 150, 86, 570).p_value == pytest.approx(3.716e-5, rel=1e-3)


def test_flips_are_counted_and_merged():
    truth = np.array([0, 0, 1, 1, 2])
    first, second = np.array([0, 0, 1, 0, 1]), np.array([0, 1, 1, 1, 1])
    found = Flips.of(first, second, truth)
    assert found == Flips(2, 1, 1, 1)
    assert Flips.of(first[:2], second[:2], truth[:2]).plus(Flips.of(first[2:], second[2:], truth[2:])) == found


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), cut=st.integers(0, 30))
def test_predictions_are_counted_by_class_and_confidence_whatever_the_cut(seed, cut):
    generator = np.random.default_rng(seed)
    log_p, log_q = log_softmax(generator.normal(size=(2, 30, 3), scale=3), axis=-1)
    first, second = log_p.argmax(axis=1).astype(np.int32), log_q.argmax(axis=1).astype(np.int32)
    labels = generator.integers(-1, 3, 30)

    def of(rows):
        return Predictions.of(log_p[rows], log_q[rows], (first[rows], second[rows]), labels[rows])

    found = of(slice(0, cut)).plus(of(slice(cut, None)))
    np.testing.assert_array_equal(found.counts, [np.bincount(one, minlength=3) for one in (first, second)])
    flipped = first != second
    kinds = [~flipped, flipped & (first != labels) & (second != labels), flipped & (first == labels)]
    wanted = [int(kind.sum()) for kind in (*kinds, flipped & (second == labels))]
    assert found.confidences.sum(axis=(1, 2)).tolist() == wanted
    np.testing.assert_array_equal(
        found.confidences.sum(axis=(0, 2)),
        np.histogram(-np.exp(log_p.max(axis=1)), bins=-np.arange(100, -1, -1) / 100)[0][::-1],
    )


def test_no_two_distributions_are_further_apart_than_log_2():
    """Disjoint ones are just as far; rounding must not take them beyond."""
    z = np.random.default_rng(0).normal(size=(2000, 7), scale=300)
    found = row_js(log_softmax(z), log_softmax(np.roll(z, 1, axis=1)))
    assert found.max() == np.log(2)
