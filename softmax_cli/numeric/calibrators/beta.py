"""Beta calibration, one class against the rest: a curve that can bend differently near 0 and near 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix
from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._logistic_curves import apply_logistic, fit_logistic
from softmax_cli.numeric.calibrators._parameters import OfVectors


def log_and_log_one_minus(log_p: Matrix, log_q: Matrix) -> tuple[Matrix, Matrix]:
    """Log p and -log(1 - p), shape (rows, classes) each."""
    return log_p, -log_q


@dataclass(frozen=True, eq=False)
class Beta(OfVectors):
    """q = 1/(1 + exp(-(a log p - b log(1-p) + c))) for each class, a and b 0 or more, divided by their sum.

    a = b = 1, c = 0 changes nothing; a = b is Platt scaling of the log-odds.

    Notes
    -----
    Kull, Silva Filho & Flach (2017), "Beta calibration: a well-founded and easily implemented improvement on logistic
    calibration for binary classifiers", AISTATS. Prior about temperature scaling as in `Prior.normal`.
    """

    name: ClassVar[str] = "beta"

    a: NDArray[np.float64]
    """Shape (classes,), 0 or more: the curve near p = 0."""
    b: NDArray[np.float64]
    """Shape (classes,), 0 or more: the curve near p = 1."""
    intercept: NDArray[np.float64]
    """c, shape (classes,)."""

    def __post_init__(self) -> None:
        if (self.a < 0).any() or (self.b < 0).any():
            raise ValueError("beta calibration with a negative 'a' or 'b' would turn the ranking around")

    @property
    def free_parameters(self) -> int:
        """Three for each class."""
        return 3 * len(self.a)

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Logistic regression of each class on log p and -log(1 - p); see `Calibrator.fit`."""
        return cls(*fit_logistic(examples, log_and_log_one_minus, slopes=(1.0, 1.0), lower=0.0))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return apply_logistic(z, np.stack([self.a, self.b, self.intercept]), log_and_log_one_minus)

    def describe(self) -> str:
        """One line for people."""
        return (
            f"one class against the rest, beta: a from {self.a.min():.4g} to {self.a.max():.4g}, "
            f"b from {self.b.min():.4g} to {self.b.max():.4g}"
        )
