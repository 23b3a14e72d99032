"""Penalised maximum likelihood by scipy's L-BFGS-B, with analytic gradients and a prior about the identity.

Every search starts at the identity, and every penalty is 0 there: hence the fitted negative log-likelihood never
exceeds that of the rows as they came, whatever the penalty (its sum with the penalty only falls, and the penalty is 0
or more).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
