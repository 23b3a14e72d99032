"""Log loss: the mean surprise at the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import ANY_SIZE, Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._replicates import MeanReplicates
from softmax_cli.numeric.metrics._rows import Rows, row_log_loss


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
    def of(cls, rows: Rows, plan: Plan) -> Self:
        """Score a block of rows."""
        loss = row_log_loss(rows, plan.clip)
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


class LossReplicates(MeanReplicates):
    """Replicates of the log loss."""

    @staticmethod
    def figure(rows: Rows, plan: Plan) -> NDArray[np.float64]:
        """Log loss of every row, nats."""
        return row_log_loss(rows, plan.clip)


def _note(parts: Parts, clip: float | None) -> str:
    count = parts[LogLoss].impossible
    impossible = f"; {count:,} rows have p = 0 on the truth (--clip EPS bounds them)" if count else ""
    return f"nats{impossible}" + ("" if clip is None else f", p clipped to [{clip:g}, 1 - {clip:g}]")


def figures(plan: Plan) -> Iterator[Definition]:
    """The loss, with limits."""
    yield Definition(
        "log_loss",
        "log loss",
        lambda parts: parts[LogLoss].value,
        lambda parts: _note(parts, plan.clip),
        ANY_SIZE,
        LossReplicates.interval(),
        decides=True,
    )


METRIC = Metric(rank=40, folds=lambda plan: (LogLoss,), figures=figures)
