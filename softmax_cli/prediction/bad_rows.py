"""Rows that cannot be scored: found, named, and dealt with as the user gave."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.prediction.score_kinds import TOLERANCE, read_scores
from softmax_cli.storage.writing import check_target, whole_file
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.table import Decoded, Fault

if TYPE_CHECKING:
    from softmax_cli.tables.labels import Labels, Truth

Policy = Literal["error", "skip", "null"]
WAYS_ON = "fix the row, or go on with --on-bad-row skip (leave it out) or null (keep it, unscored)"


class Reject(NamedTuple):
    """A row that was not scored, as it stood in the input."""

    where: str
    column: str
    problem: str
    record: str

    def __str__(self) -> str:
        named = f" column {self.column!r}:" if self.column else ""
        return f"{self.where}:{named} {self.problem}"


def rejects(decoded: Decoded, bad: NDArray[np.bool_], columns: Columns) -> list[Reject]:
    """Name every bad row of a batch, in order, with what is wrong with it.

    Parameters
    ----------
    decoded : Decoded
        The batch; faults that its reader has named keep their words.
    bad : array of bool, shape (rows,)
        Rows that the scoring found no distribution for.
    """
    named = {fault.row: fault for fault in reversed(decoded.faults)}
    found = []
    for row in np.flatnonzero(bad).tolist():
        fault = named.get(row) or _value_fault(decoded, row, columns)
        place = decoded.place(row, fault.column)
        found.append(Reject(place.where, fault.column or "", fault.problem, place.record))
    return found


def _value_fault(decoded: Decoded, row: int, columns: Columns) -> Fault:
    scores = read_scores(decoded.batch.slice(row, 1), columns, np.dtype(np.float64))[0]
    culprit, problem = what_is_wrong(scores[1:] if columns.is_binary else scores, columns)
    name = columns.scores[0 if columns.is_list else culprit]
    within = f" (class {columns.classes[culprit]!r})" if columns.is_list else ""
    return Fault(row, name, f"{decoded.place(row, name).found!r}{within} {problem}")


def what_is_wrong(scores: NDArray[np.floating], columns: Columns) -> tuple[int, str]:
    """Say why one row, shape (classes,), cannot be scored: the position of the culprit and what is wrong with it.

    `scores` is the row as it was read, before `to_log_scale_`.
    """
    kind = columns.kind
    checks: list[tuple[NDArray[np.bool_], str]] = [
        (np.isnan(scores), "is missing or not a number"),
        (scores == np.inf, "is infinite: no probability follows from it"),
    ]
    if kind == "prob" and columns.percent:
        checks.append(((scores < 0) | (scores > 1 + TOLERANCE), "is no percentage from 0 to 100 (--input percent)"))
    elif kind == "prob":
        checks.append((scores > 1 + TOLERANCE, f"is above 1, so {_NO_PROBABILITY} (percentages: --input percent)"))
        checks.append((scores < 0, f"is below 0, so {_NO_PROBABILITY}"))
    if kind == "logprob":
        checks.append((scores > TOLERANCE, "is not a log-probability: it is above 0 (--input logprob)"))
    for wrong, problem in checks:
        if wrong.any():
            return int(wrong.argmax()), problem
    return 0, "and every other class of the row is masked (-inf, or probability 0): nothing is left to choose from"


_NO_PROBABILITY = "it is not a probability (--input prob); logits: --input logits"


def with_truth_faults(decoded: Decoded, truth: Truth, labels: Labels, rows: NDArray[np.intp]) -> Decoded:
    """Name some rows, which have no truth or one that is no class, as bad rows; the reader's faults go first."""
    faults = [
        Fault(row, truth.column, f"{decoded.place(row, truth.column).found!r} {labels.problem(row)}")
        for row in rows.tolist()
    ]
    return decoded._replace(faults=(*decoded.faults, *faults))


def refuse(found: Sequence[Reject]) -> None:
    """Stop at the first bad row.

    Raises
    ------
    DataError
        There is one.
    """
    if found:
        raise DataError(f"{found[0]}; {WAYS_ON}")


KeepRejects = Callable[[Sequence[Reject]], None]
"""Takes rejected rows in order."""


@contextmanager
def rejects_file(path: str, force: bool) -> Iterator[KeepRejects]:
    """Open a CSV file of rejected rows that is complete when the block ends."""
    check_target(path, (), force)
    with row_listing(path, force, Reject._fields) as keep:
        yield keep


@contextmanager
def row_listing(path: str, force: bool, names: Sequence[str]) -> Iterator[Callable[[Iterable[Sequence[str]]], None]]:
    """Open a CSV file with a line for each thing said of a row; it takes several lines at a time."""
    with whole_file(path, force) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(names)
        yield lines.writerows
        text.detach()  # flushes, and leaves the file open for its owner
