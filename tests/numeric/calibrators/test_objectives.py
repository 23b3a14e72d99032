"""Every analytic derivative against central differences, and every identity against doing nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._logistic_curves import Logistic, most_likely_curves
from softmax_cli.numeric.calibrators._optimise import Prior, SoftmaxLoss, minimum, most_likely
from softmax_cli.numeric.calibrators.bcts import TemperatureAndBias
from softmax_cli.numeric.calibrators.beta import log_and_log_one_minus
from softmax_cli.numeric.calibrators.matrix import Affine, structured
from softmax_cli.numeric.calibrators.platt import log_odds
from softmax_cli.numeric.calibrators.quadratic import log_odds_and_square
from softmax_cli.numeric.calibrators.vector import FactorAndBias

CLASSES = 4
BETA_BOUNDS = np.array([0.0, 0.0, -np.inf])


def examples(rows=60):
    """Weighted rows, some classes masked."""
    random = np.random.default_rng(3)
    z = 2 * random.normal(size=(rows, CLASSES))
    labels = np.arange(rows) % CLASSES
    z[np.arange(0, rows, 5), (labels[::5] + 1) % CLASSES] = -np.inf
    return Examples.checked(z, labels, random.uniform(0.5, 2, rows))


LOSSES = {
    "bcts": (SoftmaxLoss.of(examples(), TemperatureAndBias()), np.repeat([1.0, 0.0], [1, CLASSES])),
    "vector": (SoftmaxLoss.of(examples(), FactorAndBias()), np.repeat([1.0, 0.0], CLASSES)),
    "matrix": (SoftmaxLoss.of(examples(), Affine(CLASSES)), np.append(np.eye(CLASSES).ravel(), np.zeros(CLASSES))),
}
LOGISTIC = {
    "platt": (log_odds, (1.0, 0.0)),
    "beta": (log_and_log_one_minus, (1.0, 1.0, 0.0)),
    "quadratic": (log_odds_and_square, (1.0, 0.0, 0.0)),
}


def prior_about(identity, lower=None):
    """Wide enough that the rows decide."""
    return Prior.normal(np.asarray(identity), np.full(len(identity), 10.0), 60, lower)


every_loss = pytest.mark.parametrize("name", LOSSES)
every_logistic = pytest.mark.parametrize("name", LOGISTIC)


def slopes(function, theta, step=1e-5):
    """Central differences by each parameter, along the first axis."""
    moves = step * np.eye(len(theta))
    return np.stack([(function(theta + move) - function(theta - move)) / (2 * step) for move in moves])


@every_loss
def test_gradient_is_the_slope_of_the_loss(name):
    loss, identity = LOSSES[name]
    theta = identity + 0.3 * np.random.default_rng(0).normal(size=len(identity))
    value, gradient = loss(theta)
    np.testing.assert_allclose(gradient, slopes(lambda at: loss(at)[0], theta), rtol=1e-6, atol=1e-9)
    assert loss.value(theta) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("name", ["vector", "matrix"])
def test_curvature_is_the_second_derivative_where_each_parameter_is_about_one_class(name):
    loss, identity = LOSSES[name]
    theta = identity + 0.3 * np.random.default_rng(0).normal(size=len(identity))
    second = slopes(lambda at: loss(at)[1], theta).diagonal()
    np.testing.assert_allclose(loss.curvature(theta), second, rtol=1e-6, atol=1e-9)


@every_loss
def test_identity_has_the_loss_of_the_rows_as_they_are(name):
    loss, identity = LOSSES[name]
    rows = examples()
    log_p = log_softmax(rows.z, axis=1)
    assert loss(identity)[0] == pytest.approx(-rows.weights @ log_p[np.arange(rows.rows), rows.labels], rel=1e-12)


@every_loss
def test_minimum_is_flat(name):
    loss, identity = LOSSES[name]
    prior = prior_about(identity)
    theta = most_likely(loss, prior)
    _, gradient = loss(theta)
    np.testing.assert_allclose(gradient + prior.precision * (theta - identity), 0, atol=1e-4)


@every_loss
def test_losses_of_parts_add_up(name):
    """Three hundred rows and their first two thirds and last third, by weight."""
    rows = examples(rows=300)
    loss = SoftmaxLoss.of(rows, LOSSES[name][0].linear)
    theta = LOSSES[name][1] + 0.1
    parts = [loss.subset(np.arange(200)), loss.subset(np.arange(200, 300))]
    shares = [part.examples.count / rows.count for part in parts]
    whole = sum(share * part.value(theta) for part, share in zip(parts, shares, strict=True))
    assert loss.value(theta) == pytest.approx(whole, rel=1e-12)


@every_logistic
def test_derivatives_of_each_class_are_those_of_its_loss(name):
    features, identity = LOGISTIC[name]
    logistic = Logistic.of(examples(), features, prior_about(identity))
    theta = np.asarray(identity)[:, None] + 0.2 * np.random.default_rng(1).normal(size=(len(identity), CLASSES))
    found = logistic(theta)
    for index in range(CLASSES):

        def at(column, index=index):
            return logistic(np.where(np.arange(CLASSES) == index, column[:, None], theta))

        first = slopes(lambda column, at=at, index=index: at(column).loss[index], theta[:, index])
        second = slopes(lambda column, at=at, index=index: at(column).first[:, index], theta[:, index])
        np.testing.assert_allclose(found.first[:, index], first, rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(found.second[index], second, rtol=1e-5, atol=1e-8)


@every_logistic
def test_identity_of_a_class_has_its_two_class_loss(name):
    features, identity = LOGISTIC[name]
    rows = examples()
    log_p = log_softmax(rows.z, axis=1)
    truth = np.eye(CLASSES)[rows.labels].astype(bool)
    expected = -rows.weights @ np.where(truth, log_p, np.log1p(-np.exp(log_p)))
    theta = np.repeat(np.asarray(identity)[:, None], CLASSES, axis=1)
    np.testing.assert_allclose(Logistic.of(rows, features, prior_about(identity))(theta).loss, expected, rtol=1e-12)


@every_logistic
def test_fitted_class_is_flat_or_at_its_bound(name):
    features, identity = LOGISTIC[name]
    rows = examples()
    lower = BETA_BOUNDS if name == "beta" else np.full(len(identity), -np.inf)
    logistic = Logistic.of(rows, features, prior_about(identity, lower))
    theta = most_likely_curves(logistic)
    first = logistic(theta).first
    at_bound = theta <= lower[:, None]
    np.testing.assert_allclose(first[~at_bound], 0, atol=1e-6)
    assert (first[at_bound] > 0).all()
    assert at_bound.any() == (name == "beta")


def test_bound_from_below_is_kept():
    def bowl(theta):
        return float((theta + 1) @ (theta + 1)), 2 * (theta + 1)

    prior = Prior(np.array([1.0, 1.0]), np.zeros(2), np.array([0.0, -np.inf]))
    np.testing.assert_allclose(minimum(bowl, prior), [0, -1], atol=1e-6)


def test_units_and_start_change_the_way_and_not_the_minimum():
    """Two parameters whose curvatures differ by a million."""
    scales = np.array([1.0, 1e6])

    def bowl(theta):
        return float(scales @ (theta - 3) ** 2) / 2, scales * (theta - 3)

    prior = Prior(np.zeros(2), np.ones(2))
    expected = 3 * scales / (scales + 1)
    for options in ({}, {"curvature": scales}, {"start": np.array([5.0, -5.0]), "curvature": scales}):
        np.testing.assert_allclose(minimum(bowl, prior, **options), expected, atol=1e-4)


def test_search_without_an_end_is_refused():
    def cliff(theta):
        return float("nan"), np.ones_like(theta)

    with pytest.raises(ValueError, match="no optimum after"):
        minimum(cliff, Prior(np.zeros(2), np.zeros(2)))


def test_prior_alone_bounds_what_separated_rows_would_let_grow():
    """One parameter with loss exp(-theta): the optimum solves exp(-theta) = theta/100, which is Lambert W of 100.

    The spread of 5 counts four rows each of which has that loss.
    """

    def separated(theta):
        return float(np.exp(-theta[0])), -np.exp(-theta)

    (theta,) = minimum(separated, Prior.normal(np.zeros(1), np.array([5.0]), rows=4))
    assert theta == pytest.approx(3.3856302, abs=1e-4)


def test_structured_penalty_is_the_same_prior_for_any_number_of_rows_and_grows_with_the_classes():
    """Of one off-diagonal parameter, in sum over rows: 2 K (K - 1)."""
    for classes, rows in ((3, 10), (3, 1000), (100, 10)):
        prior = structured(np.zeros(classes), rows, strength=0.5)
        of_matrix = prior.precision[:-classes].reshape(classes, classes) * rows
        assert of_matrix[0, 1] == pytest.approx(classes * (classes - 1))
        assert of_matrix[0, 0] == pytest.approx(classes)
        np.testing.assert_allclose(prior.precision[-classes:] * rows, classes)
        np.testing.assert_array_equal(prior.identity, np.append(np.eye(classes).ravel(), np.zeros(classes)))
