"""A block of rows as the metrics see it, and the small arithmetic that they share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log, log1p, nan

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import argmax

BINS = 15
"""Bins of a calibration error, by default."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Log-probabilities and true classes; what several metrics need of them is computed once."""

    log_p: NDArray[np.float64]
    """Log-probabilities, nats, shape (rows, classes): from log-softmax, since log(softmax) loses every p below 1e-308.
    Row by row in memory."""
    labels: NDArray[np.integer]
    """Column of the true class, shape (rows,)."""
    sets: NDArray[np.bool_] | None = None
    """Prediction sets, shape (rows, classes); None: there are none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "log_p", np.ascontiguousarray(self.log_p, np.float64))
        object.__setattr__(self, "labels", np.asarray(self.labels, np.intp))

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: slice | NDArray[np.intp]) -> Rows:
        """Return some of the rows."""
        return Rows(self.log_p[chosen], self.labels[chosen], None if self.sets is None else self.sets[chosen])

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.log_p.shape[1])

    @cached_property
    def predicted(self) -> NDArray[np.int32]:
        """Column of the likeliest class, the earliest among equals, shape (rows,)."""
        return argmax(self.log_p)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Whether the predicted class is the true one, shape (rows,)."""
        return np.asarray(self.predicted == self.labels, np.bool_)

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of the predicted class, 0..1, shape (rows,)."""
        best = np.take_along_axis(self.log_p, self.predicted[:, None], axis=1)[:, 0]
        return np.minimum(np.exp(best), 1.0)

    @cached_property
    def log_p_of_truth(self) -> NDArray[np.float64]:
        """Log-probability of the true class, nats, shape (rows,)."""
        return np.take_along_axis(self.log_p, self.labels[:, None], axis=1)[:, 0]

    @cached_property
    def p(self) -> NDArray[np.float64]:
        """Probabilities, shape (rows, classes); rounding may lift one above 1 by its last bit."""
        return np.exp(self.log_p)


def row_log_loss(rows: Rows, clip: float | None = None) -> NDArray[np.float64]:
    """Return -log p of the truth for every row, nats, shape (rows,); inf where the truth was ruled out.

    Parameters
    ----------
    clip : float, optional
        Keep p within [clip, 1 - clip] first, strictly between 0 and 0.5, as scikit-learn's ``log_loss`` does with the
        machine epsilon of the probabilities. It hides rows whose truth was ruled out.
    """
    if clip is None:
        # 0 - x, not -x: a loss of nothing is 0 and not -0.
        return 0.0 - rows.log_p_of_truth
    return -np.clip(rows.log_p_of_truth, log(clip), log1p(-clip))


def row_brier(rows: Rows) -> NDArray[np.float64]:
    """Squared error summed over the classes for every row, 0..2, shape (rows,).

    The shortfall of the truth is 1 - p = -expm1(log p), which keeps its digits where 1 - exp(log p) has lost them all.
    """
    error = rows.p.copy()
    np.put_along_axis(error, rows.labels[:, None], np.expm1(rows.log_p_of_truth)[:, None], axis=1)
    error *= error
    return error.sum(axis=1)  # type: ignore[no-any-return]


def ratio(above: NDArray[np.number], below: NDArray[np.number]) -> NDArray[np.float64]:
    """Divide element by element; nan, not 0 and not an error, where `below` is 0: nothing is known there."""
    out: NDArray[np.float64] = np.full(np.broadcast_shapes(above.shape, below.shape), nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def mean_of_known(figures: NDArray[np.float64]) -> float:
    """Mean of the figures that are not nan; nan where none is known."""
    known = figures[~np.isnan(figures)]
    return float(known.mean()) if len(known) else nan


FINEST = 2.0**-52
"""Grid that sums of probabilities are taken on: three limbs of an exact sum hold it, whatever the classes and bins."""


def on_grid(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to multiples of 2^-52: at most 1.2e-16 is lost in a term of a mean, and its exact sum needs few limbs."""
    return np.rint(p / FINEST) * FINEST
