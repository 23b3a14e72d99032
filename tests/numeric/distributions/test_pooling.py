"""Pools, disagreement and fitted weights, beside plain definitions and another algorithm."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import entropy as scipy_entropy

from softmax_cli.numeric.distributions.pooling import (
    GAP,
    _polish,
    disagreement,
    equal_weights,
    fit_linear_weights,
    fit_log_weights,
    linear_pool,
    log_pool,
    mean_logits,
)
from softmax_cli.numeric.softmax import log_softmax

GENERATOR = np.random.default_rng(0)
Z = [GENERATOR.normal(scale=3, size=(50, 4)) for _ in range(3)]
LOG_P = [log_softmax(z) for z in Z]
WEIGHTS = np.array([0.5, 0.3, 0.2])


def test_the_linear_pool_is_the_mean_of_the_probabilities():
    expected = sum(weight * np.exp(log_p) for weight, log_p in zip(WEIGHTS, LOG_P, strict=True))
    np.testing.assert_allclose(np.exp(linear_pool(LOG_P, WEIGHTS)), expected)


def test_the_log_pool_is_the_normalised_geometric_mean():
    product = np.prod([np.exp(log_p) ** weight for weight, log_p in zip(WEIGHTS, LOG_P, strict=True)], axis=0)
    expected = product / product.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.exp(log_pool(LOG_P, WEIGHTS)), expected)
    np.testing.assert_allclose(np.exp(log_pool(Z, WEIGHTS)), expected, err_msg="of logits it is the same")


def test_what_one_member_rules_out():
    one, other = np.log([[0.5, 0.5, 0.0 + 1e-300]]), np.array([[np.log(0.2), np.log(0.8), -np.inf]])
    one[0, 2] = -np.inf
    other[0, 0] = -np.inf
    half = equal_weights(2)
    assert np.exp(linear_pool([one, other], half)).round(3).tolist() == [[0.25, 0.65, 0]]
    assert np.exp(log_pool([one, other], half)).tolist() == [[0, 1, 0]]
    assert np.exp(log_pool([one, other], np.array([1.0, 0.0]))).tolist() == [[0.5, 0.5, 0]], "weight 0: no say"
    apart = [np.array([[0.0, -np.inf]]), np.array([[-np.inf, 0.0]])]
    assert np.isnan(log_pool(apart, half)).all(), "nothing is left"
    assert mean_logits([np.array([[2.0, 0.0]]), np.array([[0.0, -np.inf]])], half).tolist() == [[1, -np.inf]]


def test_disagreement_is_what_its_names_say():
    found = disagreement(LOG_P, WEIGHTS)
    votes = np.array([log_p.argmax(axis=1) for log_p in LOG_P])
    counts = np.array([np.bincount(row, minlength=4) for row in votes.T])
    np.testing.assert_allclose(found.vote_entropy, scipy_entropy(counts, axis=1), atol=1e-15)
    mean = sum(weight * np.exp(log_p) for weight, log_p in zip(WEIGHTS, LOG_P, strict=True))
    single = sum(weight * scipy_entropy(np.exp(log_p), axis=1) for weight, log_p in zip(WEIGHTS, LOG_P, strict=True))
    np.testing.assert_allclose(found.mutual_information, scipy_entropy(mean, axis=1) - single)
    pairs = [votes[0] == votes[1], votes[0] == votes[2], votes[1] == votes[2]]
    np.testing.assert_allclose(found.agreement, np.mean(pairs, axis=0))


def test_members_that_are_alike_do_not_disagree():
    found = disagreement([LOG_P[0]] * 3, equal_weights(3))
    assert found.vote_entropy.tolist() == [0] * 50
    assert found.agreement.tolist() == [1] * 50
    assert found.mutual_information.max() < 1e-15
    assert disagreement(LOG_P[:1], np.ones(1)).agreement.tolist() == [1] * 50


def test_three_members_of_which_two_agree():
    one, other = np.log([[0.9, 0.1]]), np.log([[0.1, 0.9]])
    found = disagreement([one, one, other], equal_weights(3))
    assert found.vote_entropy[0] == pytest.approx(scipy_entropy([2, 1]))
    assert found.agreement[0] == pytest.approx(1 / 3)


LABELS = GENERATOR.integers(0, 4, 400)
GOOD = GENERATOR.normal(size=(400, 4)) + 2.0 * np.eye(4)[LABELS]
MEMBERS = [log_softmax(GOOD + GENERATOR.normal(scale=scale, size=GOOD.shape)) for scale in (0.8, 1.5, 6.0)]
TRUTH = np.stack([log_p[np.arange(400), LABELS] for log_p in MEMBERS], axis=1)


def test_linear_weights_are_those_of_expectation_maximisation():
    weights = equal_weights(3)
    p = np.exp(TRUTH)
    for _ in range(20_000):
        shares = weights * p
        weights = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
    fit = fit_linear_weights(TRUTH)
    assert fit.gap <= GAP
    np.testing.assert_allclose(fit.weights, weights, atol=2e-3)
    assert fit.loss == pytest.approx(-np.log(p @ weights).mean(), abs=1e-6)


def test_fitted_weights_are_no_worse_than_any_others():
    linear, log = fit_linear_weights(TRUTH), fit_log_weights(MEMBERS, LABELS)
    assert max(linear.gap, log.gap) <= GAP
    rows = np.arange(400)
    for weights in [np.eye(3)[0], equal_weights(3), *GENERATOR.dirichlet(np.ones(3), 50)]:
        assert linear.loss <= -logsumexp(TRUTH, b=weights, axis=1).mean() + GAP
        assert log.loss <= -log_pool(MEMBERS, weights)[rows, LABELS].mean() + GAP
    assert log.loss == pytest.approx(-log_pool(MEMBERS, log.weights)[rows, LABELS].mean())
    assert linear.loss == pytest.approx(-logsumexp(TRUTH, b=linear.weights, axis=1).mean())


def test_a_member_that_knows_nothing_gets_no_weight():
    fit = fit_linear_weights(np.log([[0.9, 0.25], [0.8, 0.25], [0.7, 0.25]]))
    assert fit.weights.tolist() == [1, 0], "nothing is left by rounding"
    np.testing.assert_allclose(fit.weights, [1, 0], atol=1e-4)


def test_rows_that_no_weights_can_help_are_left_out():
    truth = np.vstack([TRUTH, np.full((1, 3), -np.inf)])
    np.testing.assert_allclose(fit_linear_weights(truth).weights, fit_linear_weights(TRUTH).weights, atol=1e-6)
    with pytest.raises(ValueError, match="nothing to fit"):
        fit_linear_weights(np.full((2, 3), -np.inf))
    masked = [np.vstack([log_p, [[0.0, -np.inf, -np.inf, -np.inf]]]) for log_p in MEMBERS]
    fit = fit_log_weights(masked, np.append(LABELS, 1))
    np.testing.assert_allclose(fit.weights, fit_log_weights(MEMBERS, LABELS).weights, atol=1e-6)


def test_a_row_that_one_member_rules_out_is_kept_by_the_others():
    truth = np.vstack([TRUTH, [[-np.inf, -0.1, -0.1]]])
    fit = fit_linear_weights(truth)
    assert np.isfinite(fit.loss)
    assert fit.weights[0] < 1


def test_weights_that_are_far_off_are_polished_to_the_best():
    """The logarithmic loss of a horse race: the best weights are the frequencies."""
    frequency = np.array([0.5, 0.3, 0.15, 0.05])

    def loss(weights):
        return -float(frequency @ np.log(weights)), -frequency / weights

    fit = _polish(loss, np.array([0.01, 0.01, 0.01, 0.97]))
    assert fit.gap <= GAP
    np.testing.assert_allclose(fit.weights, frequency, atol=1e-4)
