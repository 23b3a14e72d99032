"""One pass over tables of the same rows: how alike they are, what is right where, and which rows flip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.evaluation.measure import parts_of, resample
from softmax_cli.numeric.distributions.comparison import Flips, Predictions, Similarity
from softmax_cli.numeric.metrics import Fold, Parts, Plan, metrics
from softmax_cli.numeric.metrics._counts import ClassCounts
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.prediction.members import JoinedRows, MemberRows, Members
from softmax_cli.tables.batch import Batch, NameColumn, NumberColumn, Own, TextColumn
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.pool import Listeners, ordered_map
from softmax_cli.tables.schema import FLOAT64, INT64, NAMES, TEXT, Field, Schema
from softmax_cli.text.formatting import text_spans


@dataclass(frozen=True, eq=False)
class Comparison:
    """What is known of some rows; that of other rows merges with it exactly."""

    read: int
    """Rows that were read, those left out among them."""
    pairs: tuple[Similarity, ...]
    """Each other table beside the first."""
    predictions: tuple[Predictions, ...]
    """The same."""
    flips: tuple[Flips, ...] = ()
    measured: tuple[Parts, ...] = ()
    draws: tuple[Parts, ...] = ()
    """These three of the rows with a truth; empty where nothing tells it."""

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(
            self.read + other.read,
            _merged(self.pairs, other.pairs),
            _merged(self.predictions, other.predictions),
            _merged(self.flips, other.flips),
            _merged(self.measured, other.measured),
            _merged(self.draws, other.draws),
        )


Merging = TypeVar("Merging", Similarity, Predictions, Flips, Parts)


def _merged(mine: tuple[Merging, ...], theirs: tuple[Merging, ...]) -> tuple[Merging, ...]:
    return tuple(one.plus(other) for one, other in zip(mine, theirs, strict=True))


class Flipped:
    """Describes rows whose prediction changes, as a table: one row for each other table that changes it."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._names = tuple(members.names)
        label = [Field("truth", NAMES)] if members.truth is not None else []
        file = [Field("file", NAMES)] if len(self._names) > 2 else []
        mark = {METADATA_KEY: b"prob"}
        self.schema = Schema(
            [
                Field("id", TEXT) if members.by_id else Field("row", INT64),
                *label,
                *file,
                Field("first_prediction", NAMES),
                Field("first_confidence", FLOAT64, mark),
                Field("second_prediction", NAMES),
                Field("second_confidence", FLOAT64, mark),
            ]
        )

    def __call__(self, joined: JoinedRows, first_row: int) -> Batch:
        """List the flipped rows of a block; a bad row has no prediction to flip."""
        first, *others = joined.members
        changed = np.stack([(first.predictions != one.predictions) & ~joined.bad for one in others], axis=1)
        rows, files = np.nonzero(changed)
        columns: list[Own] = [
            TextColumn(*text_spans(list(first.ids[rows])))
            if self._members.by_id
            else NumberColumn((first_row + 1 + rows)[:, None])
        ]
        if self._members.truth is not None:
            labels = joined.members[self._members.truth].labels[rows]
            columns.append(NameColumn(np.maximum(labels, -1).astype(np.int32), self._members.classes))
        if len(others) > 1:
            columns.append(NameColumn((files + 1).astype(np.int32), self._names))
        for place in (np.zeros(len(rows), np.intp), files + 1):
            codes = np.array([one.predictions for one in joined.members])[place, rows]
            p = np.exp([one.log_p[row, code] for one, row, code in self._cells(joined, place, rows, codes)])
            columns += [NameColumn(codes, self._members.classes), NumberColumn(p.reshape(-1, 1))]
        return Batch(self.schema, columns, len(rows))

    def _cells(
        self, joined: JoinedRows, place: NDArray[np.intp], rows: NDArray[np.intp], codes: NDArray[np.int32]
    ) -> Iterator[tuple[MemberRows, int, int]]:
        members = [joined.members[one] for one in place.tolist()]
        return zip(members, rows.tolist(), codes.tolist(), strict=True)


def compare(
    members: Members, plan: Plan, threads: int, listeners: Listeners, keep: Callable[[Batch], None]
) -> Comparison:
    """Compare every row, in one pass.

    Parameters
    ----------
    keep : callable
        Takes the rows whose prediction changes, in order.

    Raises
    ------
    DataError
        A row is bad, or the tables do not have the same rows.
    """
    flipped = Flipped(members)

    def work(step: tuple[JoinedRows, int, int]) -> tuple[Comparison, Batch]:
        joined, first_row, first_labelled = step
        return _compared(joined, members.truth, plan, first_labelled), flipped(joined, first_row)

    def numbered() -> Iterator[tuple[JoinedRows, int, int]]:
        row = labelled = 0
        for joined in members.rows(threads, listeners):
            yield joined, row, labelled
            row += len(joined.bad)
            labelled += 0 if members.truth is None else int(_labelled(joined, members.truth).sum())

    found: Comparison | None = None
    for part, flips in ordered_map(work, numbered(), threads):
        found = part if found is None else found.plus(part)
        if flips.num_rows:
            keep(flips)
    if found is None:
        raise DataError(f"{members.names[0]} has no rows: there is nothing to compare")
    return found


def _labelled(joined: JoinedRows, truth: int) -> NDArray[np.bool_]:
    labelled: NDArray[np.bool_] = ~joined.bad & (joined.members[truth].labels >= 0)
    return labelled


def _compared(joined: JoinedRows, truth: int | None, plan: Plan, first_labelled: int) -> Comparison:
    good = np.flatnonzero(~joined.bad)
    first, *others = (rows.take(good) for rows in joined.members)
    known = np.full(len(good), -1) if truth is None else joined.members[truth].labels[good]
    pairs = tuple(Similarity.of(first.log_p, one.log_p, (first.predictions, one.predictions)) for one in others)
    predictions = tuple(
        Predictions.of(first.log_p, one.log_p, (first.predictions, one.predictions), known) for one in others
    )
    if truth is None:
        return Comparison(len(joined.bad), pairs, predictions)
    use = np.flatnonzero(_labelled(joined, truth))
    labels = joined.members[truth].labels[use]
    chosen = [rows.take(use) for rows in joined.members]
    rows = [Rows(one.log_p, labels) for one in chosen]
    return Comparison(
        len(joined.bad),
        pairs,
        predictions,
        tuple(Flips.of(chosen[0].predictions, one.predictions, labels) for one in chosen[1:]),
        tuple(parts_of(measured_folds(plan), one, plan) for one in rows),
        tuple(resample(plan, one, first_labelled) for one in rows) if plan.replicates else (),
    )


def measured_folds(plan: Plan) -> tuple[type[Fold], ...]:
    """List what is kept of the rows for the figures that are compared."""
    chosen = [one for one in metrics() if any(figure.is_compared for figure in one.figures(plan))]
    return tuple(dict.fromkeys([ClassCounts, *(fold for metric in chosen for fold in metric.folds(plan))]))
