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

_OCTAVES = 10
INVERSE_TEMPERATURES = 2.0 ** np.arange(-_OCTAVES, _OCTAVES + 1)
"""Where the loss is measured: 1/T from 1/1024 to 1024, an octave apart, 1 in the middle."""
_PARTS = 5
"""The loss and its first four derivatives."""
_EXACT = 7
"""So many octaves are reached by squaring, which doubles the relative error, before an exponential is taken anew."""
_BLOCK, _BLOCK_ROWS = 1 << 16, 1 << 11
"""Log-probabilities that are worked on at a time, and their rows: half a megabyte, which stays in the cache."""
_POWERS_BLOCK = 1 << 14
"""The same while 21 powers of each are held."""
_HOPELESS = 1e290
"""A loss in nats beyond which multiples of it are no longer finite."""


@dataclass(frozen=True, eq=False)
class Refinement:
    """Refinement and calibration part of the log loss, nats.

    Refinement is the loss after the best temperature, calibration the rest. The loss is convex in b = 1/T; its mean and
    its first four derivatives are kept at 21 inverse temperatures, and the minimum is read off the polynomial of degree
    9 in log b that has them at the two points around it: no row is kept, and the figure is within 1e-6 nats. It is
    measured on the very rows that it is fitted to: with one parameter that flatters by about 1/(2 rows) nats.

    Where the loss falls on as T goes to 0 (every row is right) or to infinity (worse than uniform), no temperature is
    the best, and what is left is the limit.

    Notes
    -----
    Berta, Holzmüller, Jordan & Bach (2025), "Rethinking early stopping: refine, then calibrate", arXiv:2501.19195.
    Other recalibrations (isotonic, vector) split the same loss elsewhere: this is the split of temperature scaling.
    """

    rows: int
    impossible: int
    """Rows whose truth had the probability 0 (or a loss above 1e290 nats): no temperature mends them."""
    curve: ExactSum
    """Sums over the other rows of their losses, and of b^k times their k-th derivatives by b, k = 1 .. 4, at every
    inverse temperature; shape (5 * inverse temperatures,)."""
    uniform: ExactSum
    """Sum of the losses of these rows at b = 0: the logarithm of how many classes are not masked."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Measure a block of rows at every inverse temperature."""
        loss_now = row_log_loss(rows)
        possible = loss_now < _HOPELESS
        log_p, truth = rows.log_p[possible], -loss_now[possible]
        curve = ExactSum.zero(_PARTS * len(INVERSE_TEMPERATURES))
        step = max(1, min(_BLOCK_ROWS, _BLOCK // log_p.shape[1]))
        for start in range(0, len(truth), step):
            block = slice(start, start + step)
            curve = curve.plus(ExactSum.of_rows(on_grid(_curves(log_p[block], truth[block]))))
        unmasked = np.log(np.maximum((log_p > -inf).sum(axis=1), 1))
        return cls(len(possible), int((~possible).sum()), curve, ExactSum.of_rows(on_grid(unmasked)[None, :]))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(
            self.rows + other.rows,
            self.impossible + other.impossible,
            self.curve.plus(other.curve),
            self.uniform.plus(other.uniform),
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
        return max(float(self._means()[0, _OCTAVES]) - self.value, 0.0)

    @property
    def temperature(self) -> float:
        """The best temperature; 0 or inf where there is none, because the loss falls on that way."""
        return self._best()[1]

    def _means(self) -> NDArray[np.float64]:
        return self.curve.values.reshape(_PARTS, -1) / self.rows

    def _best(self) -> tuple[float, float]:
        """Return the least mean loss and its temperature."""
        if not self.rows:
            return nan, nan
        if self.impossible:
            return inf, nan
        means = self._means()
        loss, slope = means[:2]
        if not slope.any():  # rows without a preference: any temperature leaves them as they are
            return float(loss[_OCTAVES]), 1.0
        if slope[-1] <= 0:
            return float(loss[-1]), 0.0
        if slope[0] >= 0:
            return float(self.uniform.values[0]) / self.rows, inf
        right = int(np.searchsorted(slope, 0.0))
        least, place = _least(means[:, right - 1 : right + 1])
        return least, 2.0 ** -(right - 1 - _OCTAVES + place)


def _curves(log_p: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return L = log sum p^b - b log p_y and b^k times its k-th derivative, shape (5 * inverse temperatures, rows).

    The derivatives by b are those of the cumulants of log p under p^b: mean (less log p_y), variance, third and fourth.
    """
    best = log_p.max(axis=1, keepdims=True, initial=-inf)
    with np.errstate(over="ignore"):
        below = np.maximum(log_p - best, _FAR)
    behind = truth - best[:, 0]
    whole, *moments = _sums(below)
    mean, square, cube, fourth = (moment / whole for moment in moments)
    mean_square = mean * mean  # products: ** takes several times as long
    variance = square - mean_square
    third = cube - mean * (3 * square - 2 * mean_square)
    central = fourth - 4 * mean * cube + mean_square * (6 * square - 3 * mean_square)
    b = INVERSE_TEMPERATURES[:, None]
    curves = [
        np.log(whole) - b * behind,
        b * (mean - behind),
        b**2 * variance,
        b**3 * third,
        b**4 * (central - 3 * variance * variance),
    ]
    return np.array(curves).reshape(-1, len(truth))


_FAR = -1e6
"""So far below the best class, a class weighs nothing at any of the inverse temperatures."""


def _sums(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum exp(b x) x^k over the classes, k = 0 .. 4, x of shape (rows, classes); (5, inverse temperatures, rows).

    They are the product of two small matrices for each row: in one order, so a row has the same sums in every block.
    """
    rows, classes = x.shape
    sums = np.empty((rows, _PARTS, len(INVERSE_TEMPERATURES)))
    size = max(1, _POWERS_BLOCK // classes)
    for start in range(0, rows, size):
        block = x[start : start + size]
        square = block * block
        powers = np.stack([np.ones_like(block), block, square, square * block, square * square])
        np.matmul(powers.transpose(1, 0, 2), _shares(block).transpose(1, 2, 0), out=sums[start : start + size])
    return sums.transpose(1, 2, 0)


def _shares(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(b x), shape (inverse temperatures, rows, classes)."""
    shares = np.empty((len(INVERSE_TEMPERATURES), *x.shape))
    with np.errstate(under="ignore"):
        for step, b in enumerate(INVERSE_TEMPERATURES.tolist()):
            if step % _EXACT:  # an octave on, without another exponential
                np.multiply(shares[step - 1], shares[step - 1], out=shares[step])
            else:
                np.exp(x * b, out=shares[step])
    return shares


def _least(ends: NDArray[np.float64]) -> tuple[float, float]:
    """Least value between two points an octave apart, and where it lies, as a share of the octave.

    Parameters
    ----------
    ends : array, shape (5, 2)
        L and b^k times its k-th derivative at both; the slope rises from below 0 to above it.
    """
    loss, first, second, third, fourth = ends
    octave = np.log(2.0)
    by_log_b = [first, first + second, first + 3 * second + third, first + 7 * second + 6 * third + fourth]
    scaled = [loss, *(derivative * octave**order for order, derivative in enumerate(by_log_b, 1))]
    polynomial = np.polynomial.Polynomial(_HERMITE @ np.array(scaled).T.reshape(-1))
    slope = polynomial.deriv()
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return float(min(polynomial(low), *loss)), low


_HALVINGS = 50


def _hermite() -> NDArray[np.float64]:
    """Make the matrix that turns a value and its derivatives at 0, then those at 1, into the coefficients."""
    degree = 2 * _PARTS - 1
    conditions = np.empty((2, _PARTS, degree + 1))
    for power in range(degree + 1):
        monomial = np.polynomial.Polynomial.basis(power)
        for order in range(_PARTS):
            conditions[:, order, power] = (monomial.deriv(order) if order else monomial)(np.array([0.0, 1.0]))
    return np.asarray(np.linalg.inv(conditions.reshape(2 * _PARTS, -1)), np.float64)


_HERMITE = _hermite()


def _note(parts: Parts) -> str:
    temperature = parts[Refinement].temperature
    if temperature == 0:
        return "nats; no T is the best: every row is right, so the loss falls on as T goes to 0"
    if temperature == inf:
        return "nats; no T is the best: worse than uniform, so the loss falls on as T grows"
    return f"nats left at the best T, {temperature:.3g} (here, in hindsight)"


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
