"""Mean negative log-likelihood of a softmax over a linear map of the logits, and its gradient.

With exponents q = f(theta, x) and residual r = w (softmax(q) - onehot(y)), the gradient by theta is that of sum r q:
only f and its transpose differ between the methods.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration.fitting.examples import Examples
from softmax_cli.numeric.calibration.fitting.minimise import Loss
from softmax_cli.numeric.calibration.fitting.passes import total
from softmax_cli.numeric.calibration.fitting.rows import finite_rows, normalized

Vector = NDArray[np.float64]


class LinearMap(Protocol):
    """A map that is linear in its parameters."""

    def exponents(self, theta: Vector, x: NDArray[Any]) -> NDArray[np.float64]:
        """q, shape (rows, classes), a new array."""

    def gradient(self, x: NDArray[Any], residual: NDArray[np.float64]) -> Vector:
        """Derivative of sum(residual * q) by the parameters, shape (parameters,)."""


def softmax_loss(examples: Examples, linear: LinearMap) -> Loss:
    """Mean loss of `examples` as a function of the parameters of `linear`."""

    def loss(theta: Vector) -> tuple[float, Vector]:
        def part(rows: slice) -> Vector:
            x, masked = finite_rows(examples.z[rows])
            labels, weights = examples.labels[rows], examples.weights[rows]
            log_p = normalized(linear.exponents(theta, x), masked)
            each = np.arange(len(labels))
            value = -(weights @ log_p[each, labels])
            with np.errstate(under="ignore"):
                residual = np.exp(log_p)
                residual[each, labels] -= 1
                residual *= weights[:, None]
                return np.append(linear.gradient(x, residual), value)

        parts = total(part, examples.rows, examples.classes)
        return float(parts[-1]), parts[:-1]

    return loss
