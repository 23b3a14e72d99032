"""Log loss: the mean surprise at the truth."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, log1p, nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics._confidence import log_p_of_truth


def row_log_loss(
    log_p: NDArray[np.float64], labels: NDArray[np.integer], *, clip: float | None = None
) -> NDArray[np.float64]:
    """Return -log p of the truth for every row, nats, shape (rows,); inf where the truth was ruled out.

    Parameters
    ----------
    log_p : array, shape (rows, classes)
        Log-probabilities: from log-softmax, since log(softmax) turns every p below 1e-308 into an infinite loss.
    labels : array of int, shape (rows,)
        Column of the true class.
    clip : float, optional
        Keep p within [clip, 1 - clip] first, strictly between 0 and 0.5, as scikit-learn's ``log_loss`` does with the
        machine epsilon of the probabilities. It hides rows whose truth was ruled out.

    Raises
    ------
    ValueError
        `clip` is out of range.
    """
    truth = log_p_of_truth(log_p, labels)
    if clip is None:
        # 0 - x, not -x: a loss of nothing is 0 and not -0.
        return 0.0 - truth
    if not 0 < clip < 0.5:
        raise ValueError(f"clip {clip}: expected a probability strictly between 0 and 0.5")
    return -np.clip(truth, log(clip), log1p(-clip))


@dataclass(frozen=True, eq=False)
class LogLoss:
    """Mean of -log p of the truth, nats; also called negative log-likelihood or cross-entropy.

    Notes
    -----
    Good (1952), "Rational decisions": the strictly proper score that depends on the probability of the truth alone.
    """

    rows: int
    impossible: int
    """Rows whose truth had the probability 0: each alone makes the loss infinite."""
    total: ExactSum
    """Sum over the other rows."""

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer], *, clip: float | None = None) -> Self:
        """Score a block of rows; `clip` as for `row_log_loss`."""
        loss = row_log_loss(log_p, labels, clip=clip)
        possible = loss < inf
        return cls(len(loss), int((~possible).sum()), ExactSum.of(loss[possible]))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.rows + other.rows, self.impossible + other.impossible, self.total.plus(other.total))

    @property
    def value(self) -> float:
        """Mean log loss in nats, 0..inf."""
        if self.impossible:
            return inf
        return self.total.value / self.rows if self.rows else nan
