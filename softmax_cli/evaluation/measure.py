"""Every metric of some rows at once, in parts that add up exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError
from softmax_cli.evaluation.labelled import LabelledScores
from softmax_cli.numeric.bootstrap import REPLICATES
from softmax_cli.numeric.metrics._confidence import BINS, Ranking, top_label
from softmax_cli.numeric.metrics.accuracy import Accuracy, Balanced, TopKAccuracy
from softmax_cli.numeric.metrics.auroc import Auroc
from softmax_cli.numeric.metrics.brier import Brier, row_brier
from softmax_cli.numeric.metrics.classwise_ece import ClasswiseEce, ClasswiseMassEce
from softmax_cli.numeric.metrics.confusion import Confusion
from softmax_cli.numeric.metrics.coverage import Coverage
from softmax_cli.numeric.metrics.ece import ConfidenceHistogram, Ece
from softmax_cli.numeric.metrics.intervals import EceInterval, MeanIntervals
from softmax_cli.numeric.metrics.log_loss import LogLoss, row_log_loss
from softmax_cli.numeric.metrics.refinement import Refinement
from softmax_cli.numeric.metrics.smooth_ece import SmoothEce


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
        """Measure rows; shapes as in `LabelledScores`."""
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


MOST_SLICES = 100
"""Every slice keeps parts of its own; a column of ids would make one of each row."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is known of the rows so far: all of them together, and slice by slice."""

    whole: Parts
    auroc: Auroc
    """Of the whole alone: its parts are large."""
    slices: dict[str, Parts] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, labelled: LabelledScores) -> Self:
        """Measure one batch."""
        slices = {
            name: Parts.of(plan, labelled.log_p[rows], labelled.labels[rows], _some(labelled.sets, rows))
            for name, rows in labelled.slices.items()
        }
        whole = Parts.of(plan, labelled.log_p, labelled.labels, labelled.sets)
        return cls(whole, Auroc.of(labelled.log_p, labelled.labels), slices)

    def plus(self, other: Self) -> Self:
        """Merge with the rows that follow; slices stand in the order in which they came up.

        Raises
        ------
        UsageError
            There are too many slices.
        """
        slices = dict(self.slices)
        for name, parts in other.slices.items():
            slices[name] = slices[name].plus(parts) if name in slices else parts
        if len(slices) > MOST_SLICES:
            raise UsageError(f"--by: the column has more than {MOST_SLICES} values; name one with fewer")
        return type(self)(self.whole.plus(other.whole), self.auroc.plus(other.auroc), slices)


def _some(sets: NDArray[np.bool_] | None, rows: NDArray[np.intp]) -> NDArray[np.bool_] | None:
    return None if sets is None else sets[rows]


Limits = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Replicates of the means over rows, and of the calibration error in bins of equal width."""

    means: MeanIntervals
    ece: EceInterval

    @classmethod
    def of(cls, plan: Plan, labelled: LabelledScores, first_row: int) -> Self:
        """Replicate one batch; `first_row` counts the measured rows before it."""
        _, correct = top_label(labelled.log_p, labelled.labels)
        figures = {
            "accuracy": correct.astype(np.float64),
            "log_loss": row_log_loss(labelled.log_p, labelled.labels, clip=plan.clip),
            "brier": row_brier(labelled.log_p, labelled.labels),
        }
        means = MeanIntervals.of(figures, first_row=first_row, seed=plan.seed, replicates=plan.replicates)
        ece = EceInterval.of(
            labelled.log_p,
            labelled.labels,
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
