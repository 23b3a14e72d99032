"""A batch scored against its truth: log-probabilities and true classes side by side, ready for every metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError
from softmax_cli.prediction.bad_rows import Reject, refuse, rejects
from softmax_cli.prediction.logits import KindCheck, read_scores, to_log_scale_
from softmax_cli.prediction.transform import Transform
from softmax_cli.stream.inputs import open_table
from softmax_cli.tables.column_names import id_rank, truth_rank
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import MISSING, ClassLookup, JoinedTruth, LabelReading, Truth, distinct
from softmax_cli.tables.table import Decoded, Fault, ReadOptions

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
    kinds: KindCheck
    """Whether rows look like another kind of scores than they were read as."""
    reading: LabelReading


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
        kinds = KindCheck.of(scores, columns)
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
            kinds=kinds,
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


FLAG = "--labels"


def join_labels(said: str, columns: Columns) -> JoinedTruth:
    """Read ``FILE`` or ``FILE:COLUMN`` as the truth of every id.

    Parameters
    ----------
    columns : Columns
        Of the table that the truths are joined to.

    Raises
    ------
    UsageError
        There is no such file, or one of the tables has no ids.
    DataError
        An id has two truths, or a truth is no class.
    """
    path, named = _split(said)
    if columns.id is None:
        raise UsageError(f"{FLAG} joins by id, and no column is named like one; name it with --id")
    lookup = ClassLookup.of(columns)
    by_id: dict[str, int] = {}
    reading = LabelReading()
    with open_table([path], ReadOptions(), None) as table:
        names = table.schema.names
        like_ids = (name for at, name in enumerate(names) if id_rank(name, at, len(names)) is not None)
        ids = columns.id if columns.id in names else next(like_ids, None)
        if ids is None:
            raise UsageError(f"{FLAG} {path}: no column {columns.id!r} to join by; there are: {', '.join(names)}")
        label = _label_column(path, named, names, ids)
        for block in table.blocks:
            batch = table.decode(block, ()).batch
            found = lookup(batch.column(label), label)
            reading = reading.plus(found.reading)
            codes, texts = distinct(batch.column(ids))
            for code, index in zip(codes.tolist(), found.indices.tolist(), strict=True):
                if MISSING not in (code, index) and by_id.setdefault(texts[code], index) != index:
                    raise DataError(f"{FLAG} {path}: the id {texts[code]!r} has two truths; leave one of them")
    return JoinedTruth(columns.id, by_id, reading, path)


def _split(said: str) -> tuple[str, str | None]:
    """Split ``labels.csv:truth``; a file whose own name holds the colon goes first."""
    if Path(said).exists() or ":" not in said:
        return said, None
    path, _, column = said.rpartition(":")
    return (said, None) if column.startswith("//") else (path, column)  # s3://bucket/labels.csv


def _label_column(path: str, named: str | None, names: Sequence[str], ids: str) -> str:
    others = [name for name in names if name != ids]
    known = [name for name in others if truth_rank(name) is not None]
    chosen = named or (known[0] if known else others[0] if len(others) == 1 else None)
    if chosen is None or chosen not in names:
        raise UsageError(f"{FLAG} {path}: which column? write {path}:COLUMN with one of {', '.join(others) or 'none'}")
    return chosen
