"""Platt scaling, one class against the rest: a logistic curve of each class's log-odds."""

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


def log_odds(log_p: Matrix) -> tuple[Matrix]:
    """Log p - log(1 - p), shape (rows, classes)."""
    return (log_p - log_one_minus(log_p),)


@dataclass(frozen=True, eq=False)
class Platt:
    """q = 1/(1 + exp(-(a log(p/(1-p)) + c))) for each class, divided by their sum.

    The score is the log-odds, so that a = 1, c = 0 changes nothing.

    Notes
    -----
    Platt (1999), "Probabilistic outputs for support vector machines"; Zadrozny & Elkan (2002) for many classes.
    Perfectly separated classes get finite parameters from a weak prior about the identity (`Prior.weak`), not from
    Platt's shifted targets.
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
    def fit(cls, z: Matrix, labels: NDArray[Any], weights: NDArray[Any] | None = None) -> Self:
        """Logistic regression of each class on its log-odds; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        examples = Examples.checked(z, labels, weights)
        examples.require_every_class()
        identity = np.repeat([1.0, 0.0], examples.classes)
        loss = logistic_loss(examples, log_softmax_rows(examples.z), log_odds)
        return cls(*minimum(loss, Prior.weak(identity, examples.rows)).reshape(2, -1))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        check_classes(z, len(self.slope))
        log_p = log_softmax_rows(z)
        features = log_odds(unmasked(log_p))
        return renormalized(log_logistic(scores(np.stack([self.slope, self.intercept]), features)), log_p)

    def parameters(self) -> Parameters:
        """The slopes a and the intercepts c."""
        return {"slope": self.slope.tolist(), "intercept": self.intercept.tolist()}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        slope = vector(parameters, "slope")
        return cls(slope, vector(parameters, "intercept", len(slope)))

    def describe(self) -> str:
        """One line for people."""
        return (
            f"one class against the rest, logistic in the log-odds: "
            f"slope from {self.slope.min():.4g} to {self.slope.max():.4g}, "
            f"intercept from {self.intercept.min():.4g} to {self.intercept.max():.4g}"
        )
