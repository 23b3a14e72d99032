"""The bootstrap of ``evaluate``: replicates of its figures, drawn by the number of the row: alike in every cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from softmax_cli.batches.judge import Judged
from softmax_cli.batches.parts import Plan
from softmax_cli.numeric.metrics.brier import row_brier
from softmax_cli.numeric.metrics.ece import Ece
from softmax_cli.numeric.metrics.ece_interval import EceInterval
from softmax_cli.numeric.metrics.intervals import MeanIntervals
from softmax_cli.numeric.metrics.log_loss import row_log_loss
from softmax_cli.numeric.metrics.top_label import top_label

Limits = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Replicates of the means over rows, and of the calibration error in bins of equal width."""

    means: MeanIntervals
    ece: EceInterval

    @classmethod
    def of(cls, plan: Plan, judged: Judged, first_row: int) -> Self:
        """Draw one batch; `first_row` counts the judged rows before it."""
        _, correct = top_label(judged.log_p, judged.labels)
        figures = {
            "accuracy": correct.astype(np.float64),
            "log_loss": row_log_loss(judged.log_p, judged.labels, clip=plan.clip),
            "brier": row_brier(judged.log_p, judged.labels),
        }
        means = MeanIntervals.of(figures, first_row=first_row, seed=plan.seed, replicates=plan.replicates)
        ece = EceInterval.of(
            judged.log_p,
            judged.labels,
            first_row=first_row,
            bins=plan.bins,
            seed=plan.seed,
            replicates=plan.replicates,
        )
        return cls(means, ece)

    def plus(self, other: Self) -> Self:
        """Merge with the replicates of the rows that follow."""
        return type(self)(self.means.plus(other.means), self.ece.plus(other.ece))

    def limits(self, plan: Plan, ece: Ece) -> dict[str, Limits]:
        """Return 95 % limits by the name of the figure; the asked-for ECE has none in bins of equal count."""
        found = self.means.value
        low, high = found["accuracy"]
        found["error"] = (1 - high, 1 - low)
        for name, norm in (("mce", "max"), ("rmsce", "l2"), ("ece", plan.norm)):
            if (plan.scheme, plan.kind) == ("width", "top-label"):
                found[name] = self.ece.interval(ece, norm=norm)
        return found
