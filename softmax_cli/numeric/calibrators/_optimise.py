"""Penalised maximum likelihood by scipy's L-BFGS-B, with analytic gradients and a prior about the identity.

Every search starts at the identity, and every penalty is 0 there: hence the fitted negative log-likelihood never
exceeds that of the rows as they came, whatever the penalty (its sum with the penalty only falls, and the penalty is 0
or more).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators._examples import Examples, finite_rows, normalized

Vector = NDArray[np.float64]
Loss = Callable[[Vector], tuple[float, Vector]]
"""Mean loss and its gradient, shape (parameters,)."""

_STEPS = 2000
_WEAK = 10.0
"""Standard deviation of the weak prior: far wider than real deviations, and gives a finite optimum."""


@dataclass(frozen=True)
class Prior:
    """Adds sum_j precision_j (theta_j - identity_j)^2 / 2 to the mean loss."""

    identity: Vector
    """Parameters that change nothing, shape (parameters,); the search starts here."""
    precision: Vector
    """Shape (parameters,), 0 or more."""
    lower: Vector | None = None
    """Bounds of the parameters from below, where they have some."""

    @classmethod
    def weak(cls, identity: Vector, rows: int, lower: Vector | None = None) -> Prior:
        """Normal prior of standard deviation 10 about the identity.

        It weighs 1/100 of a row, and gives perfectly separated classes finite parameters instead of ones that grow
        until the optimiser gives up.
        """
        return cls(identity, np.full(len(identity), 1 / (_WEAK**2 * rows)), lower)


def minimum(loss: Loss, prior: Prior) -> Vector:
    """Parameters of least penalised loss, shape (parameters,).

    Raises
    ------
    ValueError
        The search did not end.
    """
    from scipy.optimize import Bounds, minimize

    def penalised(theta: Vector) -> tuple[float, Vector]:
        value, gradient = loss(theta)
        off = theta - prior.identity
        return value + float(prior.precision @ off**2) / 2, gradient + prior.precision * off

    found = minimize(
        penalised,
        prior.identity,
        jac=True,
        method="L-BFGS-B",
        bounds=None if prior.lower is None else Bounds(prior.lower, np.inf),
        options={"maxiter": _STEPS, "maxfun": 2 * _STEPS, "ftol": 1e-11, "gtol": 1e-7, "maxcor": 20},
    )
    # Status 2 is a line search that finds nothing lower to the last digit: an optimum as far as float64 can tell.
    if found.status == 1 or not np.isfinite(found.fun):
        raise ValueError(
            f"no optimum after {found.nit} steps: the likelihood of these rows has no clear minimum; "
            "temperature is found for any rows that have one"
        )
    return np.asarray(found.x, np.float64)


_BLOCK_VALUES = 65536
"""512 KB of float64: stays in the second-level cache while a block is worked on."""


def blocks(rows: int, classes: int) -> Iterator[slice]:
    """Cut rows into blocks; the cut depends on the shape alone."""
    step = max(1, _BLOCK_VALUES // classes)
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def total(part: Callable[[slice], NDArray[np.float64]], rows: int, classes: int) -> NDArray[np.float64]:
    """Sum of what `part` gives for every block, added in the order of the blocks.

    numpy releases the interpreter inside its loops, hence threads are enough to keep all cores busy.
    """
    cuts = list(blocks(rows, classes))
    if len(cuts) == 1:
        return part(cuts[0])
    with ThreadPoolExecutor(min(len(cuts), os.cpu_count() or 1)) as pool:
        parts = pool.map(part, cuts)
        result = next(parts).copy()
        for values in parts:
            result += values
    return result


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
