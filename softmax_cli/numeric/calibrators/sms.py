"""Structured matrix scaling: a full matrix, held near temperature scaling by penalties of a known strength."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix as Rows
from softmax_cli.numeric.calibrators import Parameters
from softmax_cli.numeric.calibrators._examples import Examples, check_classes, check_rows, smoothed
from softmax_cli.numeric.calibrators._optimise import SoftmaxLoss, most_likely
from softmax_cli.numeric.calibrators._parameters import number, square, vector
from softmax_cli.numeric.calibrators.matrix import Affine, log_p_of, shape_of, structured
from softmax_cli.numeric.calibrators.temperature import Temperature, temperature_or_one
from softmax_cli.numeric.softmax import check_temperature

_FLAT = 1e-8
"""A search ends where a step gains a hundred-millionth: closer moves the test loss by less than 1e-5 nats."""


@dataclass(frozen=True, eq=False)
class Sms:
    """p = softmax(W log softmax(z/T) + b), with T from temperature scaling; then `smoothed`.

    `Matrix` and `Dirichlet` look for the strength of the same penalty on rows that they hold out; here it is that of
    the paper, which needs a single search and is seldom far off. See `structured` for what the penalty is and why one
    on the mean square fails with many classes.

    Notes
    -----
    Berta, Holzmueller, Jordan & Bach (2025), "Structured matrix scaling for multi-class calibration": the ridge
    penalty, with the strengths of the paper. Smoothing as in the authors' library, but last.
    """

    name: ClassVar[str] = "sms"

    temperature: float
    """T above 0."""
    matrix: NDArray[np.float64]
    """W, shape (classes, classes)."""
    bias: NDArray[np.float64]
    """b, shape (classes,)."""
    rows: float
    """How many were fitted, the sum of their weights; see `smoothed`."""

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_rows(self.rows)

    @property
    def free_parameters(self) -> int:
        """The numbers in W and b; regularisation leaves fewer of them really free."""
        return self.matrix.size + self.bias.size

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """T first, then penalised maximum likelihood; see `Calibrator.fit`."""
        first, affine = Temperature(temperature_or_one(examples)), Affine(examples.classes)
        prior = structured(np.zeros(examples.classes), examples.count)
        loss = SoftmaxLoss.of(examples, affine, first.log_p(examples.z))
        return cls(first.temperature, *affine.split(most_likely(loss, prior, _FLAT)), examples.count)

    def log_p(self, z: Rows) -> Rows:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        check_classes(z, len(self.bias))
        return smoothed(log_p_of(Temperature(self.temperature).log_p(z), self.matrix, self.bias), self.rows)

    def parameters(self) -> Parameters:
        """T, W row by row, and b, and how many rows were fitted."""
        return {
            "temperature": self.temperature,
            "matrix": self.matrix.tolist(),
            "bias": self.bias.tolist(),
            "rows": self.rows,
        }

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        bias = vector(parameters, "bias")
        temperature, rows = number(parameters, "temperature"), number(parameters, "rows")
        return cls(temperature, square(parameters, "matrix", len(bias)), bias, rows)

    def describe(self) -> str:
        """One line for people."""
        return f"W log softmax(z/T) + b, T = {self.temperature:.6g}, {shape_of(self.matrix)}"
