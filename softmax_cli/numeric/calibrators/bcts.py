"""Bias-corrected temperature scaling: one number divides all logits, and one is added to each class."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix, Parameters
from softmax_cli.numeric.calibrators._examples import Examples, check_classes, log_softmax_rows
from softmax_cli.numeric.calibrators._optimise import (
    BIAS_SPREAD,
    FACTOR_SPREAD,
    Prior,
    SoftmaxLoss,
    Vector,
    most_likely,
)
from softmax_cli.numeric.calibrators._parameters import number, vector
from softmax_cli.numeric.calibrators.temperature import BOUND, temperature_or_one
from softmax_cli.numeric.softmax import adjust_, check_temperature, log_normalize_


class TemperatureAndBias:
    """q = beta x + b; the parameters are beta = 1/T and b, in this order."""

    def exponents(self, theta: Vector, x: NDArray[Any]) -> NDArray[np.float64]:
        """See `LinearMap`."""
        q: NDArray[np.float64] = x * theta[0] + theta[1:]
        return q

    def gradient(self, x: NDArray[Any], residual: NDArray[np.float64]) -> Vector:
        """See `LinearMap`."""
        return np.append(np.vdot(x, residual), residual.sum(axis=0))

    def curvature(self, x: NDArray[Any], spread: NDArray[np.float64]) -> Vector:
        """See `LinearMap`."""
        return np.append(np.einsum("rc,rc,rc->", spread, x, x), spread.sum(axis=0))


@dataclass(frozen=True, eq=False)
class Bcts:
    """p = softmax(z/T + b), with b centred: a number added to all of b changes nothing.

    Notes
    -----
    Alexandari, Kundaje & Shrikumar (2020), "Maximum likelihood with bias-corrected calibration is hard-to-beat at
    label shift adaptation", ICML.
    """

    name: ClassVar[str] = "bcts"

    temperature: float
    """T above 0."""
    bias: NDArray[np.float64]
    """b, shape (classes,); finite."""

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    @property
    def free_parameters(self) -> int:
        """T, and one less than there are classes, since b is centred."""
        return len(self.bias)

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Maximum likelihood with a prior about temperature scaling; see `Calibrator.fit` and `Prior.normal`.

        Raises
        ------
        ValueError
            The best T is infinite: the logits tell nothing of the labels.
        """
        beta = 1 / temperature_or_one(examples)
        identity = np.append(beta, np.zeros(examples.classes))
        spread = np.append(FACTOR_SPREAD * beta, np.full(examples.classes, BIAS_SPREAD))
        lower = np.append(math.exp(-BOUND), np.full(examples.classes, -np.inf))
        # Log-probabilities are logits shifted by a number for each row, which changes nothing here but the units.
        loss = SoftmaxLoss.of(examples, TemperatureAndBias(), examples.rowwise(log_softmax_rows))
        theta = most_likely(loss, Prior.normal(identity, spread, examples.count, lower))
        if theta[0] <= 2 * lower[0]:
            raise ValueError(
                "worse than class shares alone: the likelihood grows as T -> inf; "
                "do labels and columns belong together?"
            )
        return cls(1 / float(theta[0]), theta[1:] - theta[1:].mean())

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        check_classes(z, len(self.bias))
        return log_normalize_(adjust_(np.array(z, np.float64, order="C"), self.temperature, self.bias))

    def parameters(self) -> Parameters:
        """T and b."""
        return {"temperature": self.temperature, "bias": self.bias.tolist()}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        return cls(number(parameters, "temperature"), vector(parameters, "bias"))

    def describe(self) -> str:
        """One line for people."""
        low, high = self.bias.argmin(), self.bias.argmax()
        return (
            f"z/T + b, T = {self.temperature:.6g}, "
            f"b from {self.bias[low]:.4g} (class {low}) to {self.bias[high]:.4g} (class {high})"
        )
