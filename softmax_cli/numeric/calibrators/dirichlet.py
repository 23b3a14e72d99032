"""Dirichlet calibration: matrix scaling of log-probabilities, so that a shift of a row's logits changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from softmax_cli.numeric.calibrators import Matrix as Rows
from softmax_cli.numeric.calibrators import Parameters
from softmax_cli.numeric.calibrators._examples import Examples, log_softmax_rows
from softmax_cli.numeric.calibrators.matrix import Matrix


@dataclass(frozen=True, eq=False)
class Dirichlet:
    """p = softmax(W log p + b), what follows when the probabilities of each class are Dirichlet distributed.

    Notes
    -----
    Kull et al. (2019), "Beyond temperature scaling: obtaining well-calibrated multiclass probabilities with Dirichlet
    calibration", NeurIPS.
    """

    name: ClassVar[str] = "dirichlet"

    linear: Matrix
    """The map of the log-probabilities; it masks, regularises and refuses as matrix scaling does."""

    @property
    def free_parameters(self) -> int:
        """As many as matrix scaling has."""
        return self.linear.free_parameters

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Fit `Matrix` to log-probabilities."""
        return cls(Matrix.fit_to(examples, examples.rowwise(log_softmax_rows)))

    def log_p(self, z: Rows) -> Rows:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return self.linear.log_p(log_softmax_rows(z))

    def parameters(self) -> Parameters:
        """Those of `Matrix`."""
        return self.linear.parameters()

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        return cls(Matrix.from_parameters(parameters))

    def describe(self) -> str:
        """One line for people."""
        return self.linear.describe().replace("W z", "W log p", 1)
