"""Prediction sets as an operation of a transform: which classes of a row are within a conformal threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.conformal import class_thresholds, quantile_threshold, scores_of_truth, sets, threshold
from softmax_cli.numeric.nonconformity import SCORES, Scores
from softmax_cli.numeric.rowdraws import row_draws


@dataclass(frozen=True, slots=True)
class Nonconformity:
    """How strange a class is for a row."""

    score: str
    """lac, aps or raps."""
    seed: int | None = None
    """Of the draws that break ties in aps and raps; None: not randomized."""

    def __call__(self, log_p: NDArray[np.float64]) -> Scores:
        """Score every class, shape (rows, classes)."""
        return SCORES[self.score](log_p, None if self.seed is None else row_draws(log_p, self.seed))


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

    @property
    def step(self) -> str:
        """The operation in one line."""
        each = "a threshold for each class" if len(self.threshold) > 1 else f"threshold {self.threshold[0]:.6g}"
        drawn = "" if self.nonconformity.seed is None else f", randomized with seed {self.nonconformity.seed}"
        how = f"{self.nonconformity.score}, {each}{drawn}"
        return f"set of classes that covers {self.coverage:g}  (--calibration: {how})"

    def __call__(self, log_p: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether a class is in the set of its row, shape (rows, classes)."""
        scores = self.nonconformity(np.ascontiguousarray(log_p, np.float64))
        return sets(scores, self.threshold, allow_empty=self.allow_empty)


@dataclass(frozen=True, slots=True)
class SetRequest:
    """What a threshold is to promise, before there are rows to take it from."""

    nonconformity: Nonconformity
    coverage: float
    per_class: bool = False
    allow_empty: bool = False
    quantile: str = "exact"
    """exact: the order statistic of the theorem; higher: what published code takes, one score further."""

    def rule(self, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> SetRule:
        """Take the threshold from held-out rows, with final log-probabilities of shape (rows, classes)."""
        scores = scores_of_truth(self.nonconformity(np.ascontiguousarray(log_p)), labels)
        # Through its decimal spelling: 1 - 0.9 is 0.09999999999999998 in binary.
        miscoverage = float(f"{1 - self.coverage:.12g}")
        if self.per_class:
            found = class_thresholds(scores, labels, log_p.shape[1], miscoverage=miscoverage)
        else:
            find = {"exact": threshold, "higher": quantile_threshold}[self.quantile]
            found = np.array([find(scores, miscoverage=miscoverage)])
        return SetRule(self.nonconformity, self.coverage, found, len(labels), self.allow_empty)
