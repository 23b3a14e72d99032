"""Matrix scaling: every calibrated logit is a linear function of all logits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration import Matrix as Rows
from softmax_cli.numeric.calibration import Parameters
from softmax_cli.numeric.calibration.fitting.examples import Examples
from softmax_cli.numeric.calibration.fitting.full_matrix import fit_full_matrix, log_p_of
from softmax_cli.numeric.calibration.fitting.json_values import number, square, vector
from softmax_cli.numeric.calibration.fitting.rows import check_classes


@dataclass(frozen=True, eq=False)
class Matrix:
    """p = softmax(W z + b) on the logits as they are.

    A masked class adds nothing to the others. A number added to all logits of a row changes the result: `Dirichlet`
    is the form that it does not change.

    Notes
    -----
    Guo et al. (2017), ICML; regularised as in Kull et al. (2019), NeurIPS (see `fitting.full_matrix`).
    """

    name: ClassVar[str] = "matrix"

    matrix: NDArray[np.float64]
    """W, shape (classes, classes)."""
    bias: NDArray[np.float64]
    """b, shape (classes,)."""
    strength: float
    """lambda = mu of ODIR, as chosen by cross-validation."""

    @property
    def free_parameters(self) -> int:
        """The numbers in W and b; regularisation leaves fewer of them really free."""
        return self.matrix.size + self.bias.size

    @classmethod
    def fit(cls, z: Rows, labels: NDArray[Any], weights: NDArray[Any] | None = None) -> Self:
        """Penalised maximum likelihood about W = I, b = 0; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        examples = Examples.checked(z, labels, weights)
        examples.require_every_class()
        fitted = fit_full_matrix(examples)
        return cls(fitted.matrix, fitted.bias, fitted.strength)

    def log_p(self, z: Rows) -> Rows:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        check_classes(z, len(self.bias))
        return log_p_of(z, self.matrix, self.bias)

    def parameters(self) -> Parameters:
        """W row by row, b, and the strength of the regularisation."""
        return {"matrix": self.matrix.tolist(), "bias": self.bias.tolist(), "strength": self.strength}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        bias = vector(parameters, "bias")
        return cls(square(parameters, "matrix", len(bias)), bias, number(parameters, "strength"))

    def describe(self) -> str:
        """One line for people."""
        size = len(self.bias)
        diagonal = self.matrix.diagonal()
        off = np.abs(self.matrix[~np.eye(size, dtype=bool)]).max()
        return (
            f"W z + b, {size} x {size}, diagonal from {diagonal.min():.4g} to {diagonal.max():.4g}, "
            f"off it up to {off:.3g}, ODIR strength {self.strength:g}"
        )
