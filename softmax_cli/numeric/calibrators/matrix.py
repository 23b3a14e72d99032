"""Matrix scaling: a full matrix of logits, held near temperature scaling by as much as held-out rows say.

Unregularised, K^2 + K parameters overfit as soon as K is large: matrix scaling was the worst method of Guo et al.
(2017) on 100 classes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix as Rows
from softmax_cli.numeric.calibrators import Parameters
from softmax_cli.numeric.calibrators._examples import Examples, check_classes, finite_rows, normalized
from softmax_cli.numeric.calibrators._folds import stratified_folds
from softmax_cli.numeric.calibrators._optimise import Prior, SoftmaxLoss, Vector, blocks, minimum
from softmax_cli.numeric.calibrators._parameters import number, square, vector
from softmax_cli.numeric.calibrators.temperature import temperature_or_one


@dataclass(frozen=True, eq=False)
class Matrix:
    """p = softmax(W z + b) on the logits as they are.

    A masked class adds nothing to the others. A number added to all logits of a row changes the result: `Dirichlet`
    is the form that it does not change.

    Notes
    -----
    Guo et al. (2017), ICML. W = I/T, b = 0 is the middle of the prior, with T from temperature scaling, and the prior
    is that of Berta et al. (2025), see `structured`: without examples a class keeps its logit.
    """

    name: ClassVar[str] = "matrix"

    matrix: NDArray[np.float64]
    """W, shape (classes, classes)."""
    bias: NDArray[np.float64]
    """b, shape (classes,)."""
    strength: float
    """Of the regularisation, as chosen on held-out rows."""

    @property
    def free_parameters(self) -> int:
        """The numbers in W and b; regularisation leaves fewer of them really free."""
        return self.matrix.size + self.bias.size

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Penalised maximum likelihood; see `Calibrator.fit`."""
        return cls.fit_to(examples, examples.z)

    @classmethod
    def fit_to(cls, examples: Examples, x: NDArray[np.float64]) -> Self:
        """Take `x`, shape (rows, classes), in the place of the logits."""
        temperature = temperature_or_one(examples)
        affine = Affine(examples.classes)
        loss = SoftmaxLoss.of(examples, affine, x / temperature)
        # About the mean of each column: a bias then does not undo what a factor does, and the search is short.
        mean = loss.x.mean(axis=0)
        loss = replace(loss, x=loss.x - mean)
        search = _Search(mean, loss.curvature(structured(mean, examples.count).identity))
        strength, start = search.best_strength(loss)
        matrix, bias = affine.split(search.fit(loss, strength, start, _FLAT))
        return cls(matrix / temperature, bias - matrix @ mean, strength)

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
        return f"W z + b, {shape_of(self.matrix)}, regularised with strength {self.strength:.3g}"


def shape_of(matrix: NDArray[np.float64]) -> str:
    """Size of W and what stands on its diagonal and off it."""
    size = len(matrix)
    diagonal, off = matrix.diagonal(), np.abs(matrix[~np.eye(size, dtype=bool)]).max()
    return f"{size} x {size}, diagonal from {diagonal.min():.4g} to {diagonal.max():.4g}, off it up to {off:.3g}"


def log_p_of(z: NDArray[np.float64], matrix: NDArray[np.float64], bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-probabilities softmax(W z + b), shape (rows, classes).

    One dot product for each row and class: a matrix product rounds a row differently among other rows.
    """
    log_p = np.empty(z.shape)
    for rows in blocks(*z.shape):
        x, masked = finite_rows(z[rows])
        log_p[rows] = normalized(np.vecdot(x[:, None, :], matrix) + bias, masked)
    return log_p


STRENGTHS = tuple(10.0 ** (half / 2) for half in range(4, -7, -1))
"""From 100 down to 0.001: the search begins at 1 and goes on as long as held-out rows gain."""
_FOLDS = 5
_HELD_OUT = 500
"""Held-out rows that are enough to tell two strengths apart."""
_LOOKED_AT = 5000
"""Rows that the strength is chosen on: it is the precision of a prior, and belongs to the network, not to the rows."""
_FLAT = 1e-7
"""A search ends where a step gains a ten-millionth: far below what rows could tell."""
_ROUGHLY = 1e-5
"""The same while strengths are compared."""


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

    def curvature(self, x: NDArray[Any], spread: NDArray[np.float64]) -> Vector:
        """See `LinearMap`."""
        return np.append(spread.T @ (x * x), spread.sum(axis=0))


def structured(middle: Vector, rows: float, strength: float = 1.0) -> Prior:
    """Penalty on what W and b do beyond W = I, b = `middle`: squares by the number of their like, in sum over rows.

    That is strength / rows times K (K - 1) sum_i!=j W_ij^2 + K sum_i (W_ii - 1)^2 + K sum_i (b_i - middle_i)^2. In
    sum over rows it is the same prior however many rows there are, and it grows with the number of parameters: a
    penalty on their mean square, as of ODIR (Kull et al. 2019), falls with it and leaves 10,000 parameters of 100
    classes to the noise.

    Notes
    -----
    Berta, Holzmueller, Jordan & Bach (2025), "Structured matrix scaling for multi-class calibration".
    """
    classes = len(middle)
    of_matrix = np.full((classes, classes), float(classes * (classes - 1)))
    np.fill_diagonal(of_matrix, classes)
    weight = np.append(of_matrix.ravel(), np.full(classes, float(classes)))
    return Prior(np.append(np.eye(classes).ravel(), middle), 2 * strength / rows * weight)


@dataclass(frozen=True, eq=False)
class _Search:
    """What the searches with all strengths and rows have in common."""

    middle: Vector
    """Bias that changes nothing, shape (classes,)."""
    curvature: Vector

    def fit(self, loss: SoftmaxLoss, strength: float, start: Vector | None, flat: float) -> Vector:
        """Return W and b of least penalised loss."""
        prior = structured(self.middle, loss.examples.count, strength)
        return minimum(loss, prior, self.curvature, start, flat)

    def best_strength(self, loss: SoftmaxLoss) -> tuple[float, Vector | None]:
        """Return the strength of the penalty with the least loss on held-out rows, among `STRENGTHS`, and where it led.

        Neighbour by neighbour from 1, weaker first, as long as the loss falls: each search begins where the one before
        ended. Some 500 held-out rows are enough, of one or several of five folds.
        """
        few = np.arange(0, loss.examples.rows, -(-loss.examples.rows // _LOOKED_AT))
        if len(few) < _FOLDS:
            return 1.0, None
        loss = loss.subset(few)
        fold = stratified_folds(loss.examples.labels, _FOLDS, seed=0)
        splits = [
            [loss.subset(np.flatnonzero(rows)) for rows in (fold != held_out, fold == held_out)]
            for held_out in range(min(_FOLDS, -(-_HELD_OUT * _FOLDS // len(few))))
        ]

        def tried(strength: float, starts: list[Vector] | list[None]) -> tuple[float, list[Vector]]:
            found = [self.fit(kept, strength, start, _ROUGHLY) for (kept, _), start in zip(splits, starts, strict=True)]
            return sum(held_out.value(theta) for (_, held_out), theta in zip(splits, found, strict=True)), found

        middle_place = STRENGTHS.index(1.0)
        least, begin = tried(1.0, [None] * len(splits))
        best, reached = 1.0, begin
        for path in (STRENGTHS[middle_place + 1 :], STRENGTHS[middle_place - 1 :: -1]):
            starts = begin
            for strength in path:
                found, starts = tried(strength, starts)
                if found >= least:
                    break
                best, least, reached = strength, found, starts
            if best != 1.0:
                break
        return best, reached[0]
