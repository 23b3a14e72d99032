"""The whole stream on one page: blocks -> workers (decode, transform, encode) -> ordered writer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from softmax_cli.formats import Writer
from softmax_cli.prediction.logits import KindCheck
from softmax_cli.prediction.transform import Outcome, Tally, Transform
from softmax_cli.tables.pool import Listeners, ordered_map
from softmax_cli.tables.table import Block, Table


class Finished(NamedTuple):
    """What a run comes to."""

    tally: Tally
    kinds: KindCheck
    """Whether rows look like another kind of scores than they were read as."""
    written: int
    """Rows of output."""


def score_table(
    table: Table, transform: Transform, writer: Writer, threads: int, listeners: Listeners, limit: int | None = None
) -> Finished:
    """Score every row of a table and write the result in order.

    Parameters
    ----------
    limit : int or None
        Stop after so many rows of output; None: the whole table.

    Raises
    ------
    DataError
        A row or a file is bad; what was written before is the caller's to drop.
    """

    def work(block: Block) -> tuple[Block, Outcome, Any]:
        outcome = transform.run(table.decode(block, transform.columns.scores))
        return block, outcome, writer.encode(outcome.batch)

    tally = Tally(0, 0, transform.on_bad_row, np.zeros(len(transform.columns.classes), np.int64), 0)
    kinds, written = KindCheck(), 0
    for block, outcome, encoded in ordered_map(work, table.blocks, threads, lambda block: block.pauses):
        tally = tally.plus(outcome.tally)
        kinds = kinds.plus(outcome.kinds)
        if outcome.rejects:
            listeners.rejected(outcome.rejects)
        rows = outcome.batch.num_rows
        if limit is not None and written + rows >= limit:
            rows = limit - written
            encoded = writer.encode(outcome.batch.slice(0, rows))
        writer.write(encoded)
        written += rows
        listeners.progress(outcome.tally.rows, block.size)
        if written == limit:
            break
    return Finished(tally, kinds, written)
