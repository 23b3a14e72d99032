"""Every metric of some rows at once, in parts that add up exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.numeric.bootstrap import REPLICATES
from softmax_cli.numeric.metrics.accuracy import Accuracy
from softmax_cli.numeric.metrics.balanced import Balanced
from softmax_cli.numeric.metrics.bins import BINS
from softmax_cli.numeric.metrics.brier import Brier
from softmax_cli.numeric.metrics.classwise_ece import ClasswiseEce
from softmax_cli.numeric.metrics.classwise_mass_ece import ClasswiseMassEce
from softmax_cli.numeric.metrics.confusion import Confusion
from softmax_cli.numeric.metrics.coverage import Coverage
from softmax_cli.numeric.metrics.ece import Ece
from softmax_cli.numeric.metrics.histogram import ConfidenceHistogram
from softmax_cli.numeric.metrics.log_loss import LogLoss
from softmax_cli.numeric.metrics.ranking import Ranking
from softmax_cli.numeric.metrics.refinement import Refinement
from softmax_cli.numeric.metrics.smooth_ece import SmoothEce
from softmax_cli.numeric.metrics.top_k_accuracy import TopKAccuracy


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    bins: int = BINS
    scheme: str = "width"
    """width or mass."""
    norm: str = "l1"
    kind: str = "top-label"
    """top-label or classwise."""
    top_k: tuple[int, ...] = (5,)
    clip: float | None = None
    """Keeps the probability of the truth within [clip, 1 - clip] for the log loss."""
    replicates: int = REPLICATES
    """Of the bootstrap; 0: no intervals."""
    seed: int = 0
    answer_from: float | None = None
    """Least confidence that is answered, of a calibration that abstains; None: it does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Metric parts of some rows.

    Memory grows with classes x bins, by 9 bytes a row for `ranking`, and by 8 bytes a row and class for
    `classwise_mass`, which is there only when it was asked for.
    """

    accuracy: Accuracy
    balanced: Balanced
    top_k: tuple[TopKAccuracy, ...]
    log_loss: LogLoss
    brier: Brier
    refinement: Refinement
    ece: Ece
    classwise: ClasswiseEce
    classwise_mass: ClasswiseMassEce | None
    smooth: SmoothEce
    ranking: Ranking
    histogram: ConfidenceHistogram
    confusion: Confusion
    coverage: Coverage | None

    @classmethod
    def of(
        cls, plan: Plan, log_p: NDArray[np.float64], labels: NDArray[np.int64], sets: NDArray[np.bool_] | None
    ) -> Self:
        """Measure rows; shapes as in `Judged`."""
        keeps_all = plan.kind == "classwise" and plan.scheme == "mass"
        return cls(
            accuracy=Accuracy.of(log_p, labels),
            balanced=Balanced.of(log_p, labels),
            top_k=tuple(TopKAccuracy.of(log_p, labels, k=k) for k in plan.top_k),
            log_loss=LogLoss.of(log_p, labels, clip=plan.clip),
            brier=Brier.of(log_p, labels),
            refinement=Refinement.of(log_p, labels),
            ece=Ece.of(log_p, labels, bins=plan.bins),
            classwise=ClasswiseEce.of(log_p, labels, bins=plan.bins),
            classwise_mass=ClasswiseMassEce.of(log_p, labels, bins=plan.bins) if keeps_all else None,
            smooth=SmoothEce.of(log_p, labels),
            ranking=Ranking.of(log_p, labels),
            histogram=ConfidenceHistogram.of(log_p, labels),
            confusion=Confusion.of(log_p, labels),
            coverage=None if sets is None else Coverage.of(sets, labels),
        )

    def plus(self, other: Self) -> Self:
        """Merge with the parts of the rows that follow."""
        return type(self)(
            accuracy=self.accuracy.plus(other.accuracy),
            balanced=self.balanced.plus(other.balanced),
            top_k=tuple(mine.plus(theirs) for mine, theirs in zip(self.top_k, other.top_k, strict=True)),
            log_loss=self.log_loss.plus(other.log_loss),
            brier=self.brier.plus(other.brier),
            refinement=self.refinement.plus(other.refinement),
            ece=self.ece.plus(other.ece),
            classwise=self.classwise.plus(other.classwise),
            classwise_mass=_both(self.classwise_mass, other.classwise_mass),
            smooth=self.smooth.plus(other.smooth),
            ranking=self.ranking.plus(other.ranking),
            histogram=self.histogram.plus(other.histogram),
            confusion=self.confusion.plus(other.confusion),
            coverage=None if self.coverage is None or other.coverage is None else self.coverage.plus(other.coverage),
        )


def _both(mine: ClasswiseMassEce | None, theirs: ClasswiseMassEce | None) -> ClasswiseMassEce | None:
    if mine is None or theirs is None:
        return None
    try:
        return mine.plus(theirs)
    except ValueError as error:
        raise DataError(f"{error}; --scheme width needs to keep none of them") from None
