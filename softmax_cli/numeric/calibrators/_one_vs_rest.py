"""Each class against all others, then renormalised: how a method for two classes serves many.

Zadrozny & Elkan (2002), "Transforming classifier scores into accurate multiclass probability estimates", KDD. Each
class is calibrated alone, and dividing by the row's sum disturbs that again: unlike the softmax methods, the result
need not lower the negative log-likelihood even of the rows that were fitted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators._examples import (
    Examples,
    check_classes,
    log_softmax_rows,
    normalized,
)
from softmax_cli.numeric.calibrators._parameters import OfCurves

Columns = NDArray[np.float64]
"""Shape (rows, classes)."""


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
    a piece counts one more row, half of it true (Jeffreys' prior; Krichevsky & Trofimov 1981), but passes no neighbour.
    Less would be too little: that none was true is why the piece ends where it does.
    """
    from scipy.optimize import isotonic_regression

    first = np.flatnonzero(np.diff(probability, prepend=-1.0))
    mass, true = np.add.reduceat(weights, first), np.add.reduceat(weights * truth, first)
    found = isotonic_regression(true / mass, weights=mass)
    start = found.blocks
    level = found.x[start[:-1]]
    certain = (level <= _ROUNDING) | (level >= 1 - _ROUNDING)
    if level[0] <= _ROUNDING:
        rows = mass[: start[1]].sum()
        level[0] = min(0.5 / (rows + 1), *level[1:2])
    if level[-1] >= 1 - _ROUNDING:
        rows = mass[start[-2] :].sum()
        level[-1] = max((rows + 0.5) / (rows + 1), *level[-2:-1])
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
