"""A table cut anew so that the rows of a group stay in one block: the candidates of a query, the rows of an example."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.labels import distinct
from softmax_cli.tables.table import Block, Decoded, Fault, Place, Table, decoded_before
from softmax_cli.tables.threads import decoded_blocks

MOST_KEPT = 1 << 31
"""Bytes of input that are kept at most, where rows of a group may stand anywhere."""


class Groups(NamedTuple):
    """The rows of a block by their groups."""

    order: NDArray[np.intp]
    """Rows group by group, in the order in which groups first occur and rows stand, shape (rows,)."""
    starts: NDArray[np.intp]
    """Where each group begins among them, shape (groups,)."""

    @classmethod
    def of(cls, batch: Batch, column: str) -> Groups:
        """Find the groups of a block."""
        codes, _ = distinct(batch.column(column))
        _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        turn = np.argsort(np.argsort(first))[inverse]
        order = np.argsort(turn, kind="stable")
        ordered = turn[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        return cls(order, starts)

    @property
    def firsts(self) -> NDArray[np.intp]:
        """The first row of each group, shape (groups,)."""
        return self.order[self.starts]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Rows of each group, shape (groups,)."""
        return np.diff(self.starts, append=len(self.order))


def regrouped(table: Table, column: str, scores: Sequence[str], is_sorted: bool, threads: int) -> Table:
    """Cut a table into blocks of whole groups.

    Parameters
    ----------
    column : str
        Rows with the same value in it make up a group.
    scores : sequence of str
        Columns to be read as numbers.
    is_sorted : bool
        The rows of a group stand together, so that the table streams; else all of it is kept.

    Raises
    ------
    DataError
        While it is read: a group comes up again in a table that is sorted, or too much would have to be kept.
    """

    def blocks() -> Iterator[Block]:
        decoding = decoded_blocks(table, scores, threads)
        if is_sorted:
            yield from _whole_groups(decoding, column, table.name)
            return
        parts, kept = [], 0
        for read in decoding:
            parts.append(read.data)
            kept += read.size
            if kept > MOST_KEPT:
                raise DataError(
                    f"{table.name}: more than {MOST_KEPT / 1e9:.0f} GB, and rows of one {column!r} may stand anywhere "
                    "in it: where they stand together, add --sorted, which streams"
                )
        if parts:
            yield Block(joined_rows(parts), size=kept)

    return table._replace(blocks=blocks(), decode=decoded_before)


def _whole_groups(decoding: Iterator[Block], column: str, name: str) -> Iterator[Block]:
    seen: set[str] = set()
    carried: list[Decoded] = []
    for read in decoding:
        if not read.data.batch.num_rows:
            continue
        block = joined_rows([*carried, read.data])
        codes, texts = distinct(block.batch.column(column))
        begins = int(np.flatnonzero(codes != codes[-1]).max(initial=-1)) + 1  # the last group may go on
        _check_sorted(codes[:begins], texts, seen, column, name)
        if begins:
            yield read._replace(data=_some(block, 0, begins))
        carried = [_some(block, begins, block.batch.num_rows)]
    for block in carried:
        codes, texts = distinct(block.batch.column(column))
        _check_sorted(codes, texts, seen, column, name)
        yield Block(block)


def _check_sorted(codes: NDArray[np.intp], texts: list[str], seen: set[str], column: str, name: str) -> None:
    runs = codes[np.flatnonzero(np.diff(codes, prepend=-2))].tolist()
    for code in runs:
        text = texts[code] if code >= 0 else ""
        if text in seen:
            raise DataError(
                f"{name}: {column!r} {text!r} comes up again after other rows, and --sorted says that its rows stand "
                "together: sort the table, or leave --sorted out"
            )
        seen.add(text)


def _some(decoded: Decoded, start: int, stop: int) -> Decoded:
    return Decoded(
        decoded.batch.slice(start, stop - start),
        lambda row, column: decoded.place(row + start, column),
        tuple(fault._replace(row=fault.row - start) for fault in decoded.faults if start <= fault.row < stop),
    )


def joined_rows(parts: Sequence[Decoded]) -> Decoded:
    """Put blocks one after the other."""
    if len(parts) == 1:
        return parts[0]
    import pyarrow as pa

    from softmax_cli.tables.arrays import from_arrow, to_arrow

    table = pa.Table.from_batches([to_arrow(part.batch) for part in parts]).unify_dictionaries().combine_chunks()
    batches = table.to_batches()
    batch = from_arrow(batches[0]) if batches else parts[0].batch
    starts = np.cumsum([0, *(part.batch.num_rows for part in parts)])

    def place(row: int, column: str | None) -> Place:
        part = int(np.searchsorted(starts, row, side="right")) - 1
        return parts[part].place(row - int(starts[part]), column)

    faults = [
        Fault(fault.row + int(start), fault.column, fault.problem)
        for part, start in zip(parts, starts, strict=False)
        for fault in part.faults
    ]
    return Decoded(batch, place, tuple(faults))
