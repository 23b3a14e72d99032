"""Curves of one class's probability, given by knots: fitted ones and ones that were read pass the same checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration.fitting.examples import Examples
from softmax_cli.numeric.calibration.fitting.one_vs_rest import Columns, renormalized
from softmax_cli.numeric.calibration.fitting.rows import check_classes, log_softmax_rows

Column = NDArray[np.float64]
"""Of one class, shape (rows,)."""
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Of one class: places on the axis of its probability, and levels."""


def check_rising(values: NDArray[np.float64], what: str) -> None:
    """Refuse knots that are not in order.

    Raises
    ------
    ValueError
        One is not above that before it.
    """
    for before, after in pairwise(values.tolist()):
        if not before < after:
            raise ValueError(f"{what} {after} follows {before}: they must rise")


def check_probabilities(values: NDArray[np.float64], what: str) -> None:
    """Refuse levels that are no probabilities.

    Raises
    ------
    ValueError
        One is below 0 or above 1.
    """
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError(f"{what} from {values.min()} to {values.max()}: probabilities are wanted")


def fit_each(
    z: Columns, labels: NDArray[Any], weights: NDArray[Any] | None, fit: Callable[[Column, Column, Column], Curve]
) -> list[Curve]:
    """Fit a curve to each class.

    Parameters
    ----------
    fit : callable
        Takes probability, truth (1 or 0) and weight of the rows where the class is not masked. The weights are scaled
        to 1 on average over all rows: sums of them are numbers of rows.

    Raises
    ------
    ValueError
        A class has no example.
    """
    examples = Examples.checked(z, labels, weights)
    examples.require_every_class()
    log_p = log_softmax_rows(examples.z)
    return [fit(*_column(examples, log_p, index)) for index in range(examples.classes)]


def _column(examples: Examples, log_p: Columns, index: int) -> tuple[Column, Column, Column]:
    here = log_p[:, index] > -np.inf
    with np.errstate(under="ignore"):
        probability = np.exp(log_p[here, index])
    return probability, (examples.labels[here] == index).astype(np.float64), examples.weights[here] * examples.rows


def apply_each(z: Columns, curves: Sequence[Curve], level: Callable[[Column, Column, Column], Column]) -> Columns:
    """Send the probability of each class through its curve, and renormalise; `level` takes it and the curve."""
    check_classes(z, len(curves))
    log_p = log_softmax_rows(z)
    with np.errstate(under="ignore"):
        q = np.exp(log_p)
    for index, curve in enumerate(curves):
        q[:, index] = level(q[:, index], *curve)
    with np.errstate(divide="ignore"):
        return renormalized(np.log(q), log_p)
