"""The rows of a table with their true classes, all in memory: fitting looks at every row several times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.distributed.fleet import EachBlock, Fleet
from softmax_cli.errors import DataError
from softmax_cli.prediction.bad_rows import refuse, rejects, with_truth_faults
from softmax_cli.prediction.score_kinds import KindCheck, read_scores, to_log_scale_
from softmax_cli.prediction.scorer import LogitStep
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import LabelReading, Truth
from softmax_cli.tables.table import Decoded, Table
from softmax_cli.tables.threads import Listeners

PIECE_BYTES = 32 << 20
"""So large that a piece has memory of its own, which goes back to the system as soon as the piece is let go of."""


class Stack:
    """Rows that come in blocks, put into a few large pieces of memory, and then into one: they are never held twice.

    Kept as they come, blocks lie between what was needed only to make them, and half as much memory is lost in gaps.
    """

    def __init__(self, columns: int) -> None:
        self._rows = max(1, PIECE_BYTES // (8 * max(1, columns)))
        self._columns = columns
        self._pieces: list[NDArray[np.float64]] = []
        self._filled = 0
        """Rows in the last piece."""

    def add(self, rows: NDArray[np.float64]) -> None:
        """Copy a block, shape (rows, columns)."""
        while len(rows):
            if not self._pieces or self._filled == self._rows:
                self._pieces.append(np.empty((self._rows, self._columns)))
                self._filled = 0
            taken = rows[: self._rows - self._filled]
            self._pieces[-1][self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            rows = rows[len(taken) :]

    def whole(self) -> NDArray[np.float64]:
        """All rows, in C order; afterwards none is left here."""
        if not self._pieces:
            return np.empty((0, self._columns))
        start = (len(self._pieces) - 1) * self._rows
        rows = np.empty((start + self._filled, self._columns))
        rows[start:] = self._pieces.pop()[: self._filled]
        while self._pieces:
            start -= self._rows
            rows[start : start + self._rows] = self._pieces.pop()
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """Rows that can be scored and whose truth is known."""

    z: NDArray[np.float64]
    """Logits or log-probabilities after the remedies, shape (rows, classes); C order."""
    labels: NDArray[np.int64]
    """Column of the true class, shape (rows,)."""
    left_out: int
    """Bad rows that were passed over."""
    reading: LabelReading
    """How the truths were read."""
    kinds: KindCheck
    """Whether rows look like another kind of scores than they were read as."""

    @classmethod
    def joined(cls, parts: Iterable[Self], classes: int) -> Self:
        """Put consecutive runs of rows together, in order; the same rows come of every cut.

        Raises
        ------
        DataError
            Truths are names in one and numbers in another.
        """
        scores, labels = Stack(classes), [np.empty(0, np.int64)]
        left_out, reading, kinds = 0, LabelReading(), KindCheck()
        for part in parts:
            scores.add(part.z)
            labels.append(part.labels)
            left_out += part.left_out
            reading, kinds = reading.plus(part.reading), kinds.plus(part.kinds)
        return cls(scores.whole(), np.concatenate(labels), left_out, reading, kinds)

    @property
    def hash(self) -> str:
        """``sha256:...`` of the scores and labels: the same for the same rows in any file format."""
        digest = hashlib.sha256(f"{self.z.shape}".encode())
        digest.update(np.ascontiguousarray(self.z, "<f8").data)
        digest.update(np.ascontiguousarray(self.labels, "<i8").data)
        return f"sha256:{digest.hexdigest()}"


@dataclass(frozen=True, slots=True)
class Collector:
    """Takes labelled rows out of decoded batches; stateless and picklable, so that threads and engines share it."""

    columns: Columns
    truth: Truth
    remedies: tuple[LogitStep, ...]
    skips_bad_rows: bool

    def __call__(self, decoded: Decoded) -> LabelledRows:
        """Take the rows of one batch.

        Raises
        ------
        DataError
            A row cannot be scored and is not to be skipped, or has no truth, or one that is no class.
        """
        found = self.truth.labels(decoded.batch)
        decoded = with_truth_faults(decoded, self.truth, found, found.without)
        scores = read_scores(decoded.batch, self.columns, np.dtype(np.float64))
        kinds = KindCheck.of(scores, self.columns)
        z = to_log_scale_(scores, self.columns)
        bad = ~np.isfinite(z.max(axis=1, initial=-np.inf))
        bad[[fault.row for fault in decoded.faults]] = True
        if bad.any() and not self.skips_bad_rows:
            refuse(rejects(decoded, bad, self.columns))
        good = ~bad
        truth = z[np.arange(len(z)), found.indices]
        if (impossible := np.flatnonzero(good & (truth == -np.inf))).size:
            row = int(impossible[0])
            raise DataError(
                f"{decoded.place(row, None).where}: the true class {self.columns.classes[found.indices[row]]!r} has "
                "probability 0, and no calibration can raise it; leave such rows out, or write probabilities that are "
                "not rounded to 0"
            )
        kept = np.ascontiguousarray(z[good])
        for remedy in self.remedies:
            remedy(kept)
        return LabelledRows(kept, found.indices[good], int(bad.sum()), found.reading, kinds)


def collect(fleet: Fleet[Table], collector: Collector, listeners: Listeners) -> LabelledRows:
    """Take all rows of a table in order: the same rows whoever goes over them, so that every fit has the same bits.

    Raises
    ------
    DataError
        See `Collector`.
    """
    classes = len(collector.columns.classes)
    with fleet.results(EachBlock(collector.columns.scores, collector), listeners) as results:
        rows = LabelledRows.joined((part for _, part in results), classes)
    rows.reading.check(classes)
    return rows
