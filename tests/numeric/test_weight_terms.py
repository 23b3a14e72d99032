"""Weights, priors and kept shares: what is added to the logits multiplies the odds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from softmax_cli.numeric.class_weights import (
    balanced,
    log_kept_share,
    log_prior_ratio,
    log_weights,
    logit_adjustment,
    normalize_prior,
)
from softmax_cli.numeric.softmax import softmax

Vector = NDArray[np.float64]
counts = hnp.arrays(np.float64, st.integers(1, 8), elements=st.integers(1, 10**6).map(float))
shares = st.floats(1e-4, 1 - 1e-4)


@given(counts)
def test_balanced_weights_give_every_class_the_same_total(n: Vector) -> None:
    np.testing.assert_allclose(balanced(n) * n, n.sum() / len(n), rtol=1e-14)


def test_balanced_weights_by_hand() -> None:
    assert balanced(np.array([90.0, 10.0])).tolist() == pytest.approx([100 / 180, 5])


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_class_without_examples_is_named(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"classes at \[1\]"):
        balanced(np.array([3.0, wrong]))


@given(shares, shares)
def test_undersampling_of_a_binary_problem(p_sampled: float, kept: float) -> None:
    """The formula of Dal Pozzolo et al. (2015): p = b ps / ((b - 1) ps + 1), with a share b of the negatives kept."""
    logits = np.log([1 - p_sampled, p_sampled]) + log_kept_share(np.array([kept, 1.0]))
    expected = kept * p_sampled / ((kept - 1) * p_sampled + 1)
    assert softmax(logits)[1] == pytest.approx(expected, rel=1e-12)


@given(counts, st.data())
def test_a_kept_share_equals_the_ratio_of_priors(n: Vector, data: st.DataObject) -> None:
    kept = data.draw(hnp.arrays(np.float64, len(n), elements=shares))
    difference = log_kept_share(kept) - log_prior_ratio(n, n * kept)
    np.testing.assert_allclose(difference, difference[0], atol=1e-11)


@given(counts, st.data())
def test_a_change_of_prior_multiplies_and_renormalises(source: Vector, data: st.DataObject) -> None:
    target = data.draw(hnp.arrays(np.float64, len(source), elements=st.integers(1, 1000).map(float)))
    z = data.draw(hnp.arrays(np.float64, len(source), elements=st.floats(-20, 20)))
    weighted = softmax(z) * (target / target.sum()) / (source / source.sum())
    np.testing.assert_allclose(softmax(z + log_prior_ratio(target, source)), weighted / weighted.sum(), rtol=1e-11)


@given(counts)
def test_logit_adjustment_by_1_equals_a_uniform_target(n: Vector) -> None:
    difference = logit_adjustment(n, 1.0) - log_prior_ratio(np.ones(len(n)), n)
    np.testing.assert_allclose(difference, difference[0], atol=1e-11)
    np.testing.assert_allclose(logit_adjustment(n, 2.5), 2.5 * logit_adjustment(n, 1.0), rtol=1e-14)


@given(counts)
def test_a_prior_sums_to_1_and_keeps_its_ratios(n: Vector) -> None:
    prior = normalize_prior(n)
    assert prior.sum() == pytest.approx(1, abs=1e-14)
    np.testing.assert_allclose(prior / prior[0], n / n[0], rtol=1e-14)


def test_a_weight_of_0_masks() -> None:
    assert log_weights(np.array([0.0, 1.0])).tolist() == [-np.inf, 0]


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_weights_and_priors_out_of_range_are_refused(wrong: float) -> None:
    values = np.array([1.0, wrong])
    with pytest.raises(ValueError, match="finite numbers from 0 up"):
        log_weights(values)
    with pytest.raises(ValueError, match="finite numbers above 0"):
        normalize_prior(values)
    with pytest.raises(ValueError, match="above 0 and up to 1"):
        log_kept_share(values)


def test_a_prior_or_a_kept_share_of_0_is_refused() -> None:
    with pytest.raises(ValueError, match="finite numbers above 0"):
        normalize_prior(np.array([0.0, 1.0]))
    with pytest.raises(ValueError, match="above 0 and up to 1"):
        log_kept_share(np.array([0.0, 1.0]))


def test_an_infinite_tau_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a finite number"):
        logit_adjustment(np.ones(2), np.inf)
