"""Several tables of scores of the same rows, read side by side: joined by id in any order, else by position."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, listed
from softmax_cli.prediction.bad_rows import Reject
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.prediction.transform import Transform, build_transform
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.labels import ClassLookup, OwnTruth, distinct
from softmax_cli.tables.table import Block, Decoded
from softmax_cli.tables.threads import NOBODY, Listeners, map_blocks

MOST_KEPT = 1 << 31
"""Bytes of probabilities that may wait for the ids of the first table to come up."""


class MismatchError(DataError):
    """The tables do not hold the same rows."""


class MemberRows(NamedTuple):
    """Some rows of one table."""

    log_p: NDArray[np.float64]
    """Log-probabilities, shape (rows, classes), in the common order of the classes; nan where the row is bad."""
    predictions: NDArray[np.int32]
    """Column of the largest logit, shape (rows,)."""
    labels: NDArray[np.int64]
    """Column of the true class, shape (rows,); negative where there is none."""
    ids: NDArray[np.object_]
    """Text of the ids, shape (rows,); None where rows have none."""
    problems: NDArray[np.object_]
    """A `Reject` for each bad row, shape (rows,); None for the others."""

    def take(self, rows: NDArray[np.intp] | slice) -> MemberRows:
        """Some of the rows."""
        return MemberRows._make(values[rows] for values in self)


def _joined(parts: Sequence[MemberRows]) -> MemberRows:
    return parts[0] if len(parts) == 1 else MemberRows._make(map(np.concatenate, zip(*parts, strict=True)))


class Check(NamedTuple):
    """What speaks against a table having been read as it was meant; that of other rows adds up, with `plus`."""

    kinds: KindCheck = KindCheck()
    truths: int = 0
    """Rows that have a truth here and in the table that tells the truths."""
    differing: int = 0
    """Of these, the rows whose truths are not the same."""

    def plus(self, other: Check) -> Check:
        """Add other rows."""
        return Check(self.kinds.plus(other.kinds), self.truths + other.truths, self.differing + other.differing)


class JoinedRows(NamedTuple):
    """The same rows of every table."""

    decoded: Decoded
    """Of the first table."""
    members: tuple[MemberRows, ...]
    pauses: bool = False
    """Whether the first table may be long in telling its next rows."""

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Rows that a table has no distribution for, shape (rows,)."""
        found: NDArray[np.bool_] = np.any([rows.problems != None for rows in self.members], axis=0)  # noqa: E711
        return found

    def problem_of(self, row: int) -> Reject:
        """What is wrong with a bad row, in the first table that has no distribution for it."""
        found: Reject = next(rows.problems[row] for rows in self.members if rows.problems[row] is not None)
        return found


class Members(NamedTuple):
    """Open tables of the same rows."""

    tables: tuple[ScoreTable, ...]
    transforms: tuple[Transform, ...]
    classes: tuple[str, ...]
    """In the order of the first table whose classes have names."""
    by_id: bool
    truth: int | None
    """Which table tells the true classes, the first that does; None: none."""
    notes: tuple[str, ...]
    checks: list[Check]
    """Of each table, as far as it has been read."""

    @property
    def names(self) -> list[str]:
        """What the tables are called, without the folders of files where that is clear; the same file by its place."""
        names = [one.table.name for one in self.tables]
        if len({*names}) < len(names):
            return [f"{name} ({place})" if names.count(name) > 1 else name for place, name in enumerate(names, 1)]
        short = [name if {*"*?["} & {*name} else os.path.basename(name) or name for name in names]
        return short if len({*short}) == len(names) else names

    def rows(self, threads: int, listeners: Listeners) -> Iterator[JoinedRows]:
        """Read all tables once, block by block of the first.

        Raises
        ------
        DataError
            A row is bad where bad rows are errors; or the tables do not have the same rows.
        """
        first, *others = (
            self._read(place, threads, listeners if place == 0 else listeners._replace(progress=NOBODY.progress))
            for place in range(len(self.tables))
        )
        waiting = [
            (_ById if self.by_id else _InOrder)(name, self.names[0], (rows for _, rows, _ in read))
            for name, read in zip(self.names[1:], others, strict=True)
        ]
        for decoded, rows, pauses in first:
            if not decoded.batch.num_rows:
                continue
            joined = JoinedRows(decoded, (rows, *(one.take(rows.ids) for one in waiting)), pauses)
            if self.truth is not None:
                self._compare_truths(joined.members, self.truth)
            yield joined
        for one in waiting:
            one.check_end()

    def warnings(self, checks: Sequence[Check]) -> Iterator[str]:
        """Say what speaks against a table having been read as it was meant."""
        for place, (name, check) in enumerate(zip(self.names, checks, strict=True)):
            if (warning := check.kinds.warning(self.tables[place].columns)) is not None:
                each = ["prob" if other == place else one.columns.kind for other, one in enumerate(self.tables)]
                yield f"{name}: {warning}; or say it of each table: --input {','.join(each)}"
            if check.differing and self.truth is not None:
                yield (
                    f"the truths of {self.names[self.truth]} and {name} differ in {check.differing:,} of "
                    f"{check.truths:,} rows: are these the same rows{'' if self.by_id else ', in the same order'}?"
                )

    def _compare_truths(self, members: tuple[MemberRows, ...], truth: int) -> None:
        for place, rows in enumerate(members):
            both = (rows.labels >= 0) & (members[truth].labels >= 0)
            differing = both & (rows.labels != members[truth].labels)
            check = Check(truths=int(both.sum()), differing=int(differing.sum()))
            self.checks[place] = self.checks[place].plus(check)

    def _read(self, place: int, threads: int, listeners: Listeners) -> Iterator[tuple[Decoded, MemberRows, bool]]:
        """Score one table; its classes are put in the common order. Says of each block whether its input pauses."""
        scores, transform = self.tables[place], self.transforms[place]
        own = transform.columns.classes
        order = np.array([own.index(name) for name in self.classes])
        back = np.argsort(order)

        def work(decoded: Decoded) -> tuple[tuple[Decoded, MemberRows, KindCheck], tuple[Reject, ...]]:
            scored, rejected, kinds = transform.score(decoded)
            rows = len(scored.bad)
            ids, problems = np.full(rows, None, np.object_), np.full(rows, None, np.object_)
            for row, reject in zip(np.flatnonzero(scored.bad).tolist(), rejected, strict=True):
                problems[row] = reject
            if self.by_id and scores.columns.id is not None:
                codes, texts = distinct(decoded.batch.column(scores.columns.id))
                ids = np.array([*(text.strip() for text in texts), None], np.object_)[codes]
            labels = np.full(rows, -1) if scored.labels is None else scored.labels
            if scored.labels is None and self.truth is not None and scores.truth is not None:
                labels = scores.truth.labels(decoded.batch).indices
            log_p = np.asarray(scored.values["logprob"], np.float64)[:, order]
            labels = np.where(labels < 0, labels, back[np.maximum(labels, 0)])
            found = MemberRows(log_p, back[scored.prediction].astype(np.int32), labels, ids, problems)
            return (decoded, found, kinds), rejected

        pauses: deque[bool] = deque()
        table = scores.table._replace(blocks=_noted(scores.table.blocks, pauses))
        for decoded, found, kinds in map_blocks(table, transform.columns.scores, work, threads, listeners):
            self.checks[place] = self.checks[place].plus(Check(kinds))
            yield decoded, found, pauses.popleft()


def _noted(blocks: Iterator[Block], pauses: deque[bool]) -> Iterator[Block]:
    for block in blocks:
        pauses.append(block.pauses)
        yield block


_BY_POSITION = "without ids in all tables, rows are joined by their position, and there have to be as many"


class _InOrder:
    """Gives the rows of a table in their order, in pieces of any size."""

    def __init__(self, name: str, first: str, chunks: Iterator[MemberRows]) -> None:
        self._name, self._first, self._chunks = name, first, chunks

    def take(self, ids: NDArray[np.object_]) -> MemberRows:
        """Give as many rows as there are ids."""
        parts: list[MemberRows] = []
        missing = len(ids)
        while missing:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise MismatchError(f"{self._name} has fewer rows than {self._first}; {_BY_POSITION}")
            parts.append(chunk.take(slice(0, missing)))
            if len(chunk.ids) > missing:
                self._chunks = chain([chunk.take(slice(missing, None))], self._chunks)
            missing -= len(parts[-1].ids)
        return _joined(parts)

    def check_end(self) -> None:
        """Refuse rows that are left over."""
        if any(len(chunk.ids) for chunk in self._chunks):
            raise MismatchError(f"{self._name} has more rows than {self._first}; {_BY_POSITION}")


class _ById:
    """Gives the rows of a table in the order in which another asks for their ids; what is early waits in memory."""

    def __init__(self, name: str, first: str, chunks: Iterator[MemberRows]) -> None:
        self._name, self._first, self._chunks = name, first, chunks
        self._kept: dict[int, MemberRows] = {}
        self._places: dict[str, tuple[int, int]] = {}
        self._left: dict[int, int] = {}
        self._read = self._size = 0

    def take(self, ids: NDArray[np.object_]) -> MemberRows:
        """Give the rows with these ids."""
        found = np.array([self._find(one) for one in ids], np.intp).reshape(-1, 2)
        order = np.argsort(found[:, 0], kind="stable")
        numbers, starts = np.unique(found[order, 0], return_index=True)
        parts = []
        for number, rows in zip(numbers.tolist(), np.split(found[order, 1], starts[1:]), strict=True):
            parts.append(self._kept[number].take(rows))
            self._left[number] -= len(rows)
            if not self._left[number]:
                self._size -= self._kept.pop(number).log_p.nbytes
        return _joined(parts).take(np.argsort(order))

    def _find(self, wanted: str | None) -> tuple[int, int]:
        if wanted is None:
            raise MismatchError(f"{self._first}: a row without an id cannot be found in {self._name}")
        while wanted not in self._places:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise MismatchError(
                    f"{self._name} has no row with the id {wanted!r} of {self._first}, or has given it already: each "
                    "id has to be there once in every table"
                )
            self._keep(chunk)
        return self._places.pop(wanted)

    def _keep(self, chunk: MemberRows) -> None:
        self._read += 1
        for row, one in enumerate(chunk.ids):
            if one in self._places:
                raise MismatchError(f"{self._name}: the id {one!r} is there twice; rows are joined by their ids")
            self._places[one] = (self._read, row)
        self._kept[self._read], self._left[self._read] = chunk, len(chunk.ids)
        self._size += chunk.log_p.nbytes
        if self._size > MOST_KEPT:
            raise DataError(
                f"{self._name}: its ids stand in another order than those of {self._first}, and more than "
                f"{MOST_KEPT / 1e9:.0f} GB would have to be kept: sort both tables by id"
            )

    def check_end(self) -> None:
        """Refuse rows that nobody has asked for."""
        left = [*self._places, *(one for chunk in self._chunks for one in chunk.ids)]
        if left:
            raise MismatchError(
                f"{self._name} has {len(left):,} rows that {self._first} has not, such as the id {left[0]!r}: take out "
                "what is not in both"
            )


@contextmanager
def open_members(
    openings: Sequence[AbstractContextManager[ScoreTable]], scoring: Scoring, skips_bad_rows: bool, wants_truth: bool
) -> Iterator[Members]:
    """Open tables that hold the scores of the same rows, and match their classes by name.

    Parameters
    ----------
    openings : sequence
        Each opens one table.
    scoring : Scoring
        What is done to the logits of each; it emits log-probabilities.
    wants_truth : bool
        Whether to look for true classes.

    Raises
    ------
    DataError
        The tables have other classes, or other columns named like scores.
    """
    with ExitStack() as closing:
        tables = tuple(closing.enter_context(opening) for opening in openings)
        all_classes = [one.columns.classes for one in tables]
        classes = next((names for names in all_classes if not _are_places(names)), all_classes[0])
        notes = tuple(filter(None, (_match(one, classes, tables[0]) for one in tables)))
        tables = tuple(_named(one, classes) for one in tables)
        truth = next((place for place, one in enumerate(tables) if one.truth is not None), None)
        transforms = [
            build_transform(one.columns, scoring, Layout("list"), "float64", "null" if skips_bad_rows else "error")
            for one in tables
        ]
        if wants_truth and truth is not None:
            transforms[truth] = replace(transforms[truth], truth=tables[truth].truth)
        by_id = all(one.columns.id is not None for one in tables)
        yield Members(
            tables, tuple(transforms), classes, by_id, truth if wants_truth else None, notes, [Check()] * len(tables)
        )


def _named(table: ScoreTable, classes: tuple[str, ...]) -> ScoreTable:
    """Give the classes of a table their names where they are numbers, so that its truths may be names too."""
    if {*table.columns.classes} == {*classes}:
        return table
    columns = table.columns._replace(classes=classes)
    truth = table.truth
    if isinstance(truth, OwnTruth):
        truth = OwnTruth(truth.column, ClassLookup.of(columns, truth.lookup.counted_from))
    return table._replace(columns=columns, truth=truth)


def _are_places(classes: tuple[str, ...]) -> bool:
    """Whether classes have no names: the columns of an array are numbered."""
    return classes == tuple(map(str, range(len(classes))))


def _match(table: ScoreTable, classes: tuple[str, ...], first: ScoreTable) -> str | None:
    """Say so where the classes of a table are numbers that count those of another.

    Raises
    ------
    DataError
        The classes are not the same.
    """
    own, name = table.columns.classes, table.table.name
    if {*own} == {*classes}:
        return None
    if len(own) == len(classes) and _are_places(own):
        return f"{name}: its classes are numbers, and are taken in the order {listed(classes, 4)}"
    lacks = [one for one in classes if one not in own]
    more = [one for one in own if one not in classes]
    raise DataError(
        f"{name} has other classes than {first.table.name}: it lacks {listed(lacks, 5)} and has {listed(more, 5)} "
        "besides; name them alike, or give all tables the same names with --classes"
    )
