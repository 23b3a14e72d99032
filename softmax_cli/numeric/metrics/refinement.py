"""The log loss in two parts: what rescaling would mend, and what it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import ANY_SIZE, Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._rows import Rows, on_grid, row_log_loss

_TO_THE_OCTAVE = 8
INVERSE_TEMPERATURES = 2.0 ** (np.arange(-2 * _TO_THE_OCTAVE, 2 * _TO_THE_OCTAVE + 1) / _TO_THE_OCTAVE)
"""Where the loss is measured: 1/T from 1/4 to 4, eight to the octave, 1 in the middle."""
_HERE = 2 * _TO_THE_OCTAVE
_BLOCK = 1 << 16
"""Log-probabilities that are worked on at a time: half a megabyte, which stays in the cache."""
_HOPELESS = 1e290
"""A loss in nats beyond which multiples of it are no longer finite."""


@dataclass(frozen=True, eq=False)
class Refinement:
    """Refinement and calibration part of the log loss, nats.

    Refinement is the loss after the best temperature, calibration the rest. The loss is convex in 1/T; its mean and its
    slope are kept at 33 inverse temperatures and the minimum is read off the cubic between the two around it: no row is
    kept, and the figure is within about 1e-5 nats. It is measured on the very rows that it is fitted to: with one
    parameter that flatters by about 1/(2 rows) nats.

    Notes
    -----
    Berta, Holzmüller, Jordan & Bach (2025), "Rethinking early stopping: refine, then calibrate", arXiv:2501.19195.
    Other recalibrations (isotonic, vector) split the same loss elsewhere: this is the split of temperature scaling.
    """

    rows: int
    impossible: int
    """Rows whose truth had the probability 0 (or a loss above 1e290 nats): no temperature mends them."""
    loss: ExactSum
    """Sum of the losses of the other rows at every inverse temperature."""
    slope: ExactSum
    """Sum of their derivatives by the inverse temperature."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Measure a block of rows at every inverse temperature."""
        loss_now = row_log_loss(rows)
        possible = loss_now < _HOPELESS
        log_p, truth = rows.log_p[possible], -loss_now[possible]
        loss = slope = ExactSum.zero(len(INVERSE_TEMPERATURES))
        step = max(1, _BLOCK // log_p.shape[1])
        for start in range(0, len(truth), step):
            block = slice(start, start + step)
            losses, slopes = _losses_and_slopes(log_p[block], truth[block])
            loss = loss.plus(ExactSum.of_rows(on_grid(losses)))
            slope = slope.plus(ExactSum.of_rows(on_grid(slopes)))
        return cls(len(possible), int((~possible).sum()), loss, slope)

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(
            self.rows + other.rows,
            self.impossible + other.impossible,
            self.loss.plus(other.loss),
            self.slope.plus(other.slope),
        )

    @property
    def value(self) -> float:
        """Refinement: the loss that is left at the best temperature."""
        return self._best()[0]

    @property
    def calibration(self) -> float:
        """What the best temperature takes off the log loss, at least 0; nan where the loss is infinite."""
        if not self.rows or self.impossible:
            return nan
        return max(float(self.loss.values[_HERE]) / self.rows - self.value, 0.0)

    @property
    def temperature(self) -> float:
        """The best temperature, 1/4 to 4; at either end it may lie beyond."""
        return 1 / self._best()[1]

    def _best(self) -> tuple[float, float]:
        """Return the least mean loss and its inverse temperature."""
        if not self.rows:
            return nan, nan
        if self.impossible:
            return inf, nan
        loss, slope = self.loss.values / self.rows, self.slope.values / self.rows
        right = int(np.searchsorted(slope, 0.0))
        if right in (0, len(slope)):
            end = min(right, len(slope) - 1)
            return float(loss[end]), float(INVERSE_TEMPERATURES[end])
        around = slice(right - 1, right + 1)
        return _cubic_minimum(INVERSE_TEMPERATURES[around], loss[around], slope[around])


def _losses_and_slopes(
    log_p: NDArray[np.float64], truth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log sum p^beta - beta log p_y, and its derivative E[log p] - log p_y under p^beta.

    Both have the shape (inverse temperatures, rows).
    """
    best = log_p.max(axis=1, keepdims=True, initial=-inf)
    with np.errstate(over="ignore"):
        below = log_p - best
    behind = truth - best[:, 0]
    # A masked class weighs nothing, and 0 * -inf would be nan.
    finite = np.where(below > -inf, below, 0.0)
    losses, slopes = (np.empty((len(INVERSE_TEMPERATURES), len(truth))) for _ in range(2))
    for first in range(_TO_THE_OCTAVE):
        share = np.exp(below * INVERSE_TEMPERATURES[first])
        for step in range(first, len(INVERSE_TEMPERATURES), _TO_THE_OCTAVE):
            # Row by row in one order, as sum is, and several times as fast on short rows.
            whole = np.einsum("ij->i", share)
            losses[step] = np.log(whole) - INVERSE_TEMPERATURES[step] * behind
            slopes[step] = np.einsum("ij,ij->i", share, finite) / whole - behind
            # An octave on, without another exponential.
            share *= share
    return losses, slopes


def _cubic_minimum(x: NDArray[np.float64], y: NDArray[np.float64], slope: NDArray[np.float64]) -> tuple[float, float]:
    """Least value between two points of the cubic through both with the given slopes, first down and then up."""
    width = x[1] - x[0]
    mean = (y[1] - y[0]) / width
    # y0 + s0 t + b t^2 + a t^3, in units of the width.
    a = (slope[0] + slope[1] - 2 * mean) * width
    b = (3 * mean - 2 * slope[0] - slope[1]) * width
    first = slope[0] * width
    # The root of 3a t^2 + 2b t + first that does not cancel; it is the rising one.
    t = -first / (b + np.sqrt(max(b * b - 3 * a * first, 0.0)))
    return float(min(y[0] + t * (first + t * (b + t * a)), *y)), float(x[0] + t * width)


def _note(parts: Parts) -> str:
    return f"nats left at the best T, {parts[Refinement].temperature:.3g} (here, in hindsight)"


def figures(plan: Plan) -> Iterator[Definition]:
    """The two parts, which add up to the log loss."""
    yield Definition("refinement", "  refinement", lambda parts: parts[Refinement].value, _note, ANY_SIZE)
    yield Definition(
        "calibration_loss",
        "  calibration",
        lambda parts: parts[Refinement].calibration,
        lambda parts: "nats that this T takes off",
        ANY_SIZE,
    )


METRIC = Metric(rank=50, folds=lambda plan: (Refinement,), figures=figures)
