"""Beta calibration, one class against the rest: a curve that can bend differently near 0 and near 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration import Matrix, Parameters
from softmax_cli.numeric.calibration.fitting.examples import Examples
from softmax_cli.numeric.calibration.fitting.json_values import vector
from softmax_cli.numeric.calibration.fitting.minimise import Prior, minimum
from softmax_cli.numeric.calibration.fitting.one_vs_rest import (
    log_logistic,
    logistic_loss,
    renormalized,
    scores,
    unmasked,
)
from softmax_cli.numeric.calibration.fitting.rows import check_classes, log_one_minus, log_softmax_rows


def log_and_log_one_minus(log_p: Matrix) -> tuple[Matrix, Matrix]:
    """Log p and -log(1 - p), shape (rows, classes) each."""
    return log_p, -log_one_minus(log_p)


@dataclass(frozen=True, eq=False)
class Beta:
    """q = 1/(1 + exp(-(a log p - b log(1-p) + c))) for each class, a and b 0 or more, divided by their sum.

    a = b = 1, c = 0 changes nothing; a = b is Platt scaling of the log-odds.

    Notes
    -----
    Kull, Silva Filho & Flach (2017), "Beta calibration: a well-founded and easily implemented improvement on logistic
    calibration for binary classifiers", AISTATS. Weak prior about the identity as in `Prior.weak`.
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
    def fit(cls, z: Matrix, labels: NDArray[Any], weights: NDArray[Any] | None = None) -> Self:
        """Logistic regression of each class on log p and -log(1 - p); see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        examples = Examples.checked(z, labels, weights)
        examples.require_every_class()
        identity = np.repeat([1.0, 1.0, 0.0], examples.classes)
        lower = np.repeat([0.0, 0.0, -np.inf], examples.classes)
        loss = logistic_loss(examples, log_softmax_rows(examples.z), log_and_log_one_minus)
        return cls(*minimum(loss, Prior.weak(identity, examples.rows, lower)).reshape(3, -1))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        check_classes(z, len(self.a))
        log_p = log_softmax_rows(z)
        features = log_and_log_one_minus(unmasked(log_p))
        return renormalized(log_logistic(scores(np.stack([self.a, self.b, self.intercept]), features)), log_p)

    def parameters(self) -> Parameters:
        """The letters a, b of the paper, and the intercepts c."""
        return {"a": self.a.tolist(), "b": self.b.tolist(), "intercept": self.intercept.tolist()}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        a = vector(parameters, "a")
        return cls(a, vector(parameters, "b", len(a)), vector(parameters, "intercept", len(a)))

    def describe(self) -> str:
        """One line for people."""
        return (
            f"one class against the rest, beta: a from {self.a.min():.4g} to {self.a.max():.4g}, "
            f"b from {self.b.min():.4g} to {self.b.max():.4g}"
        )
