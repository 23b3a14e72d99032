"""Sets of classes that hold the truth as often as promised: their thresholds, and which classes are within."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from softmax_cli.numeric.nonconformity import Scores


class Nonconformity(NamedTuple):
    """How strange a class is for a row."""

    score: str
    """A name in `SCORES`."""
    seed: int | None = None
    """Of the draws that break ties; None: not randomized."""
    raps: tuple[float, int] | None = None
    """Penalty and free places of raps, where they were tuned."""

    def __call__(self, log_p: NDArray[np.float64]) -> Scores:
        """Score every class, shape (rows, classes)."""
        from softmax_cli.numeric.nonconformity import SCORES, raps_scores, row_draws

        uniform = None if self.seed is None else row_draws(log_p, self.seed)
        if self.raps is None:
            return SCORES[self.score](log_p, uniform)
        penalty, free = self.raps
        return raps_scores(log_p, uniform, penalty=penalty, free=free)


@dataclass(frozen=True, slots=True, eq=False)
class SetRule:
    """Classes within the threshold, the likeliest one at least unless `allow_empty`."""

    nonconformity: Nonconformity
    coverage: float
    """Share of sets that hold the truth, as promised."""
    threshold: NDArray[np.float64]
    """Shape (1,), or (classes,) for one each; ``inf`` admits the class always."""
    rows: int
    """How many rows the threshold comes from."""
    allow_empty: bool = False
    mean_size: float = 0.0
    """Classes in a set, on the rows that the threshold comes from; 0: not kept in a file."""

    @property
    def step(self) -> str:
        """The operation in one line."""
        each = "a threshold for each class" if len(self.threshold) > 1 else f"threshold {self.threshold[0]:.6g}"
        drawn = "" if self.nonconformity.seed is None else f", randomized with seed {self.nonconformity.seed}"
        how = f"{self.nonconformity.score}, {each}{drawn}"
        return f"set of classes that covers {self.coverage:g}  (--calibration: {how})"

    def __call__(self, log_p: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether a class is in the set of its row, shape (rows, classes)."""
        from softmax_cli.numeric.conformal import sets

        scores = self.nonconformity(np.ascontiguousarray(log_p, np.float64))
        return sets(scores, self.threshold, allow_empty=self.allow_empty)


class SetRequest(NamedTuple):
    """What a threshold is to promise, before there are rows to take it from."""

    nonconformity: Nonconformity
    coverage: float
    per_class: bool = False
    allow_empty: bool = False
    quantile: str = "exact"
    """exact: the order statistic of the theorem; higher: what published code takes, one score further."""
    clustered: bool = False
    """A threshold for each group of classes that are alike."""
    tuned: bool = False
    """Choose the penalty and the free places of raps."""

    def rule(self, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> SetRule:
        """Take the threshold from held-out rows, with final log-probabilities of shape (rows, classes).

        A fifth of the rows goes to what has to be chosen on others than the threshold is taken from.
        """
        from softmax_cli.numeric import conformal
        from softmax_cli.numeric.nonconformity import tuned_raps

        log_p, classes, nonconformity = np.ascontiguousarray(log_p), log_p.shape[1], self.nonconformity
        # Through its decimal spelling: 1 - 0.9 is 0.09999999999999998 in binary.
        miscoverage = float(f"{1 - self.coverage:.12g}")
        find = {"exact": conformal.threshold, "higher": conformal.quantile_threshold}[self.quantile]
        kept = np.ones(len(labels), np.bool_)
        if self.clustered or self.tuned:
            kept = ~conformal.chosen_on(labels)
        if self.tuned:
            nonconformity = nonconformity._replace(raps=tuned_raps(log_p[~kept], labels[~kept], coverage=self.coverage))
        scores = nonconformity(log_p)
        of_truth, truths = conformal.scores_of_truth(scores, labels), labels[kept]
        if self.clustered:
            clusters = conformal.class_clusters(of_truth[~kept], labels[~kept], classes, miscoverage=miscoverage)
            found = conformal.cluster_thresholds(of_truth[kept], truths, clusters, miscoverage=miscoverage, find=find)
        elif self.per_class:
            found = conformal.class_thresholds(of_truth[kept], truths, classes, miscoverage=miscoverage, find=find)
        else:
            found = np.array([find(of_truth[kept], miscoverage=miscoverage)])
        size = conformal.sets(scores[kept], found, allow_empty=self.allow_empty).sum(axis=1)
        return SetRule(nonconformity, self.coverage, found, len(truths), self.allow_empty, float(size.mean()))
