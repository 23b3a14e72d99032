"""Every analytic gradient against central differences, and every identity against doing nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._one_vs_rest import logistic_loss
from softmax_cli.numeric.calibrators._optimise import Prior, minimum, softmax_loss
from softmax_cli.numeric.calibrators.bcts import TemperatureAndBias
from softmax_cli.numeric.calibrators.beta import log_and_log_one_minus
from softmax_cli.numeric.calibrators.matrix import Affine
from softmax_cli.numeric.calibrators.platt import log_odds
from softmax_cli.numeric.calibrators.vector import FactorAndBias

CLASSES = 4


def examples():
    """Weighted rows, some classes masked."""
    random = np.random.default_rng(3)
    z = 2 * random.normal(size=(60, CLASSES))
    labels = np.arange(60) % CLASSES
    z[np.arange(0, 60, 5), (labels[::5] + 1) % CLASSES] = -np.inf
    return Examples.checked(z, labels, random.uniform(0.5, 2, 60))


def binary(features):
    rows = examples()
    return logistic_loss(rows, log_softmax(rows.z, axis=1), features)


LOSSES = {
    "bcts": (softmax_loss(examples(), TemperatureAndBias()), np.repeat([1.0, 0.0], [1, CLASSES])),
    "vector": (softmax_loss(examples(), FactorAndBias()), np.repeat([1.0, 0.0], CLASSES)),
    "matrix": (
        softmax_loss(examples(), Affine(CLASSES)),
        np.append(np.eye(CLASSES).ravel(), np.zeros(CLASSES)),
    ),
    "platt": (binary(log_odds), np.repeat([1.0, 0.0], CLASSES)),
    "beta": (binary(log_and_log_one_minus), np.repeat([1.0, 1.0, 0.0], CLASSES)),
}
every_loss = pytest.mark.parametrize("name", LOSSES)


@every_loss
def test_gradient_is_the_slope_of_the_loss(name):
    loss, identity = LOSSES[name]
    theta = identity + 0.3 * np.random.default_rng(0).normal(size=len(identity))
    _, gradient = loss(theta)
    steps = 1e-5 * np.eye(len(theta))
    slope = [(loss(theta + step)[0] - loss(theta - step)[0]) / 2e-5 for step in steps]
    np.testing.assert_allclose(gradient, slope, rtol=1e-6, atol=1e-9)


@every_loss
def test_identity_has_the_loss_of_the_rows_as_they_are(name):
    loss, identity = LOSSES[name]
    rows = examples()
    log_p = log_softmax(rows.z, axis=1)
    expected = -rows.weights @ log_p[np.arange(rows.rows), rows.labels]
    if name in ("platt", "beta"):
        truth = np.eye(CLASSES)[rows.labels]
        others = np.log1p(-np.exp(log_p))
        expected -= rows.weights @ ((1 - truth) * np.where(np.isinf(log_p), 0, others)).sum(axis=1)
    assert loss(identity)[0] == pytest.approx(expected, rel=1e-12)


@every_loss
def test_minimum_is_flat(name):
    loss, identity = LOSSES[name]
    prior = Prior.weak(identity, rows=60)
    theta = minimum(loss, prior)
    _, gradient = loss(theta)
    inside = np.full(len(theta), True) if name != "beta" else theta > 0
    np.testing.assert_allclose((gradient + prior.precision * (theta - identity))[inside], 0, atol=1e-4)


def test_bound_from_below_is_kept():
    def bowl(theta):
        return float((theta + 1) @ (theta + 1)), 2 * (theta + 1)

    prior = Prior(np.array([1.0, 1.0]), np.zeros(2), np.array([0.0, -np.inf]))
    np.testing.assert_allclose(minimum(bowl, prior), [0, -1], atol=1e-6)


def test_search_without_an_end_is_refused():
    def cliff(theta):
        return float("nan"), np.ones_like(theta)

    with pytest.raises(ValueError, match="no optimum after"):
        minimum(cliff, Prior(np.zeros(2), np.zeros(2)))


def test_weak_prior_alone_bounds_what_separated_rows_would_let_grow():
    """One parameter with loss exp(-theta): the optimum solves exp(-theta) = theta/100, which is Lambert W of 100."""

    def separated(theta):
        return float(np.exp(-theta[0])), -np.exp(-theta)

    (theta,) = minimum(separated, Prior.weak(np.zeros(1), rows=1))
    assert theta == pytest.approx(3.3856302, abs=1e-4)
