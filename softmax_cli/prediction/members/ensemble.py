"""Several tables of the same rows pooled into one table of scores, with how far they disagree beside each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError
from softmax_cli.numeric.distributions.pooling import (
    POOLS,
    Disagreement,
    Fit,
    Weights,
    disagreement,
    fit_linear_weights,
    fit_log_weights,
)
from softmax_cli.prediction.members.joining import JoinedRows, Members
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.batch import ListColumn, NameColumn, NumberColumn
from softmax_cli.tables.columns import FIGURE, METADATA_KEY, Columns
from softmax_cli.tables.labels import ClassLookup, OwnTruth
from softmax_cli.tables.schema import FLOAT64, NAMES, Field, Schema, list_of
from softmax_cli.tables.table import Block, Decoded, Fault, Place, Table, decoded_before
from softmax_cli.tables.threads import NOBODY, ordered_map

SCORES, TRUTH = "pooled log prob", "pooled truth"
"""Columns of the pooled table that no file has; neither passes through."""
Part = TypeVar("Part")


class Pool(NamedTuple):
    """How tables are put together."""

    kind: str
    """A name in `POOLS`."""
    weights: Weights

    @property
    def step(self) -> str:
        """The operation in one line."""
        means = {
            "linear": "mean of the probabilities",
            "log": "normalised geometric mean of the probabilities",
            "logit": "softmax of the mean logits",
        }
        weights = ", ".join(f"{weight:.6g}" for weight in self.weights)
        return f"{means[self.kind]} of {len(self.weights)} tables, weights {weights}  (--pool {self.kind})"


class PooledRows(NamedTuple):
    """What comes of the same rows of every table."""

    log_p: NDArray[np.float64]
    """Log-probabilities, shape (rows, classes); nan where a table has no distribution."""
    apart: Disagreement
    labels: NDArray[np.int64]
    """Column of the true class, shape (rows,); negative where there is none."""


def pool_rows(joined: JoinedRows, pool: Pool, truth: int | None) -> PooledRows:
    """Pool a block."""
    log_p = [rows.log_p for rows in joined.members]
    with np.errstate(invalid="ignore"):
        pooled = POOLS[pool.kind](log_p, pool.weights)
        apart = disagreement(log_p, pool.weights, [rows.predictions for rows in joined.members])
    labels = np.full(len(pooled), -1) if truth is None else joined.members[truth].labels
    return PooledRows(pooled, apart, labels)


def pooled_table(
    members: Members,
    pool: Pool,
    threads: int,
    measure: Callable[[JoinedRows, PooledRows], Part],
    keep: Callable[[Part], None],
) -> ScoreTable:
    """Read all tables as one, whose scores are the pooled log-probabilities.

    Parameters
    ----------
    measure : callable
        Looks at the rows of a block, on several threads.
    keep : callable
        Takes what was found, in the order of the rows.
    """
    first = members.tables[0]
    passed = [first.table.schema.field(name) for name in first.columns.others if name not in Disagreement._fields]
    mark = {METADATA_KEY: FIGURE}
    beside = [Field(name, FLOAT64, mark) for name in Disagreement._fields]
    hidden = [Field(TRUTH, NAMES), Field(SCORES, list_of(FLOAT64, len(members.classes)))]
    names = [field.name for field in passed]

    def work(joined: JoinedRows) -> tuple[Decoded, Part, bool]:
        rows = pool_rows(joined, pool, members.truth)
        return _decoded(joined, rows, names, members.classes), measure(joined, rows), joined.pauses

    def blocks() -> Iterator[Block]:
        read: list[int] = []
        listeners = NOBODY._replace(progress=lambda rows, size: read.append(size))  # of the first table
        joined = members.rows(threads, listeners)
        for decoded, part, pauses in ordered_map(work, joined, threads, lambda rows: rows.pauses):
            keep(part)
            yield Block(decoded, size=sum(read), pauses=pauses)
            read.clear()

    columns = Columns(
        scores=(SCORES,),
        classes=members.classes,
        kind="logprob",
        id=first.columns.id,
        label=first.columns.label,
        others=(*names, *Disagreement._fields),
        is_list=True,
    )
    truth = None if members.truth is None else OwnTruth(TRUTH, ClassLookup.of(columns))
    schema = Schema([*passed, *beside, *hidden], first.table.schema.metadata)
    name = " + ".join(members.names)
    return ScoreTable(Table(name, schema, blocks(), decoded_before, first.table.size), columns, truth)


def _decoded(joined: JoinedRows, rows: PooledRows, names: list[str], classes: tuple[str, ...]) -> Decoded:
    batch = joined.decoded.batch.select(names)
    good = ~joined.bad
    for name, values in rows.apart._asdict().items():
        batch = batch.with_column(name, NumberColumn(values[:, None], valid=None if good.all() else good))
    batch = batch.with_column(TRUTH, NameColumn(np.maximum(rows.labels, -1).astype(np.int32), classes))
    batch = batch.with_column(SCORES, ListColumn(rows.log_p))
    found = {row: joined.problem_of(row) for row in np.flatnonzero(~good).tolist()}

    def place(row: int, column: str | None) -> Place:
        if row in found:
            return Place(found[row].where, "", found[row].record)
        return joined.decoded.place(row, column)

    faults = tuple(Fault(row, reject.column or None, reject.problem) for row, reject in found.items())
    return Decoded(batch, place, faults)


def fit_weights(members: Members, kind: str, threads: int) -> Fit:
    """Find the weights with the least log loss on the rows that have a truth.

    The pool of probabilities keeps 8 bytes a row and table, the other two also for each class.

    Raises
    ------
    UsageError
        Nothing tells the true classes.
    DataError
        A row is bad, or no row has a truth.
    """
    if members.truth is None:
        raise UsageError("--fit-weights finds the weights with the least log loss: name the truth with --label")
    kept: list[list[NDArray[np.float64]]] = [[] for _ in members.tables]
    labels: list[NDArray[np.int64]] = []
    for joined in members.rows(threads, NOBODY):
        use = np.flatnonzero(~joined.bad & (joined.members[members.truth].labels >= 0))
        labels.append(joined.members[members.truth].labels[use])
        for held, rows in zip(kept, joined.members, strict=True):
            of_truth = rows.log_p[use, labels[-1]][:, None] if kind == "linear" else rows.log_p[use]
            held.append(of_truth)
    if not any(map(len, labels)):
        raise DataError(f"{members.names[members.truth]}: no row has a truth, and --fit-weights needs some")
    whole = [np.concatenate(held) for held in kept]
    if kind == "linear":
        return fit_linear_weights(np.concatenate(whole, axis=1))
    return fit_log_weights(whole, np.concatenate(labels))
