"""Logistic curves: the log-odds of each class alone, a sum of slopes times features, fitted by Newton's method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators._examples import (
    Examples,
    check_classes,
    log_one_minus,
    log_one_minus_rows,
    log_softmax_rows,
)
from softmax_cli.numeric.calibrators._one_vs_rest import Columns, renormalized
from softmax_cli.numeric.calibrators._optimise import BIAS_SPREAD, FACTOR_SPREAD, Prior, total
from softmax_cli.numeric.calibrators.temperature import temperature_or_one

Features = Callable[[Columns, Columns], tuple[Columns, ...]]
"""From log p and log(1 - p), none masked, to what is multiplied by the slopes."""


_LOWEST = -1e300


def _unmasked(log_p: Columns) -> Columns:
    """Copy with 0 where a class is masked, and bounded so that a product with a slope stays finite."""
    return np.where(log_p == -np.inf, 0.0, np.maximum(log_p, _LOWEST))


def log_logistic(t: Columns) -> Columns:
    """Log(1/(1 + exp(-t))); exp alone would overflow below -709."""
    with np.errstate(under="ignore", invalid="ignore"):  # nan stays nan, silently
        log_q: Columns = -np.logaddexp(0, -t)
    return log_q


def scores(theta: NDArray[np.float64], features: tuple[Columns, ...]) -> Columns:
    """Log-odds sum_f slope_f feature_f + intercept, shape (rows, classes); `theta` is (features + 1, classes)."""
    t: Columns = np.multiply(features[0], theta[0])
    for slope, feature in zip(theta[1:-1], features[1:], strict=True):
        t += slope * feature
    t += theta[-1]
    return t


_LARGEST_FEATURE = 1e100
"""A feature stands squared in the second derivatives, which have to stay finite."""
_NEWTON_STEPS = 100
_SHORTEST = 1e-6
"""Share of a Newton step."""
_FALL = 1e-14
"""Of the loss in one more step, nats: a class whose loss would fall by less is done."""


@dataclass(frozen=True, eq=False)
class Logistic:
    """For each class, the mean two-class log loss with a prior, and its derivatives by slopes and intercept."""

    features: tuple[Columns, ...]
    """Shape (rows, classes) each, finite."""
    masked: NDArray[np.bool_] | None
    """Such a class of a row is no example of anything; None: there is none."""
    examples: Examples
    prior: Prior
    """The same for every class: of features + 1 parameters."""

    @classmethod
    def of(cls, examples: Examples, features: Features, prior: Prior) -> Self:
        """Take the features of log-probabilities."""
        log_p = examples.rowwise(log_softmax_rows)
        masked = log_p == -np.inf
        found = features(np.maximum(_unmasked(log_p), -_LARGEST_FEATURE), examples.rowwise(log_one_minus_rows))
        return cls(found, masked if masked.any() else None, examples, prior)

    def __call__(self, theta: NDArray[np.float64]) -> Derivatives:
        """Return the loss of every class and its derivatives at `theta`, shape (features + 1, classes)."""
        size, classes = theta.shape
        pairs = [(i, j) for i in range(size) for j in range(i + 1)]

        def part(rows: slice) -> NDArray[np.float64]:
            inputs: list[Columns | float] = [*(feature[rows] for feature in self.features), 1.0]
            losses, residual, spread = self._of_rows(theta, rows)
            sums = [losses.sum(axis=0), *(_summed(residual, feature) for feature in inputs)]
            for i, feature in enumerate(inputs):
                times = spread * feature
                sums += [_summed(times, inputs[j]) for j in range(i + 1)]
            return np.stack(sums)

        parts = total(part, self.examples.rows, classes)
        precision = self.prior.precision[:, None]
        off = theta - self.prior.identity[:, None]
        second = np.zeros((classes, size, size))
        for values, (i, j) in zip(parts[1 + size :], pairs, strict=True):
            second[:, i, j] = second[:, j, i] = values
        second += np.diag(precision[:, 0])
        return Derivatives(
            parts[0] + (precision * off**2).sum(axis=0) / 2, parts[1 : 1 + size] + precision * off, second
        )

    def _of_rows(self, theta: NDArray[np.float64], rows: slice) -> tuple[Columns, Columns, Columns]:
        """Weighted loss, its first and its second derivative by the log-odds, of some rows."""
        t = scores(theta, tuple(feature[rows] for feature in self.features))
        labels, weights = self.examples.labels[rows], self.examples.weights[rows, None]
        true = np.arange(len(labels)), labels
        with np.errstate(under="ignore"):
            e = np.exp(-np.abs(t))
            losses = np.log1p(e)
            losses += np.maximum(t, 0)
            losses[true] -= t[true]
            p = np.where(t > 0, 1.0, e)
            e += 1
            p /= e
            spread = (1 - p) * p
            p[true] -= 1
            for values in (losses, p, spread):
                values *= weights
                if self.masked is not None:
                    values[self.masked[rows]] = 0
        return losses, p, spread


def _summed(values: Columns, feature: Columns | float) -> NDArray[np.float64]:
    """Sum over rows of values * feature, shape (classes,); the feature of the intercept is 1."""
    if isinstance(feature, float):
        return np.asarray(values.sum(axis=0))
    return np.asarray(np.einsum("rc,rc->c", values, feature))


@dataclass(frozen=True, eq=False)
class Derivatives:
    """A loss for each class and its derivatives."""

    loss: NDArray[np.float64]
    """Shape (classes,)."""
    first: NDArray[np.float64]
    """Shape (parameters, classes)."""
    second: NDArray[np.float64]
    """Shape (classes, parameters, parameters)."""

    def step(self, at_bound: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Newton's step, shape (parameters, classes), that leaves the parameters `at_bound` where they are."""
        held = (at_bound & (self.first > 0)).T
        first = np.where(held, 0.0, self.first.T)
        second = np.where(held[:, :, None] | held[:, None, :], 0.0, self.second)
        second[held[:, :, None] & np.eye(len(self.first), dtype=bool)] = 1
        return -np.linalg.solve(second, first[:, :, None])[:, :, 0].T

    def where(self, better: NDArray[np.bool_], other: Derivatives) -> Derivatives:
        """Take those of the classes in `better` from `other`."""
        return Derivatives(
            np.where(better, other.loss, self.loss),
            np.where(better, other.first, self.first),
            np.where(better[:, None, None], other.second, self.second),
        )


def fit_logistic(
    examples: Examples,
    features: Features,
    slopes: Sequence[float],
    spread: Sequence[float] | None = None,
    lower: float = -np.inf,
) -> NDArray[np.float64]:
    """Fit the slope of every feature, and the intercept, of each class.

    All classes take Newton's steps together, each as far as its own loss falls: a class has two or three parameters,
    and one search for the parameters of all takes a hundred times as many steps.

    Parameters
    ----------
    slopes : sequence of float
        Those that change nothing. As 1/T of them, and intercept 0, they are the middle of the prior.
    spread : sequence of float, optional
        Standard deviations of the slopes, as shares of 1/T; see `Prior.normal`.
    lower : float
        Least slope.

    Returns
    -------
    array, shape (features + 1, classes)
    """
    beta = 1 / temperature_or_one(examples)
    of_slopes = np.full(len(slopes), FACTOR_SPREAD) if spread is None else np.asarray(spread)
    prior = Prior.normal(
        np.append(beta * np.asarray(slopes), 0.0),
        np.append(beta * of_slopes, BIAS_SPREAD),
        examples.count,
        np.append(np.full(len(slopes), lower), -np.inf),
    )
    return most_likely_curves(Logistic.of(examples, features, prior))


def most_likely_curves(derivatives: Logistic) -> NDArray[np.float64]:
    """Slopes and intercept of each class of least penalised loss, shape (features + 1, classes)."""
    prior, classes = derivatives.prior, derivatives.examples.classes
    bound = np.full(len(prior.identity), -np.inf) if prior.lower is None else prior.lower
    bound = bound[:, None]
    theta = np.repeat(prior.identity[:, None], classes, axis=1)
    here, share = derivatives(theta), np.ones(classes)
    for _ in range(_NEWTON_STEPS):
        step = here.step(theta <= bound)
        open_ = (-(here.first * step).sum(axis=0) > _FALL) & (share > _SHORTEST)
        if not open_.any():
            break
        tried = np.where(open_, np.maximum(theta + share * step, bound), theta)
        there = derivatives(tried)
        better = open_ & (there.loss <= here.loss)
        theta, here = np.where(better, tried, theta), here.where(better, there)
        share = np.where(better, 1.0, np.where(open_, share / 2, share))
    return theta


def apply_logistic(z: Columns, theta: NDArray[np.float64], features: Features) -> Columns:
    """Log-probabilities by the logistic curves of the classes, renormalised; `theta` as `fit_logistic` gives it."""
    check_classes(z, theta.shape[1])
    log_p = log_softmax_rows(z)
    return renormalized(log_logistic(scores(theta, features(_unmasked(log_p), log_one_minus(log_p)))), log_p)
