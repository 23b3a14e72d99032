"""Quadratic scaling, one class against the rest: a parabola of each class's log-odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix
from softmax_cli.numeric.calibrators._examples import Examples, log_one_minus_rows, log_softmax_rows
from softmax_cli.numeric.calibrators._logistic_curves import apply_logistic, fit_logistic
from softmax_cli.numeric.calibrators._optimise import FACTOR_SPREAD
from softmax_cli.numeric.calibrators._parameters import OfVectors

SQUARE_SPREAD = 0.03
"""Standard deviation of d before any row is seen, in units of 1/T: at log-odds of 7 it does as much as that of a."""


def log_odds_and_square(log_p: Matrix, log_q: Matrix) -> tuple[Matrix, Matrix]:
    """L = log p - log(1 - p) and its square, shape (rows, classes) each."""
    odds = log_p - log_q
    return odds, odds**2


@dataclass(frozen=True, eq=False)
class Quadratic(OfVectors):
    """q = 1/(1 + exp(-(a L + d L^2 + c))) with L = log(p/(1-p)), for each class, divided by their sum.

    Where the logits of a class and of the others are normal with different variances, the true log-odds are such a
    parabola; `Platt` is d = 0. A parabola turns round: far from all rows that were fitted it would call the least
    likely class certain. L therefore stays within what was seen, and beyond it the curve is flat.

    Notes
    -----
    Berta, Holzmueller, Jordan & Bach (2025), "Structured matrix scaling for multi-class calibration", section on two
    classes. Prior about temperature scaling as in `Prior.normal`.
    """

    name: ClassVar[str] = "quadratic"

    slope: NDArray[np.float64]
    """a, shape (classes,)."""
    square: NDArray[np.float64]
    """d, shape (classes,)."""
    intercept: NDArray[np.float64]
    """c, shape (classes,)."""
    lowest: NDArray[np.float64]
    """Least log-odds that were fitted, shape (classes,)."""
    highest: NDArray[np.float64]
    """Largest log-odds that were fitted, shape (classes,)."""

    def __post_init__(self) -> None:
        if (self.lowest > self.highest).any():
            raise ValueError("'lowest' is above 'highest': expected the range of the log-odds of each class")

    @property
    def free_parameters(self) -> int:
        """Three for each class."""
        return 3 * len(self.slope)

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Logistic regression of each class on its log-odds and their square; see `Calibrator.fit`."""
        spread = (FACTOR_SPREAD, SQUARE_SPREAD)
        slope, square, intercept = fit_logistic(examples, log_odds_and_square, slopes=(1.0, 0.0), spread=spread)
        odds = examples.rowwise(log_softmax_rows) - examples.rowwise(log_one_minus_rows)
        seen = odds > -np.inf
        lowest = odds.min(axis=0, where=seen, initial=np.inf)
        return cls(slope, square, intercept, lowest, odds.max(axis=0, where=seen, initial=-np.inf))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""

        def within(log_p: Matrix, log_q: Matrix) -> tuple[Matrix, Matrix]:
            odds = np.clip(log_p - log_q, self.lowest, self.highest)
            return odds, odds**2

        return apply_logistic(z, np.stack([self.slope, self.square, self.intercept]), within)

    def describe(self) -> str:
        """One line for people."""
        return (
            f"one class against the rest, quadratic in the log-odds: slope from {self.slope.min():.4g} to "
            f"{self.slope.max():.4g}, square from {self.square.min():.4g} to {self.square.max():.4g}"
        )
