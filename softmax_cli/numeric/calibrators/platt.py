"""Platt scaling, one class against the rest: a logistic curve of each class's log-odds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix
from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._logistic_curves import apply_logistic, fit_logistic
from softmax_cli.numeric.calibrators._parameters import OfVectors


def log_odds(log_p: Matrix, log_q: Matrix) -> tuple[Matrix]:
    """Log p - log(1 - p), shape (rows, classes)."""
    return (log_p - log_q,)


@dataclass(frozen=True, eq=False)
class Platt(OfVectors):
    """q = 1/(1 + exp(-(a log(p/(1-p)) + c))) for each class, divided by their sum.

    The score is the log-odds, so that a = 1, c = 0 changes nothing.

    Notes
    -----
    Platt (1999), "Probabilistic outputs for support vector machines"; Zadrozny & Elkan (2002) for many classes.
    Classes with few doubtful rows are held by a prior about temperature scaling (`Prior.normal`), not by Platt's
    shifted targets.
    """

    name: ClassVar[str] = "platt"

    slope: NDArray[np.float64]
    """a, shape (classes,)."""
    intercept: NDArray[np.float64]
    """c, shape (classes,)."""

    @property
    def free_parameters(self) -> int:
        """Two for each class."""
        return self.slope.size + self.intercept.size

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Logistic regression of each class on its log-odds; see `Calibrator.fit`."""
        return cls(*fit_logistic(examples, log_odds, slopes=(1.0,)))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return apply_logistic(z, np.stack([self.slope, self.intercept]), log_odds)

    def describe(self) -> str:
        """One line for people."""
        return (
            f"one class against the rest, logistic in the log-odds: "
            f"slope from {self.slope.min():.4g} to {self.slope.max():.4g}, "
            f"intercept from {self.intercept.min():.4g} to {self.intercept.max():.4g}"
        )
