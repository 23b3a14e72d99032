"""Each class against all others, then renormalised: how a method for two classes serves many.

Zadrozny & Elkan (2002), "Transforming classifier scores into accurate multiclass probability estimates", KDD. Each
class is calibrated alone, and dividing by the row's sum disturbs that again: unlike the softmax methods, the result
need not lower the negative log-likelihood even of the rows that were fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators._examples import Examples, check_classes, log_softmax_rows, normalized
from softmax_cli.numeric.calibrators._optimise import Loss, Prior, minimum, total

Columns = NDArray[np.float64]
"""Shape (rows, classes)."""
Features = Callable[[Columns], tuple[Columns, ...]]
"""From log-probabilities, none masked, to what is multiplied by the slopes."""

_LOWEST = -1e300


def renormalized(log_q: Columns, log_p: Columns) -> Columns:
    """Log-probabilities proportional to q, in place.

    Parameters
    ----------
    log_q : array, shape (rows, classes)
        Log of each class's own probability.
    log_p : array, shape (rows, classes)
        The row before calibration: its masked classes stay masked, a row of ``nan`` stays so, and where every q is 0
        it is the result, since nothing was learnt about such a row.
    """
    masked = log_p == -np.inf
    log_q[masked] = -np.inf
    lost = (log_q == -np.inf).all(axis=1)
    log_q[lost] = log_p[lost]
    log_q[np.isnan(log_p).any(axis=1)] = np.nan
    return normalized(log_q, masked)


def unmasked(log_p: Columns) -> Columns:
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


def logistic_loss(examples: Examples, log_p: Columns, features: Features) -> Loss:
    """Sum over classes of the mean two-class log loss; a masked class of a row is no example of anything."""

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        theta = flat.reshape(-1, examples.classes)

        def part(rows: slice) -> NDArray[np.float64]:
            masked = log_p[rows] == -np.inf
            inputs = features(unmasked(log_p[rows]))
            t = scores(theta, inputs)
            labels, each = examples.labels[rows], np.arange(len(t))
            with np.errstate(under="ignore"):
                losses = np.logaddexp(0, t)
                residual = np.exp(-np.logaddexp(0, -t))
            losses[each, labels] -= t[each, labels]
            residual[each, labels] -= 1
            residual *= examples.weights[rows, None]
            residual[masked] = losses[masked] = 0
            slopes = [np.einsum("rc,rc->c", residual, feature) for feature in inputs]
            return np.concatenate([*slopes, residual.sum(axis=0), [examples.weights[rows] @ losses.sum(axis=1)]])

        parts = total(part, examples.rows, examples.classes)
        return float(parts[-1]), parts[:-1]

    return loss


def fit_logistic(
    z: Columns,
    labels: NDArray[Any],
    weights: NDArray[Any] | None,
    features: Features,
    identity: Sequence[float],
    lower: Sequence[float] | None = None,
) -> NDArray[np.float64]:
    """Fit the slope of every feature, and the intercept, of each class.

    Parameters
    ----------
    identity : sequence of float
        Slopes and intercept that change nothing: the middle of a weak prior.
    lower : sequence of float, optional
        Least slopes and intercept.

    Returns
    -------
    array, shape (features + 1, classes)

    Raises
    ------
    ValueError
        A class has no example.
    """
    examples = Examples.checked(z, labels, weights)
    examples.require_every_class()
    bounds = None if lower is None else np.repeat(lower, examples.classes)
    prior = Prior.weak(np.repeat(identity, examples.classes), examples.rows, bounds)
    return minimum(logistic_loss(examples, log_softmax_rows(examples.z), features), prior).reshape(len(identity), -1)


def apply_logistic(z: Columns, theta: NDArray[np.float64], features: Features) -> Columns:
    """Log-probabilities by the logistic curves of the classes, renormalised; `theta` as `fit_logistic` gives it."""
    check_classes(z, theta.shape[1])
    log_p = log_softmax_rows(z)
    return renormalized(log_logistic(scores(theta, features(unmasked(log_p)))), log_p)


Column = NDArray[np.float64]
"""Of one class, shape (rows,)."""
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Of one class: places on the axis of its probability, and levels."""


def check_rising(values: NDArray[np.float64], what: str) -> None:
    """Refuse knots that are not in order.

    Raises
    ------
    ValueError
        One is not above that before it.
    """
    for before, after in pairwise(values.tolist()):
        if not before < after:
            raise ValueError(f"{what} {after} follows {before}: they must rise")


def check_probabilities(values: NDArray[np.float64], what: str) -> None:
    """Refuse levels that are no probabilities.

    Raises
    ------
    ValueError
        One is below 0 or above 1.
    """
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{what} from {values.min()} to {values.max()}: expected probabilities")


def fit_each(
    z: Columns, labels: NDArray[Any], weights: NDArray[Any] | None, fit: Callable[[Column, Column, Column], Curve]
) -> list[Curve]:
    """Fit a curve to each class.

    Parameters
    ----------
    fit : callable
        Takes probability, truth (1 or 0) and weight of the rows where the class is not masked. The weights are scaled
        to 1 on average over all rows: sums of them are numbers of rows.

    Raises
    ------
    ValueError
        A class has no example.
    """
    examples = Examples.checked(z, labels, weights)
    examples.require_every_class()
    log_p = log_softmax_rows(examples.z)
    return [fit(*_column(examples, log_p, index)) for index in range(examples.classes)]


def _column(examples: Examples, log_p: Columns, index: int) -> tuple[Column, Column, Column]:
    here = log_p[:, index] > -np.inf
    with np.errstate(under="ignore"):
        probability = np.exp(log_p[here, index])
    return probability, (examples.labels[here] == index).astype(np.float64), examples.weights[here] * examples.rows


def apply_each(z: Columns, curves: Sequence[Curve], level: Callable[[Column, Column, Column], Column]) -> Columns:
    """Send the probability of each class through its curve, and renormalise; `level` takes it and the curve."""
    check_classes(z, len(curves))
    log_p = log_softmax_rows(z)
    with np.errstate(under="ignore"):
        q = np.exp(log_p)
    for index, curve in enumerate(curves):
        q[:, index] = level(q[:, index], *curve)
    with np.errstate(divide="ignore"):
        return renormalized(np.log(q), log_p)
