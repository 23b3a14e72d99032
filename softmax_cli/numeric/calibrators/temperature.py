"""The one number that divides logits: the minimum of the mean negative log-likelihood along beta = 1/T.

With s = z - max z, the loss log sum exp(beta s) - beta s_y is convex in beta; its slope is E_p[s] - s_y and its
curvature Var_p(s). The root of the slope is found by Newton's steps, kept inside a bracket: far out the curvature
vanishes and a bare Newton step leaves every bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix, Parameters
from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._optimise import blocks, total
from softmax_cli.numeric.calibrators._parameters import number, vector
from softmax_cli.numeric.metrics._bins import top_label_ece
from softmax_cli.numeric.softmax import adjust_, check_temperature, log_normalize_

TEMPERATURES = tuple(tenths / 10 for tenths in range(1, 101))
"""0.1, 0.2 .. 10.0."""


@dataclass(frozen=True)
class Temperature:
    """p = softmax(z/T).

    Notes
    -----
    Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks", ICML.
    """

    name: ClassVar[str] = "temperature"

    temperature: float
    """T above 0: above 1 lowers confidence, below 1 raises it."""
    interval: tuple[float, float] | None = None
    """95 % interval of T, where the likelihood gave one."""

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    @property
    def free_parameters(self) -> int:
        """T; none where T was left at 1."""
        return int(self != IDENTITY)

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Minimise the mean negative log-likelihood over log(1/T) in [-16, 16]; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            The rows are perfectly separated (T -> 0), or worse than uniform (T -> inf): there is no minimum.
        """
        return cls(*examples.once(best_temperature))

    @classmethod
    def fit_ece_grid(cls, examples: Examples, *, temperatures: Sequence[float] = TEMPERATURES, bins: int = 15) -> Self:
        """Take the first temperature of a grid with the least ECE on these rows: the way of the focal-loss papers.

        ECE is no proper score, and jumps where a row changes its bin. There is no interval.
        """
        return cls(ece_minimising_temperature(examples, temperatures, bins))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return log_normalize_(adjust_(np.array(z, np.float64, order="C"), self.temperature))

    def parameters(self) -> Parameters:
        """T, and its interval where there is one."""
        if self.interval is None:
            return {"temperature": self.temperature}
        return {"temperature": self.temperature, "interval": list(self.interval)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        interval = None
        if "interval" in parameters:
            low, high = vector(parameters, "interval", 2).tolist()
            interval = (low, high)
        return cls(number(parameters, "temperature"), interval)

    def describe(self) -> str:
        """One line for people."""
        if self.interval is None:
            return f"z/T, T = {self.temperature:.6g}"
        low, high = self.interval
        return f"z/T, T = {self.temperature:.6g} (95 % interval {low:.4g} to {high:.4g})"


IDENTITY = Temperature(1.0)
"""Leaves the probabilities as they are."""


BOUND = 16.0
"""Largest |log(1/T)| that is looked at: T from 1.1e-7 to 8.9e6."""
_LOWEST = -1e300
"""Stands for ``-inf``: exp gives 0 all the same, and 0 times it is 0, not nan."""
_TOLERANCE = 1e-6
_STEPS = 100
_FEW = 4096
_NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Slope:
    """Derivatives of the mean loss by beta."""

    first: float
    second: float
    squares: float
    """Sum over rows of (weight times the row's own first derivative) squared: the variance of `first`."""


def best_temperature(examples: Examples) -> tuple[float, tuple[float, float]]:
    """T of least mean negative log-likelihood, and its 95 % interval.

    Returns
    -------
    temperature : float
        To a relative 1e-10.
    interval : (float, float)
        exp(log T +- 1.96 s), s from the observed information with the variance of the scores (see Notes).

    Raises
    ------
    ValueError
        The loss has no minimum within `BOUND`.

    Notes
    -----
    Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks". Interval: observed information
    (Efron & Hinkley 1978), in its sandwich form (Huber 1967; White 1982), which also holds where no T makes the model
    true, and does not change when all weights are multiplied by the same number.
    """
    rows = _Rows.of(examples)
    low, high = math.exp(-BOUND), math.exp(BOUND)
    if rows.least_slope >= 0:
        _check_bound(rows, low)
    elif rows.separated:
        _check_bound(rows, high)
    few = rows.few()
    begin = 1.0 if few is None else _root(few, 1.0)[0]
    beta, slope = _root(rows, begin if low * 2 < begin < high / 2 else 1.0)
    if not low * (1 + _TOLERANCE) < beta < high * (1 - _TOLERANCE):
        _check_bound(rows, low if beta < 1 else high)
    return 1 / beta, _interval(beta, slope)


def temperature_or_one(examples: Examples) -> float:
    """T of least loss, or 1 where there is none: a penalised search has an end even so."""
    try:
        return examples.once(best_temperature)[0]
    except ValueError:
        return 1.0


def _root(rows: _Rows, beta: float) -> tuple[float, Slope]:
    """Where the slope of the loss is 0, searched from `beta`, and the derivatives there."""
    low, high = math.exp(-BOUND), math.exp(BOUND)
    for _ in range(_STEPS):
        slope = rows.slope(beta)
        if slope.first > 0:
            high = beta
        elif slope.first < 0:
            low = beta
        else:
            break
        step = beta - slope.first / slope.second if slope.second > 0 else math.inf
        following = step if low < step < high else math.sqrt(low * high)
        done = abs(following - beta) <= _TOLERANCE * beta
        beta = following
        if done:  # the error is the square of the step, as long as it was one of Newton's
            break
    return beta, slope


def _interval(beta: float, slope: Slope) -> tuple[float, float]:
    information = slope.second * beta
    spread = _NORMAL_95 * math.sqrt(slope.squares) / information if information > 0 else math.inf
    # A spread beyond the search itself says no more than "anything".
    factor = math.exp(min(spread, 2 * BOUND))
    return 1 / beta / factor, 1 / beta * factor


def _check_bound(rows: _Rows, bound: float) -> None:
    at_bound = rows.slope(bound)
    if at_bound.first == 0 and at_bound.second == 0 and bound < 1:
        raise ValueError("every row has equal logits: no temperature changes anything")
    if bound > 1 and at_bound.first <= 0:
        raise ValueError(
            f"perfectly separated: the true class has the largest logit in all of {len(rows.highest)} rows, and the "
            "likelihood grows without end as T -> 0; expected more rows, or rows the model was not trained on"
        )
    if bound < 1 and at_bound.first >= 0:
        raise ValueError(
            "worse than uniform: the true class's logit is on average no higher than the others', and the "
            "likelihood grows as T -> inf; do labels and columns belong together?"
        )


@dataclass(frozen=True, eq=False)
class _Rows:
    """Logits with what does not depend on beta."""

    block: Callable[[slice], NDArray[np.float64]]
    """Gives the logits of some rows."""
    classes: int
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]
    highest: NDArray[np.float64]
    """Largest logit of every row."""
    least_slope: float
    """Slope of the loss where beta is 0: the loss is convex, so that it rises from there on if this is 0 or more."""
    separated: bool
    """Whether every true class has the largest logit of its row."""

    @classmethod
    def of(cls, examples: Examples) -> Self:
        """Look once at every logit."""
        labels, classes = examples.labels, examples.classes
        highest, mean, true = (np.empty(examples.rows) for _ in range(3))
        for rows in blocks(examples.rows, classes):
            z = examples.block(rows)
            finite = z > -np.inf
            highest[rows] = z.max(axis=1)
            true[rows] = z[np.arange(len(z)), labels[rows]]
            with np.errstate(over="ignore"):
                mean[rows] = np.where(finite, z, 0).sum(axis=1) / finite.sum(axis=1)
        least_slope = float(examples.weights @ (mean - true))
        separated = bool((true == highest).all())
        return cls(examples.block, classes, labels, examples.weights, highest, least_slope, separated)

    def few(self) -> _Rows | None:
        """Return every n-th row, enough to come near the minimum at a fraction of the cost; None: there are few."""
        step = len(self.labels) // _FEW
        if step < 2:
            return None
        weights = self.weights[::step]
        z = self.block(slice(None, None, step))
        return replace(
            self,
            block=lambda rows: z[rows],
            labels=self.labels[::step],
            weights=weights / weights.sum(),
            highest=self.highest[::step],
        )

    def slope(self, beta: float) -> Slope:
        """Return the derivatives of the mean loss at `beta`."""

        def part(rows: slice) -> NDArray[np.float64]:
            weights = self.weights[rows]
            with np.errstate(over="ignore", under="ignore"):
                s = self.block(rows) - self.highest[rows, None]
                np.maximum(s, _LOWEST, out=s)
                e = s * beta
                np.exp(e, out=e)
                sums = e.sum(axis=1)
                true = s[np.arange(len(s)), self.labels[rows]]
                e *= s
                mean = e.sum(axis=1) / sums
                e *= s
                variance = e.sum(axis=1) / sums - mean**2
            score = weights * (mean - true)
            return np.array([score.sum(), weights @ variance, score @ score])

        first, second, squares = total(part, len(self.labels), self.classes)
        return Slope(float(first), max(float(second), 0.0), float(squares))


def ece_minimising_temperature(
    examples: Examples, temperatures: Sequence[float] = TEMPERATURES, bins: int = 15
) -> float:
    """First temperature of the grid with the least top-label ECE.

    Notes
    -----
    Mukhoti et al. (2020), "Calibrating deep neural networks using focal loss", NeurIPS.
    """
    grid = np.asarray(temperatures, np.float64)
    confidence = np.empty((len(grid), examples.rows))
    correct = np.empty(examples.rows, np.bool_)

    def part(rows: slice) -> NDArray[np.float64]:
        z = examples.block(rows)
        best = z.argmax(axis=1)
        correct[rows] = best == examples.labels[rows]
        with np.errstate(over="ignore", under="ignore"):
            s = z - z[np.arange(len(z)), best][:, None]
            for row, temperature in enumerate(grid):
                confidence[row, rows] = 1 / np.exp(s / temperature).sum(axis=1)
        return np.zeros(1)

    total(part, examples.rows, examples.classes)
    errors = [top_label_ece(of_grid, correct, examples.weights, bins) for of_grid in confidence]
    return float(grid[int(np.argmin(errors))])
