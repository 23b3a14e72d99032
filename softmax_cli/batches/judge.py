"""A batch scored against its truth: log-probabilities and true classes side by side, ready for every metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.badrows import Reject, refuse, rejects
from softmax_cli.batches.labels import MISSING, Reading, distinct
from softmax_cli.batches.scores import look_like_probabilities, read_scores, to_log_scale_
from softmax_cli.batches.table import Decoded, Fault
from softmax_cli.batches.transform import Transform
from softmax_cli.batches.truth import Truth

NO_SLICE = "(none)"
"""What a row without a value in the column of slices belongs to."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The rows of one batch that have scores and a truth, in order."""

    log_p: NDArray[np.float64]
    """Log-probabilities, nats, shape (rows, classes)."""
    labels: NDArray[np.int64]
    """Column of the true class, shape (rows,)."""
    slices: dict[str, NDArray[np.intp]]
    """Rows of every slice; empty where none were asked for."""
    sets: NDArray[np.bool_] | None
    """Prediction sets of a calibration that makes them, shape (rows, classes)."""
    read: int
    """Rows that were read, the bad ones among them."""
    rejects: tuple[Reject, ...]
    doubtful: bool
    """Every row looks like probabilities although it was taken as logits."""
    reading: Reading


@dataclass(frozen=True, slots=True)
class Judge:
    """Scores batches and finds their truths; stateless, so that several threads share it."""

    transform: Transform
    """Emits ``logprob``; what it lays out as columns is not used."""
    truth: Truth
    by: str | None = None
    """Column of slices."""

    def __call__(self, decoded: Decoded) -> Judged:
        """Judge one batch.

        Raises
        ------
        DataError
            A truth is no class; or a row cannot be scored or has no truth, and bad rows are errors.
        """
        columns, batch = self.transform.columns, decoded.batch
        found = self.truth.labels(batch)
        missing = np.flatnonzero(found.indices == MISSING)
        faults = [Fault(row, self.truth.column, self._missing(decoded, row)) for row in missing.tolist()]
        decoded = decoded._replace(faults=(*decoded.faults, *faults))
        scores = read_scores(batch, columns, np.dtype(self.transform.dtype))
        doubtful = not columns.kind_was_said and look_like_probabilities(scores)
        scored = self.transform.scoring(to_log_scale_(scores, columns))
        scored.bad[[fault.row for fault in decoded.faults]] = True
        rejected = rejects(decoded, scored.bad, columns) if scored.bad.any() else []
        if self.transform.on_bad_row == "error":
            refuse(rejected)
        good = np.flatnonzero(~scored.bad)
        return Judged(
            log_p=np.ascontiguousarray(scored.values["logprob"][good], np.float64),
            labels=found.indices[good],
            slices=self._slices(decoded, good),
            sets=None if scored.sets is None else scored.sets[good],
            read=batch.num_rows,
            rejects=tuple(rejected),
            doubtful=doubtful,
            reading=found.reading,
        )

    def _missing(self, decoded: Decoded, row: int) -> str:
        return f"{decoded.place(row, self.truth.column).found!r} {self.truth.problem}"

    def _slices(self, decoded: Decoded, good: NDArray[np.intp]) -> dict[str, NDArray[np.intp]]:
        if self.by is None:
            return {}
        codes, names = distinct(decoded.batch.column(self.by))
        codes = codes[good]
        used = np.unique(codes).tolist()
        return {NO_SLICE if code == MISSING else names[code]: np.flatnonzero(codes == code) for code in used}
