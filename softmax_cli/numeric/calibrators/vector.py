"""Vector scaling: a factor and a number to add for each class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix
from softmax_cli.numeric.calibrators._examples import Examples, check_classes, finite_rows, normalized
from softmax_cli.numeric.calibrators._optimise import BIAS_SPREAD, FACTOR_SPREAD, Prior, SoftmaxLoss, most_likely
from softmax_cli.numeric.calibrators._parameters import OfVectors
from softmax_cli.numeric.calibrators.temperature import temperature_or_one


class FactorAndBias:
    """q = w x + b; the parameters are w, then b."""

    def exponents(self, theta: NDArray[np.float64], x: NDArray[Any]) -> NDArray[np.float64]:
        """See `LinearMap`."""
        factor, bias = theta.reshape(2, -1)
        return x * factor + bias

    def gradient(self, x: NDArray[Any], residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `LinearMap`."""
        return np.append(np.einsum("rc,rc->c", residual, x), residual.sum(axis=0))

    def curvature(self, x: NDArray[Any], spread: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `LinearMap`."""
        return np.append(np.einsum("rc,rc,rc->c", spread, x, x), spread.sum(axis=0))


@dataclass(frozen=True, eq=False)
class Vector(OfVectors):
    """p = softmax(w z + b).

    A number added to all logits of a row changes the result, unlike with every other method but `Matrix`: fit and
    apply it to logits of one network, not to mixed sources.

    Notes
    -----
    Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks", ICML.
    """

    name: ClassVar[str] = "vector"

    factor: NDArray[np.float64]
    """w, shape (classes,); finite, of either sign."""
    bias: NDArray[np.float64]
    """b, shape (classes,); finite, centred."""

    @property
    def free_parameters(self) -> int:
        """Two for each class, less one since b is centred."""
        return 2 * len(self.bias) - 1

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Maximum likelihood with a prior about temperature scaling; see `Calibrator.fit` and `Prior.normal`."""
        temperature = temperature_or_one(examples)
        loss = SoftmaxLoss.of(examples, FactorAndBias(), examples.z / temperature)
        middle = _middle(loss)
        spread = np.repeat([FACTOR_SPREAD, BIAS_SPREAD], examples.classes)
        prior = Prior.normal(np.append(np.ones(examples.classes), middle), spread, examples.count)
        factor, bias = most_likely(replace(loss, x=loss.x - middle), prior).reshape(2, -1)
        bias = bias - factor * middle
        return cls(factor / temperature, bias - bias.mean())

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        check_classes(z, len(self.bias))
        x, masked = finite_rows(z)
        x *= self.factor
        x += self.bias
        return normalized(x, masked)

    def describe(self) -> str:
        """One line for people."""
        return (
            f"w z + b, w from {self.factor.min():.4g} to {self.factor.max():.4g}, "
            f"b from {self.bias.min():.4g} to {self.bias.max():.4g}"
        )


def _middle(loss: SoftmaxLoss) -> NDArray[np.float64]:
    """Logit about which the factor of a class turns, shape (classes,): there it does not do what the bias does.

    It is the mean over rows by the weight p (1 - p) that they have in the second derivatives.
    """
    identity = np.repeat([1.0, 0.0], loss.examples.classes)
    sums = loss.spread_out(identity, lambda x, spread: np.append(np.einsum("rc,rc->c", spread, x), spread.sum(axis=0)))
    logits, weights = sums.reshape(2, -1)
    return np.divide(logits, weights, out=np.zeros_like(logits), where=weights > 0)
