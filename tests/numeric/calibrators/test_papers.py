"""Newer methods against their definitions, written out here at length, with scikit-learn and scipy as the solvers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators.centred_isotonic import CentredIsotonic
from softmax_cli.numeric.calibrators.ensemble_temperature import EnsembleTemperature
from softmax_cli.numeric.calibrators.scaling_binning import ScalingBinning, logistic
from softmax_cli.numeric.calibrators.sms import Sms
from softmax_cli.numeric.calibrators.spline import Spline, lacking
from softmax_cli.numeric.calibrators.svs import Svs
from softmax_cli.numeric.calibrators.temperature import Temperature
from softmax_cli.numeric.calibrators.venn_abers import STEP, VennAbers

ROWS, CLASSES = 1500, 3


@pytest.fixture(scope="module")
def rows():
    """Over-confident logits, with a bias and noise that no temperature takes away, and their labels."""
    rng = np.random.default_rng(7)
    truth = 1.5 * rng.normal(size=(ROWS, CLASSES))
    labels = (truth + rng.gumbel(size=truth.shape)).argmax(axis=1)
    return 2 * truth * [1.0, 0.6, 1.3] + [0.5, 0.0, -0.4] + 0.3 * rng.normal(size=truth.shape), labels


def log_odds(log_p):
    return log_p - np.log(-np.expm1(log_p))


def penalised(z, labels, affine, penalty, size):
    """Least mean negative log-likelihood and penalty / rows, over what temperature scaling gives."""
    log_p = log_softmax(z / Temperature.fit(Examples.checked(z, labels)).temperature, axis=1)

    def loss(theta):
        q = log_softmax(affine(theta, log_p), axis=1)
        return -q[np.arange(len(labels)), labels].mean() + penalty(theta) / len(labels)

    return minimize(loss, np.zeros(size), method="BFGS", options={"gtol": 1e-8}).x


def test_svs_has_the_least_of_its_objective(rows):
    """K (w - 1)^2 + K b^2, summed over the classes and divided by the rows."""
    theta = penalised(
        *rows,
        lambda theta, log_p: (1 + theta[:CLASSES]) * log_p + theta[CLASSES:],
        lambda theta: CLASSES * (theta**2).sum(),
        2 * CLASSES,
    )
    fitted = Svs.fit(Examples.checked(*rows))
    np.testing.assert_allclose(fitted.factor, 1 + theta[:CLASSES], atol=1e-4)
    np.testing.assert_allclose(fitted.bias, theta[CLASSES:], atol=1e-4)


def test_sms_has_the_least_of_its_objective(rows):
    """K (W_ii - 1)^2 + K b^2 + K (K - 1) W_ij^2, summed and divided by the rows."""
    cost = np.where(np.eye(CLASSES), CLASSES, CLASSES * (CLASSES - 1))

    def split(theta):
        return theta[: CLASSES**2].reshape(CLASSES, CLASSES), theta[CLASSES**2 :]

    def penalty(theta):
        change, bias = split(theta)
        return (cost * change**2).sum() + CLASSES * (bias**2).sum()

    def affine(theta, log_p):
        change, bias = split(theta)
        return log_p @ (np.eye(CLASSES) + change).T + bias

    change, bias = split(penalised(*rows, affine, penalty, CLASSES**2 + CLASSES))
    fitted = Sms.fit(Examples.checked(*rows))
    np.testing.assert_allclose(fitted.matrix, np.eye(CLASSES) + change, atol=2e-3)
    np.testing.assert_allclose(fitted.bias, bias, atol=2e-3)


def test_venn_abers_fits_isotonic_regression_anew_for_every_row(rows):
    """With the row as true (p1) and as not true (p0), on log-odds on the grid; merged p1 / (1 - p0 + p1)."""
    z, labels = rows[0][:200], rows[1][:200]
    fitted = VennAbers.fit(Examples.checked(z, labels))
    seen = np.round(log_odds(log_softmax(z, axis=1)) / STEP)
    new = z[:25] + 0.1
    asked = np.round(log_odds(log_softmax(new, axis=1)) / STEP)

    def with_row(one, place, truth):
        points, truths = np.append(seen[:, one], place), np.append(labels == one, truth)
        return IsotonicRegression().fit(points, truths).predict([place])[0]

    merged = np.empty(new.shape)
    for row, one in np.ndindex(new.shape):
        p0, p1 = (with_row(one, asked[row, one], truth) for truth in (0.0, 1.0))
        merged[row, one] = p1 / (1 - p0 + p1)
    np.testing.assert_allclose(np.exp(fitted.log_p(new)), merged / merged.sum(axis=1, keepdims=True), atol=1e-9)


def test_centred_isotonic_goes_through_the_middles_of_the_pieces(rows):
    """Each piece of scikit-learn's curve that is neither never nor always true, at the mean of its rows."""
    z, labels = rows
    p = np.exp(log_softmax(z, axis=1))
    fitted = CentredIsotonic.fit(Examples.checked(z, labels))
    for one in range(CLASSES):
        level = IsotonicRegression().fit_transform(p[:, one], labels == one)
        pieces = [value for value in np.unique(level) if 1e-9 < value < 1 - 1e-9]
        middles = [p[level == value, one].mean() for value in pieces]
        assert len(pieces) > 8
        curve = np.interp(middles, fitted.knots[one], fitted.levels[one])
        np.testing.assert_allclose(curve, pieces, atol=1e-9)


def test_the_slope_of_the_spline(rows):
    """A natural cubic spline in the basis of truncated powers (Hastie, Tibshirani & Friedman 2009, 5.4 and 5.5)."""
    rng = np.random.default_rng(1)
    confidence = np.sort(rng.uniform(0.4, 1, ROWS))
    correct = (rng.random(ROWS) < confidence**2).astype(float)
    rank = np.arange(1, ROWS + 1) / ROWS
    knots = np.linspace(0, 1, 6)

    def powers(place, order):
        part = [np.maximum(place - knot, 0) ** order / (knots[-1] - knot) for knot in knots[:-1]]
        last = np.maximum(place - knots[-1], 0) ** order
        part = [one - last / (knots[-1] - knot) for one, knot in zip(part, knots, strict=False)]
        return [one - part[-1] for one in part[:-1]]

    basis = np.stack([np.ones(ROWS), rank, *powers(rank, 3)], axis=1)
    slopes = np.stack([np.zeros(ROWS), np.ones(ROWS), *(3 * one for one in powers(rank, 2))], axis=1)
    weights, *_ = np.linalg.lstsq(basis, np.cumsum(correct - confidence) / ROWS, rcond=None)
    np.testing.assert_allclose(lacking(confidence, correct, np.full(ROWS, 1 / ROWS)), slopes @ weights, atol=1e-9)


def test_scaling_binning_takes_the_means_of_a_logistic_curve_over_equal_bins(rows):
    """Platt's curve of the scaled confidence, cut into 15 bins of 100 rows."""
    z, labels = rows
    fitted = ScalingBinning.fit(Examples.checked(z, labels))
    log_p = log_softmax(z / Temperature.fit(Examples.checked(z, labels)).temperature, axis=1)
    odds = log_odds(log_p.max(axis=1))[:, None]
    curve = LogisticRegression(C=1e10, tol=1e-10, max_iter=5000).fit(odds, log_p.argmax(axis=1) == labels)
    scaled = np.sort(curve.predict_proba(odds)[:, 1])
    means = scaled.reshape(15, 100).mean(axis=1)
    np.testing.assert_allclose(fitted.levels, means, atol=5e-4)  # the prior of `Platt` moves them
    ours = np.sort(np.exp(fitted.log_p(z)[np.arange(ROWS), log_p.argmax(axis=1)]))
    np.testing.assert_allclose(ours, np.repeat(means, 100), atol=5e-4)


def test_ensemble_temperature_has_the_weights_that_em_finds(rows):
    """T by likelihood alone, then the shares of three fixed parts: EM for a mixture, repeated until it stands."""
    z, labels = rows
    labels = np.where(np.arange(ROWS) % 10, labels, np.random.default_rng(2).integers(CLASSES, size=ROWS))
    fitted = EnsembleTemperature.fit(Examples.checked(z, labels))
    temperature = Temperature.fit(Examples.checked(z, labels)).temperature
    assert fitted.temperature == pytest.approx(temperature, rel=1e-6)
    parts = np.stack([log_softmax(z / temperature, axis=1), log_softmax(z, axis=1), np.full(z.shape, -np.log(CLASSES))])
    at_truth = np.exp(parts[:, np.arange(ROWS), labels])
    shares = np.full(3, 1 / 3)
    for _ in range(20_000):
        held = shares[:, None] * at_truth
        shares = (held / held.sum(axis=0)).mean(axis=1)
    np.testing.assert_allclose(fitted.weights, shares, atol=1e-3)
    np.testing.assert_allclose(
        fitted.log_p(z), logsumexp(parts + np.log(fitted.weights)[:, None, None], axis=0), atol=1e-9
    )


def test_a_spline_through_rows_that_are_all_wrong_ends_above_zero():
    """Half a row more, of which half is right: the least level is the share so found, as if of one row more."""
    log_p = np.log(np.stack([np.linspace(0.6, 0.9, 9), 1 - np.linspace(0.6, 0.9, 9)], axis=1))
    fitted = Spline.fit(Examples.checked(log_p, np.ones(9, int)))
    np.testing.assert_allclose(fitted.levels, 0.5 / 10 / 10, rtol=1e-9)


def test_a_logistic_curve_never_says_0_or_1():
    assert logistic(np.array([-1e9, np.log(0.5), -1e-300]), 1.0, 0.0).tolist() == [1e-12, 0.5, 1 - 1e-12]
