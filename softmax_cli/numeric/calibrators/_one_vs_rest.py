"""Each class against all others, then renormalised: how a method for two classes serves many.

Zadrozny & Elkan (2002), "Transforming classifier scores into accurate multiclass probability estimates", KDD. Each
class is calibrated alone, and dividing by the row's sum disturbs that again: unlike the softmax methods, the result
need not lower the negative log-likelihood even of the rows that were fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators._examples import (
    Examples,
    check_classes,
    log_one_minus,
    log_one_minus_rows,
    log_softmax_rows,
    normalized,
)
from softmax_cli.numeric.calibrators._optimise import Prior, total
from softmax_cli.numeric.calibrators._parameters import OfCurves

Columns = NDArray[np.float64]
"""Shape (rows, classes)."""
Features = Callable[[Columns, Columns], tuple[Columns, ...]]
"""From log p and log(1 - p), none masked, to what is multiplied by the slopes."""

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


_LARGEST_FEATURE = 1e100
"""A feature stands squared in the second derivatives, which have to stay finite."""
_NEWTON_STEPS = 100
_SHORTEST = 1e-6
"""Share of a Newton step."""
_FALL = 1e-14
"""Of the loss in one more step, nats: a class whose loss would fall by less is done."""


@dataclass(frozen=True, eq=False)
class Logistic:
    """For each class, the mean two-class log loss with a weak prior, and its derivatives by slopes and intercept."""

    features: tuple[Columns, ...]
    """Shape (rows, classes) each, finite."""
    masked: NDArray[np.bool_] | None
    """Such a class of a row is no example of anything; None: there is none."""
    examples: Examples
    identity: NDArray[np.float64]
    """Parameters that change nothing, shape (features + 1,): the middle of the prior."""

    @classmethod
    def of(cls, examples: Examples, features: Features, identity: Sequence[float]) -> Self:
        """Take the features of log-probabilities."""
        log_p = examples.rowwise(log_softmax_rows)
        masked = log_p == -np.inf
        found = features(np.maximum(unmasked(log_p), -_LARGEST_FEATURE), examples.rowwise(log_one_minus_rows))
        return cls(found, masked if masked.any() else None, examples, np.asarray(identity, np.float64))

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
        precision = Prior.weak(self.identity, self.examples.count).precision[:, None]
        off = theta - self.identity[:, None]
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
    examples: Examples, features: Features, identity: Sequence[float], lower: Sequence[float] | None = None
) -> NDArray[np.float64]:
    """Fit the slope of every feature, and the intercept, of each class.

    All classes take Newton's steps together, each as far as its own loss falls: a class has two or three parameters,
    and one search for the parameters of all takes a hundred times as many steps.

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
    examples.require_every_class()
    bound = np.full(len(identity), -np.inf) if lower is None else np.asarray(lower, np.float64)
    return _newton(Logistic.of(examples, features, identity), bound[:, None], examples.classes)


def _newton(derivatives: Logistic, bound: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    theta = np.repeat(derivatives.identity[:, None], classes, axis=1)
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
    return renormalized(log_logistic(scores(theta, features(unmasked(log_p), log_one_minus(log_p)))), log_p)


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


@dataclass(frozen=True, eq=False)
class StepCurves(OfCurves):
    """A curve of steps for each class: the level of the first edge that is not below."""

    edges: tuple[Column, ...]
    """For each class, the upper ends of all steps but the last, rising."""
    levels: tuple[Column, ...]
    """For each class, the probability after, one for each step."""

    def __post_init__(self) -> None:
        if [len(edges) + 1 for edges in self.edges] != [len(levels) for levels in self.levels]:
            raise ValueError(
                "'edges' and 'levels' do not belong together: expected one level more than edges in each class"
            )
        for edges, levels in zip(self.edges, self.levels, strict=True):
            check_rising(edges, "edge")
            check_probabilities(levels, "levels")

    @property
    def free_parameters(self) -> int:
        """Steps of all classes together."""
        return sum(map(len, self.levels))

    def apply(self, z: Columns, axis: Callable[[Columns], Columns] = np.exp) -> Columns:
        """Log-probabilities by the steps of the classes, renormalised; `axis` as for `apply_each`."""
        curves = list(zip(self.edges, self.levels, strict=True))
        return apply_each(z, curves, lambda place, edges, levels: levels[np.searchsorted(edges, place)], axis)


def ascending(examples: Examples) -> NDArray[np.int32]:
    """Rows in rising order of the probability of each class, shape (classes, rows); by `Examples.once`.

    Sorting is most of the work of a curve. A fold has the order of all rows, less the rows that were left out.
    """
    whole = examples.whole
    if whole is None:
        log_p = examples.rowwise(log_softmax_rows)
        return np.stack([np.argsort(column).astype(np.int32) for column in np.ascontiguousarray(log_p.T)])
    place = np.full(whole.rows, -1, np.int32)
    place[examples.taken] = np.arange(examples.rows, dtype=np.int32)
    found = np.empty((examples.classes, examples.rows), np.int32)
    for index, order in enumerate(whole.once(ascending)):
        kept = place[order]
        found[index] = kept[kept >= 0]
    return found


def fit_each(examples: Examples, fit: Callable[[Column, Column, Column], Curve]) -> list[Curve]:
    """Fit a curve to each class.

    Parameters
    ----------
    fit : callable
        Takes probability, truth (1 or 0) and weight of the rows where the class is not masked, in rising order of the
        probability. A sum of weights is a number of rows.

    Raises
    ------
    ValueError
        A class has no example.
    """
    examples.require_every_class()
    log_p, order = examples.rowwise(log_softmax_rows), examples.once(ascending)
    weights = examples.weights * examples.count
    curves = []
    for index, rows in enumerate(order):
        column = log_p[rows, index]
        masked = int(np.searchsorted(column, -np.inf, side="right"))
        rows = rows[masked:]
        with np.errstate(under="ignore"):
            probability = np.exp(column[masked:])
        curves.append(fit(probability, (examples.labels[rows] == index).astype(np.float64), weights[rows]))
    return curves


def equal_mass_edges(ascending: Column, bins: int) -> Column:
    """Upper ends of all bins but the last, with as many rows in each; fewer where many values are equal.

    They lie half way to the next row: the rounding of a file must not move a row that was fitted to another bin.
    """
    size = len(ascending)
    quantiles = ascending[-(-np.arange(1, bins) * size // bins) - 1]
    following = np.searchsorted(ascending, quantiles, side="right")
    inside = following < size
    return np.unique((quantiles[inside] + ascending[following[inside]]) / 2)


_ROUNDING = 1e-12
"""A mean of ones may come out as much below 1."""


@dataclass(frozen=True, eq=False)
class Steps:
    """The non-decreasing curve of least squares through the rows of one class."""

    start: NDArray[np.int64]
    """First distinct probability of every flat piece, and their number at the end, shape (pieces + 1,)."""
    level: Column
    """Shape (pieces,); above 0 and below 1."""
    certain: NDArray[np.bool_]
    """Whether none or all of the rows of a piece were true, shape (pieces,)."""
    points: Column
    """Distinct probabilities, rising."""
    mass: Column
    """Rows at each of them."""


def isotonic_steps(probability: Column, truth: Column, weights: Column) -> Steps:
    """Pool adjacent violators; probabilities in rising order.

    Equal probabilities must get one level: they count as one point with their mean. Least squares gives 0 to rows at
    the lower end none of which was true, and 1 at the upper end: one truth there would cost an infinite log loss. Such
    a piece counts one more row, split as the class is among all rows (an m-estimate with m = 1; Zadrozny & Elkan 2001),
    but passes no neighbour.
    """
    from scipy.optimize import isotonic_regression

    first = np.flatnonzero(np.diff(probability, prepend=-1.0))
    mass, true = np.add.reduceat(weights, first), np.add.reduceat(weights * truth, first)
    found = isotonic_regression(true / mass, weights=mass)
    start = found.blocks
    level = found.x[start[:-1]]
    certain = (level <= _ROUNDING) | (level >= 1 - _ROUNDING)
    share = true.sum() / mass.sum()
    if level[0] <= _ROUNDING:
        rows = mass[: start[1]].sum()
        level[0] = min(share / (rows + 1), *level[1:2])
    if level[-1] >= 1 - _ROUNDING:
        rows = mass[start[-2] :].sum()
        level[-1] = max((rows + share) / (rows + 1), *level[-2:-1])
    return Steps(start, level, certain, probability[first], mass)


def apply_each(
    z: Columns,
    curves: Sequence[Curve],
    level: Callable[[Column, Column, Column], Column],
    axis: Callable[[Columns], Columns] = np.exp,
) -> Columns:
    """Send every class through its curve, and renormalise.

    Parameters
    ----------
    level : callable
        Takes places on the axis of a class, and its curve; gives probabilities.
    axis : callable
        What the curves run over, from log-probabilities; by default the probability.
    """
    check_classes(z, len(curves))
    log_p = log_softmax_rows(z)
    with np.errstate(under="ignore"):
        q = axis(log_p)
    for index, curve in enumerate(curves):
        q[:, index] = level(q[:, index], *curve)
    with np.errstate(divide="ignore"):
        return renormalized(np.log(q), log_p)
