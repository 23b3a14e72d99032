"""q = W x + b with off-diagonal and intercept regularisation (ODIR), the strength of it chosen by cross-validation.

Unregularised, K^2 + K parameters overfit as soon as K is large: matrix scaling was the worst method of Guo et al.
(2017) on 100 classes. ODIR adds lambda mean(W_ij^2, i != j) + mu mean(b_i^2); Kull et al. (2019), "Beyond temperature
scaling", NeurIPS. Here mu = lambda, tried in powers of ten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix as Rows
from softmax_cli.numeric.calibrators import Parameters
from softmax_cli.numeric.calibrators._examples import Examples, check_classes, finite_rows, normalized, stratified_folds
from softmax_cli.numeric.calibrators._optimise import Prior, Vector, blocks, minimum, softmax_loss
from softmax_cli.numeric.calibrators._parameters import number, square, vector


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


STRENGTHS = (10.0, 1.0, 0.1, 0.01, 0.001)
"""Values of lambda, the strongest first: it wins a tie."""
_FOLDS = 3


@dataclass(frozen=True)
class Affine:
    """The map; its parameters are W, row by row, then b."""

    classes: int

    def split(self, theta: Vector) -> tuple[NDArray[np.float64], Vector]:
        """W, shape (classes, classes), and b, shape (classes,)."""
        return theta[: -self.classes].reshape(self.classes, self.classes), theta[-self.classes :]

    def exponents(self, theta: Vector, x: NDArray[Any]) -> NDArray[np.float64]:
        """See `LinearMap`. A matrix product: only for fitting, where the blocks are always the same."""
        matrix, bias = self.split(theta)
        return x @ matrix.T + bias

    def gradient(self, x: NDArray[Any], residual: NDArray[np.float64]) -> Vector:
        """See `LinearMap`."""
        return np.append(residual.T @ x, residual.sum(axis=0))


@dataclass(frozen=True)
class FullMatrix:
    """A fitted W and b, and the strength they were fitted with."""

    matrix: NDArray[np.float64]
    bias: NDArray[np.float64]
    strength: float


def fit_full_matrix(examples: Examples) -> FullMatrix:
    """Maximum likelihood with the ODIR strength of least cross-validated negative log-likelihood (3 folds, seed 0).

    Raises
    ------
    ValueError
        There are too few rows for the folds, or no optimum was found.
    """
    fold = stratified_folds(examples.labels, _FOLDS, seed=0)
    losses = [
        sum(_held_out_loss(examples, fold == held_out, strength) for held_out in range(_FOLDS))
        for strength in STRENGTHS
    ]
    strength = STRENGTHS[int(np.argmin(losses))]
    return FullMatrix(*Affine(examples.classes).split(_fit(examples, strength)), strength)


def log_p_of(z: NDArray[np.float64], matrix: NDArray[np.float64], bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities softmax(W z + b), shape (rows, classes).

    One dot product for each row and class: a matrix product rounds a row differently among other rows.
    """
    log_p = np.empty(z.shape)
    for rows in blocks(*z.shape):
        x, masked = finite_rows(z[rows])
        log_p[rows] = normalized(np.vecdot(x[:, None, :], matrix) + bias, masked)
    return log_p


def _fit(examples: Examples, strength: float) -> Vector:
    size = examples.classes
    identity = np.append(np.eye(size).ravel(), np.zeros(size))
    prior = Prior.weak(identity, examples.rows)
    off_diagonal = 2 * strength / (size * (size - 1)) * (1 - np.eye(size))
    odir = np.append(off_diagonal.ravel(), np.full(size, 2 * strength / size))
    return minimum(softmax_loss(examples, Affine(size)), replace(prior, precision=prior.precision + odir))


def _held_out_loss(examples: Examples, held_out: NDArray[np.bool_], strength: float) -> float:
    def part(rows: NDArray[np.bool_]) -> Examples:
        weights = examples.weights[rows]
        return Examples(examples.z[rows], examples.labels[rows], weights / weights.sum())

    theta = _fit(part(~held_out), strength)
    value, _ = softmax_loss(part(held_out), Affine(examples.classes))(theta)
    return value * float(examples.weights[held_out].sum())
