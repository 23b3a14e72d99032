"""Structured vector scaling: a factor and a bias for each class, held near temperature scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix, Parameters
from softmax_cli.numeric.calibrators._examples import (
    Examples,
    check_classes,
    check_rows,
    finite_rows,
    normalized,
    smoothed,
)
from softmax_cli.numeric.calibrators._optimise import Prior, SoftmaxLoss, most_likely
from softmax_cli.numeric.calibrators._parameters import number, vector
from softmax_cli.numeric.calibrators.temperature import Temperature, temperature_or_one
from softmax_cli.numeric.calibrators.vector import FactorAndBias
from softmax_cli.numeric.softmax import check_temperature


@dataclass(frozen=True, eq=False)
class Svs:
    """p = softmax(w log softmax(z/T) + b), with T from temperature scaling; then `smoothed`.

    The form of `Vector`, held the closer to temperature scaling the more classes there are: (w - 1)^2 and b^2 cost
    K / rows each.

    Notes
    -----
    Berta, Holzmueller, Jordan & Bach (2025), "Structured matrix scaling for multi-class calibration": the ridge
    penalty, with the strengths of the paper. Smoothing as in the authors' library, but last.
    """

    name: ClassVar[str] = "svs"

    temperature: float
    """T above 0."""
    factor: NDArray[np.float64]
    """w, shape (classes,)."""
    bias: NDArray[np.float64]
    """b, shape (classes,)."""
    rows: float
    """How many were fitted, the sum of their weights; see `smoothed`."""

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_rows(self.rows)

    @property
    def free_parameters(self) -> int:
        """Two for each class; T is one with a factor that all share."""
        return 2 * len(self.bias)

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """T first, then penalised maximum likelihood; see `Calibrator.fit`."""
        first = Temperature(temperature_or_one(examples))
        identity = np.repeat([1.0, 0.0], examples.classes)
        prior = Prior(identity, np.full(len(identity), 2 * examples.classes / examples.count))
        loss = SoftmaxLoss.of(examples, FactorAndBias(), first.log_p(examples.z))
        factor, bias = most_likely(loss, prior).reshape(2, -1)
        return cls(first.temperature, factor, bias, examples.count)

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        check_classes(z, len(self.bias))
        x, masked = finite_rows(Temperature(self.temperature).log_p(z))
        x *= self.factor
        x += self.bias
        return smoothed(normalized(x, masked), self.rows)

    def parameters(self) -> Parameters:
        """T, w and b, and how many rows were fitted."""
        return {
            "temperature": self.temperature,
            "factor": self.factor.tolist(),
            "bias": self.bias.tolist(),
            "rows": self.rows,
        }

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        factor = vector(parameters, "factor")
        temperature, rows = number(parameters, "temperature"), number(parameters, "rows")
        return cls(temperature, factor, vector(parameters, "bias", len(factor)), rows)

    def describe(self) -> str:
        """One line for people."""
        return (
            f"w log softmax(z/T) + b, T = {self.temperature:.6g}, w from {self.factor.min():.4g} to "
            f"{self.factor.max():.4g}, b from {self.bias.min():.4g} to {self.bias.max():.4g}"
        )
