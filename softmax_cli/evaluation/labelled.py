"""A batch scored against its truth: log-probabilities and true classes side by side, and the surest of the mistakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.prediction.bad_rows import Reject, with_truth_faults
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.prediction.transform import Transform
from softmax_cli.tables.batch import pick, texts
from softmax_cli.tables.labels import MISSING, LabelReading, Truth, distinct
from softmax_cli.tables.table import Decoded

OF_ALL = 20
OF_A_PAIR = 3
OF_PAIRS = 2000
"""Rows that are kept of all pairs together: those of a pair that is confused with little confidence go first."""


class Mistake(NamedTuple):
    """A row whose prediction is wrong."""

    row: str
    """Its id; where the table has none, its place: ``logits.csv:3``."""
    true: str
    predicted: str
    confidence: float
    """Probability of the predicted class."""
    true_probability: float


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Wrong predictions, the surest first, of equals the earlier; those of consecutive rows add up, with `plus`."""

    labels: NDArray[np.integer]
    predicted: NDArray[np.integer]
    confidence: NDArray[np.float64]
    true_probability: NDArray[np.float64]
    names: NDArray[np.object_]
    """What each row is called."""

    @classmethod
    def of(cls, rows: Rows, names: Callable[[NDArray[np.intp]], list[str]]) -> Self:
        """Find them among the rows of a block.

        Parameters
        ----------
        names : callable
            Gives the names of some of the rows.
        """
        wrong = np.flatnonzero(~rows.correct)
        labels, predicted = rows.labels[wrong], rows.predicted[wrong]
        kept = _surest(labels, predicted, rows.confidence[wrong])
        wrong = wrong[kept]
        p = np.exp(rows.log_p_of_truth[wrong])
        return cls(labels[kept], predicted[kept], rows.confidence[wrong], p, np.array(names(wrong), np.object_))

    def plus(self, other: Self) -> Self:
        """Merge with those of the rows that follow."""
        if not len(other.labels):
            return self
        both: list[NDArray[Any]] = [np.concatenate(pair) for pair in zip(self._arrays(), other._arrays(), strict=True)]
        kept = _surest(both[0], both[1], both[2])
        return type(self)(*(array[kept] for array in both))

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.labels, self.predicted, self.confidence, self.true_probability, self.names

    def named(self, classes: tuple[str, ...]) -> list[Mistake]:
        """List them with the names of the classes."""
        rows = zip(*(array.tolist() for array in self._arrays()), strict=True)
        return [Mistake(name, classes[t], classes[p], confidence, truth) for t, p, confidence, truth, name in rows]


def _surest(
    labels: NDArray[np.integer], predicted: NDArray[np.integer], confidence: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Choose what is kept, in its order."""
    order = np.argsort(-confidence, kind="stable")
    by_pair = np.lexsort((predicted[order], labels[order]))  # stable: within a pair the order stays
    true, taken_for = labels[order][by_pair], predicted[order][by_pair]
    places = np.arange(len(order))
    begins = np.flatnonzero(np.r_[True, (true[1:] != true[:-1]) | (taken_for[1:] != taken_for[:-1])][: len(order)])
    rank = np.empty(len(order), np.intp)
    rank[by_pair] = places - np.repeat(begins, np.diff(np.r_[begins, len(order)]))
    of_pair = rank < OF_A_PAIR
    return order[(places < OF_ALL) | (of_pair & (np.cumsum(of_pair) <= OF_PAIRS))]


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
