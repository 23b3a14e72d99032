"""A batch scored against its truth: log-probabilities and true classes side by side, ready for every metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.evaluation.mistakes import Mistakes
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.prediction.bad_rows import Reject, with_truth_faults
from softmax_cli.prediction.logits import KindCheck
from softmax_cli.prediction.transform import Transform
from softmax_cli.tables.batch import pick, texts
from softmax_cli.tables.labels import MISSING, LabelReading, Truth, distinct
from softmax_cli.tables.table import Decoded

NO_SLICE = "(none)"
"""What a row without a value in the column of slices belongs to."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScores:
    """The rows of one batch that have scores and a truth, in order."""

    rows: Rows
    slices: dict[str, NDArray[np.intp]]
    """Rows of every slice; empty where none were asked for."""
    read: int
    """Rows that were read, the bad ones among them."""
    rejects: tuple[Reject, ...]
    kinds: KindCheck
    """Whether rows look like another kind of scores than they were read as."""
    reading: LabelReading
    mistakes: Mistakes


@dataclass(frozen=True, slots=True)
class LabelledScorer:
    """Scores batches and finds their truths; stateless, so that several threads share it."""

    transform: Transform
    """Emits ``logprob``; what it lays out as columns is not used."""
    truth: Truth
    by: str | None = None
    """Column of slices."""

    def __call__(self, decoded: Decoded) -> LabelledScores:
        """Score one batch.

        Raises
        ------
        DataError
            A truth is no class; or a row cannot be scored or has no truth, and bad rows are errors.
        """
        found = self.truth.labels(decoded.batch)
        decoded = with_truth_faults(decoded, self.truth, found, found.without)
        scored, rejected, kinds = self.transform.score(decoded)
        good = np.flatnonzero(~scored.bad)
        rows = Rows(
            np.asarray(scored.values["logprob"][good], np.float64),
            found.indices[good],
            None if scored.sets is None else scored.sets[good],
        )
        return LabelledScores(
            rows=rows,
            slices=self._slices(decoded, good),
            read=decoded.batch.num_rows,
            rejects=rejected,
            kinds=kinds,
            reading=found.reading,
            mistakes=Mistakes.of(rows, lambda some: self._names(decoded, good[some])),
        )

    def nothing(self) -> LabelledScores:
        """What a batch without rows comes to."""
        classes = len(self.transform.columns.classes)
        sets = None if self.transform.scoring.sets is None else np.empty((0, classes), np.bool_)
        labels, log_p = np.empty(0, np.int64), np.empty((0, classes))
        rows = Rows(log_p, labels, sets)
        return LabelledScores(rows, {}, 0, (), KindCheck(), LabelReading(), Mistakes.of(rows, lambda some: []))

    def _names(self, decoded: Decoded, rows: NDArray[np.intp]) -> list[str]:
        """Name rows by their ids, or where there is none by their places."""
        column = self.transform.columns.id
        ids: list[str | None] = [None] * len(rows)
        if column is not None and len(rows):
            ids = texts(pick(decoded.batch.column(column), rows, {}))
        return [one or decoded.place(row, None).where for one, row in zip(ids, rows.tolist(), strict=True)]

    def _slices(self, decoded: Decoded, good: NDArray[np.intp]) -> dict[str, NDArray[np.intp]]:
        if self.by is None:
            return {}
        codes, names = distinct(decoded.batch.column(self.by))
        codes = codes[good]
        used = np.unique(codes).tolist()
        return {NO_SLICE if code == MISSING else names[code]: np.flatnonzero(codes == code) for code in used}
