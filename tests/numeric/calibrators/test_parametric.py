"""Methods that are fitted by L-BFGS: they find what made the labels, and agree with another implementation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, log_softmax, logit
from sklearn.linear_model import LogisticRegression

from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators.bcts import Bcts
from softmax_cli.numeric.calibrators.beta import Beta
from softmax_cli.numeric.calibrators.dirichlet import Dirichlet
from softmax_cli.numeric.calibrators.matrix import STRENGTHS, Matrix
from softmax_cli.numeric.calibrators.platt import Platt
from softmax_cli.numeric.calibrators.quadratic import Quadratic
from softmax_cli.numeric.calibrators.temperature import Temperature
from softmax_cli.numeric.calibrators.vector import Vector

CLASSES = 3
FACTOR = np.array([0.5, 1.0, 1.5])
BIAS = np.array([-0.6, 0.1, 0.5])


def logits(rows=20_000, seed=0):
    return 2 * np.random.default_rng(seed).normal(size=(rows, CLASSES))


def drawn(exponents, seed=1):
    """One label a row from softmax(exponents)."""
    return (exponents + np.random.default_rng(seed).gumbel(size=exponents.shape)).argmax(axis=1)


def test_bcts_finds_temperature_and_bias():
    z = logits()
    fitted = Bcts.fit(Examples.checked(z, drawn(z / 2 + BIAS)))
    assert fitted.temperature == pytest.approx(2, rel=0.05)
    np.testing.assert_allclose(fitted.bias, BIAS, atol=0.06)
    np.testing.assert_allclose(fitted.log_p(z), log_softmax(z / fitted.temperature + fitted.bias, axis=1), rtol=1e-9)


def test_bcts_where_no_class_is_biased_is_temperature():
    z = logits()
    labels = drawn(z / 2)
    fitted = Bcts.fit(Examples.checked(z, labels))
    assert fitted.temperature == pytest.approx(Temperature.fit(Examples.checked(z, labels)).temperature, rel=1e-3)
    np.testing.assert_allclose(fitted.bias, 0, atol=0.06)


def test_bcts_of_reversed_labels_is_refused():
    z = logits(rows=300)
    with pytest.raises(ValueError, match="worse than class shares alone"):
        Bcts.fit(Examples.checked(z, z.argmin(axis=1)))


def test_vector_finds_factors_and_bias():
    z = logits()
    fitted = Vector.fit(Examples.checked(z, drawn(FACTOR * z + BIAS)))
    np.testing.assert_allclose(fitted.factor, FACTOR, atol=0.06)
    np.testing.assert_allclose(fitted.bias, BIAS, atol=0.06)


def test_matrix_finds_what_mixes_the_classes():
    z = logits()
    mixing = np.array([[1.0, 0.6, 0.0], [0.0, 1.0, 0.0], [-0.5, 0.0, 1.0]])
    fitted = Matrix.fit(Examples.checked(z, drawn(z @ mixing.T + BIAS)))
    # A number added to a column of W changes all logits of a row alike: only differences of its rows count.
    np.testing.assert_allclose(fitted.matrix - fitted.matrix.mean(axis=0), mixing - mixing.mean(axis=0), atol=0.08)
    assert fitted.strength in STRENGTHS


def test_matrix_off_the_diagonal_shrinks_where_nothing_mixes():
    z = logits(rows=200)
    fitted = Matrix.fit(Examples.checked(z, drawn(z / 2)))
    assert fitted.strength >= 0.1
    assert np.abs(fitted.matrix[~np.eye(CLASSES, dtype=bool)]).max() < 0.1


def test_masked_class_adds_nothing_to_the_others():
    fitted = Matrix(np.arange(9.0).reshape(3, 3), np.array([0.5, 0.0, -0.5]), 0.1)
    log_p = fitted.log_p(np.array([[-np.inf, 0.0, 1.0]]))
    expected = log_softmax([5.0, 8.0 - 0.5])
    np.testing.assert_allclose(log_p, [[-np.inf, *expected]], rtol=1e-12)


def test_dirichlet_is_matrix_scaling_of_log_probabilities():
    z = logits(rows=500)
    labels = drawn(FACTOR * z)
    log_p = log_softmax(z, axis=1)
    ours, plain = Dirichlet.fit(Examples.checked(z, labels)), Matrix.fit(Examples.checked(log_p, labels))
    np.testing.assert_allclose(np.exp(ours.log_p(z)), np.exp(plain.log_p(log_p)), atol=1e-4)
    assert ours.describe().startswith("W log p + b, 3 x 3")


def test_platt_is_applied_class_by_class_then_renormalised():
    z = logits(rows=6)
    fitted = Platt(FACTOR, BIAS)
    q = expit(FACTOR * logit(np.exp(log_softmax(z, axis=1))) + BIAS)
    np.testing.assert_allclose(np.exp(fitted.log_p(z)), q / q.sum(axis=1, keepdims=True), rtol=1e-10)


FEATURES = {
    Platt: lambda p: np.column_stack([logit(p)]),
    Beta: lambda p: np.column_stack([np.log(p), -np.log1p(-p)]),
    Quadratic: lambda p: np.column_stack([logit(p), logit(p) ** 2]),
}
"""Of the probability of one class: what its log-odds are a weighted sum of."""
SPREADS = {Platt: [0.2], Beta: [0.2, 0.2], Quadratic: [0.2, 0.03]}
SLOPES = {Platt: [1.0], Beta: [1.0, 1.0], Quadratic: [1.0, 0.0]}
every_curve = pytest.mark.parametrize("method", FEATURES)


def curve_of(fitted, index):
    """Slopes and intercept of one class."""
    return [values[index] for name, values in vars(fitted).items() if name not in ("lowest", "highest")]


@every_curve
def test_curve_has_the_least_of_its_objective(method):
    """Log loss of one class against the rest, in sum over rows, less the logarithm of a normal density about 1/T."""
    z = logits(rows=400)
    labels = drawn(FACTOR * z + BIAS)
    rows = Examples.checked(z, labels)
    fitted, beta = method.fit(rows), 1 / Temperature.fit(rows).temperature
    for index in range(CLASSES):
        features = FEATURES[method](np.exp(log_softmax(z, axis=1))[:, index])
        sign = np.where(labels == index, -1, 1)
        middle, spread = beta * np.array(SLOPES[method]), beta * np.array(SPREADS[method])

        def loss(theta, features=features, sign=sign, middle=middle, spread=spread):
            odds = features @ theta[:-1] + theta[-1]
            off = (theta - np.append(middle, 0)) / np.append(spread, 1.5)
            return np.logaddexp(0, sign * odds).sum() + off @ off / 2

        least = minimize(loss, np.append(middle, 0), method="BFGS").x
        np.testing.assert_allclose(curve_of(fitted, index), least, atol=2e-4)


@every_curve
def test_many_rows_decide_alone(method):
    """The loss of scikit-learn's logistic regression without a penalty, within 1e-5 nats."""
    z = logits(rows=40_000)
    labels = drawn(FACTOR * z + BIAS)
    fitted = method.fit(Examples.checked(z, labels))
    for index in range(CLASSES):
        features = FEATURES[method](np.exp(log_softmax(z, axis=1))[:, index])
        theirs = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(features, labels == index)
        slopes = [theirs.coef_[0], np.array(curve_of(fitted, index)[:-1])]
        if method is Beta and (theirs.coef_ < 0).any():
            continue
        adds = [theirs.intercept_[0], curve_of(fitted, index)[-1]]
        odds = [features @ slope + add for slope, add in zip(slopes, adds, strict=True)]
        unpenalised, penalised = (np.logaddexp(0, np.where(labels == index, -one, one)).mean() for one in odds)
        assert 0 <= penalised - unpenalised < 1e-5


def test_beta_with_equal_parameters_is_platt():
    z = logits(rows=6)
    np.testing.assert_allclose(Beta(FACTOR, FACTOR, BIAS).log_p(z), Platt(FACTOR, BIAS).log_p(z), rtol=1e-12)


def test_beta_that_turns_the_ranking_around_is_refused():
    with pytest.raises(ValueError, match="would turn the ranking around"):
        Beta.from_parameters({"a": [1.0, -1.0], "b": [1.0, 1.0], "intercept": [0.0, 0.0]})


@pytest.mark.parametrize("method", [Platt, Beta, Vector, Matrix, Dirichlet, Bcts])
def test_perfectly_separated_rows_give_finite_parameters(method):
    z = 3 * np.eye(3)[np.arange(60) % 3]
    log_p = method.fit(Examples.checked(z, np.arange(60) % 3)).log_p(z)
    assert (log_p.argmax(axis=1) == np.arange(60) % 3).all()
    assert np.isfinite(log_p).all()


@pytest.mark.parametrize("method", [Platt, Beta, Vector, Matrix, Dirichlet, Bcts])
def test_what_people_read_names_the_parameters(method):
    z = logits(rows=300)
    told = method.fit(Examples.checked(z, drawn(z / 2))).describe()
    assert len(told) < 160
    assert "\n" not in told


@pytest.mark.parametrize("method", [Bcts, Vector])
def test_mean_probability_of_a_class_is_its_share(method):
    """What the derivative by the bias says at the optimum; the prior leaves less than 1e-4 on 20,000 rows."""
    z = logits()
    labels = drawn(FACTOR * z + BIAS)
    mean = np.exp(method.fit(Examples.checked(z, labels)).log_p(z)).mean(axis=0)
    np.testing.assert_allclose(mean, np.bincount(labels) / len(labels), atol=1e-4)


def test_platt_of_two_classes_that_mirror_each_other_moves_none_of_them():
    """The weak prior is about an intercept of 0, and a slope that no row contradicts stays finite."""
    z = np.array([[1.0, -1.0], [2.0, -2.0], [-1.0, 1.0], [-2.0, 2.0]])
    fitted = Platt.fit(Examples.checked(z, np.array([0, 0, 1, 1])))
    np.testing.assert_allclose(fitted.intercept, 0, atol=1e-9)
    assert np.isfinite(fitted.slope).all()
