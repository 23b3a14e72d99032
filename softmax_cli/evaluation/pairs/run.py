"""Tables of the same rows, gone over together: how alike they are, what is right where, and which rows flip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import accumulate
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.distributed.fleet import Fleet
from softmax_cli.evaluation.measure import parts_of, resample
from softmax_cli.numeric.distributions.comparison import Flips, Predictions, Similarity
from softmax_cli.numeric.metrics import Fold, Parts, Plan, metrics
from softmax_cli.numeric.metrics._counts import ClassCounts
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.prediction.members.joining import Check, JoinedRows, Members
from softmax_cli.tables.batch import Batch, Column, NameColumn, NumberColumn, TextColumn, pick
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import FLOAT64, INT64, NAMES, Field, Schema
from softmax_cli.tables.threads import NOBODY, Listeners, ordered_map
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
    checks: tuple[Check, ...] = ()
    """Of each table, once all of its rows are read."""

    @property
    def labelled(self) -> int:
        """Rows with a truth."""
        return self.measured[0][ClassCounts].rows if self.measured else 0

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(
            self.read + other.read,
            merged(self.pairs, other.pairs),
            merged(self.predictions, other.predictions),
            merged(self.flips, other.flips),
            merged(self.measured, other.measured),
            merged(self.draws, other.draws),
            merged(self.checks, other.checks),
        )


Merging = TypeVar("Merging", Similarity, Predictions, Flips, Parts, Check)


def merged(mine: tuple[Merging, ...], theirs: tuple[Merging, ...]) -> tuple[Merging, ...]:
    """Merge what is known of each table with that of other rows."""
    return tuple(one.plus(other) for one, other in zip(mine, theirs, strict=True))


class Flipped:
    """Describes rows whose prediction changes, as a table: one row for each other table that changes it."""

    def __init__(self, members: Members, names: Sequence[str]) -> None:
        self._members = members
        self._names = tuple(names)
        label = [Field("truth", NAMES)] if members.truth is not None else []
        file = [Field("file", NAMES)] if len(self._names) > 2 else []
        mark = {METADATA_KEY: b"prob"}
        first = members.tables[0]
        self._id = first.columns.id if members.by_id else None
        self.schema = Schema(
            [
                Field("row", INT64) if self._id is None else Field("id", first.table.schema.field(self._id).type),
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
        columns: list[Column] = [self._names_of(joined, rows, first_row)]
        if self._members.truth is not None:
            labels = joined.members[self._members.truth].labels[rows]
            columns.append(NameColumn(np.maximum(labels, -1).astype(np.int32), self._members.classes))
        if len(others) > 1:
            columns.append(NameColumn((files + 1).astype(np.int32), self._names))
        for place in (np.zeros(len(rows), np.intp), files + 1):
            codes = np.array([one.predictions for one in joined.members])[place, rows]
            cells = zip(place.tolist(), rows.tolist(), codes.tolist(), strict=True)
            p = np.exp([joined.members[one].log_p[row, code] for one, row, code in cells])
            columns += [NameColumn(codes, self._members.classes), NumberColumn(p.reshape(-1, 1))]
        return Batch(self.schema, columns, len(rows))

    def _names_of(self, joined: JoinedRows, rows: NDArray[np.intp], first_row: int) -> Column:
        """Return what names the rows; text without the block that it stands in, which may have to travel."""
        if self._id is None:
            return NumberColumn((first_row + 1 + rows)[:, None])
        ids = pick(joined.decoded.batch.column(self._id), rows, {})
        return TextColumn(*text_spans(ids.to_pylist())) if isinstance(ids, TextColumn) else ids


def _compare_unit(
    plan: Plan, names: tuple[str, ...], unit: int, members: Members, threads: int, listeners: Listeners
) -> Iterator[Batch | Comparison]:
    """Compare the rows of a unit: yield those that flip block by block, and at last what all come to.

    Parameters
    ----------
    names : tuple of str
        Of the tables, of which a unit may be one file of several.
    """
    flipped = Flipped(members, names)

    def work(step: tuple[JoinedRows, int, int]) -> tuple[Comparison, Batch]:
        joined, first_row, first_labelled = step
        return _compared(joined, members.truth, plan, first_labelled), flipped(joined, first_row)

    found: Comparison | None = None
    for part, flips in ordered_map(work, _numbered(members, 0, threads, listeners), threads):
        found = part if found is None else found.plus(part)
        if flips.num_rows:
            yield flips
    if found is not None:
        yield replace(found, checks=tuple(members.checks))


def _replicate_unit(
    plan: Plan, first_rows: tuple[int, ...], unit: int, members: Members, threads: int, listeners: Listeners
) -> Iterator[tuple[Parts, ...]]:
    """Replicate the rows of a unit that have a truth; `first_rows` says how many of them are before each."""

    def work(step: tuple[JoinedRows, int, int]) -> tuple[Parts, ...]:
        joined, _, first_labelled = step
        return _drawn(_rows_with_truth(joined, members.truth), plan, first_labelled)

    parts = [*ordered_map(work, _numbered(members, first_rows[unit], threads, listeners), threads)]
    if parts:
        yield reduce(merged, parts)


def _numbered(
    members: Members, first_labelled: int, threads: int, listeners: Listeners
) -> Iterator[tuple[JoinedRows, int, int]]:
    """Give with every block how many rows of the unit are before it, and how many rows with a truth of all units."""
    row, labelled = 0, first_labelled
    for joined in members.rows(threads, listeners):
        yield joined, row, labelled
        row += len(joined.bad)
        labelled += len(_with_truth(joined, members.truth))


def compare(
    fleet: Fleet[Members], names: Sequence[str], plan: Plan, listeners: Listeners, keep: Callable[[Batch], None]
) -> Comparison | None:
    """Compare every row, to the same bits whoever goes over the tables; None: there are no rows.

    Several units are gone over twice where there are intervals: only then is it known which rows are before each.

    Parameters
    ----------
    names : sequence of str
        Of the tables.
    keep : callable
        Takes the rows whose prediction changes, in order.

    Raises
    ------
    DataError
        A row is bad, or the tables do not have the same rows.
    """
    once = fleet.size == 1
    parts, labelled, read = [], [0] * fleet.size, 0
    look = partial(_compare_unit, plan if once else replace(plan, replicates=0), tuple(names))
    with fleet.results(look, listeners) as results:
        for unit, found in results:
            if isinstance(found, Comparison):
                parts.append(found)
                labelled[unit], read = found.labelled, read + found.read
            else:
                keep(_counted_from(found, read))
    if not parts:
        return None
    total = reduce(Comparison.plus, parts)
    if once or not plan.replicates or not total.measured:
        return total
    first_rows = tuple(accumulate(labelled, initial=0))
    with fleet.results(partial(_replicate_unit, plan, first_rows), NOBODY) as replicated:
        return replace(total, draws=reduce(merged, (part for _, part in replicated)))


def _counted_from(flips: Batch, rows: int) -> Batch:
    """Number flipped rows in all of the table, not in their unit alone; those with an id have no number."""
    if not rows or "row" not in flips.schema.names:
        return flips
    numbers, *others = flips.columns
    assert isinstance(numbers, NumberColumn), "made by Flipped"
    return Batch(flips.schema, [NumberColumn(numbers.matrix + rows), *others], flips.num_rows)


def _with_truth(joined: JoinedRows, truth: int | None) -> NDArray[np.intp]:
    """Find the rows that are measured."""
    if truth is None:
        return np.empty(0, np.intp)
    return np.flatnonzero(~joined.bad & (joined.members[truth].labels >= 0))


def _rows_with_truth(joined: JoinedRows, truth: int | None) -> list[Rows]:
    """Return the rows that are measured, of each table."""
    use = _with_truth(joined, truth)
    labels = joined.members[truth or 0].labels[use]
    return [Rows(members.log_p[use], labels) for members in joined.members]


def _drawn(rows: list[Rows], plan: Plan, first_row: int) -> tuple[Parts, ...]:
    return tuple(resample(plan, one, first_row) for one in rows) if plan.replicates else ()


def _compared(joined: JoinedRows, truth: int | None, plan: Plan, first_labelled: int) -> Comparison:
    good = np.flatnonzero(~joined.bad)
    first, *others = (rows.take(good) for rows in joined.members)
    known = np.full(len(good), -1) if truth is None else joined.members[truth].labels[good]
    both = [(first.log_p, one.log_p, (first.predictions, one.predictions)) for one in others]
    pairs = tuple(Similarity.of(*pair) for pair in both)
    predictions = tuple(Predictions.of(*pair, known) for pair in both)
    if truth is None:
        return Comparison(len(joined.bad), pairs, predictions)
    rows = _rows_with_truth(joined, truth)
    chosen = [members.predictions[_with_truth(joined, truth)] for members in joined.members]
    return Comparison(
        len(joined.bad),
        pairs,
        predictions,
        tuple(Flips.of(chosen[0], one, rows[0].labels) for one in chosen[1:]),
        tuple(parts_of(measured_folds(plan), one, plan) for one in rows),
        _drawn(rows, plan, first_labelled),
    )


def measured_folds(plan: Plan) -> tuple[type[Fold], ...]:
    """List what is kept of the rows for the figures that are compared."""
    chosen = [one for one in metrics() if any(figure.is_compared for figure in one.figures(plan))]
    return tuple(dict.fromkeys([ClassCounts, *(fold for metric in chosen for fold in metric.folds(plan))]))
