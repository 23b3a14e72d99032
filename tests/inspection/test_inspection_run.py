"""A table is looked at once, block by block, and a second time where its flagged rows are to be written."""

import csv

import numpy as np
import pyarrow as pa
import pytest

from softmax_cli.distributed.fleet import ThisProcess
from softmax_cli.errors import UsageError
from softmax_cli.inspection.report import flags_of, inspection
from softmax_cli.inspection.run import inspect_rows, inspector_of, write_flagged
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.columns import Selection, resolve
from softmax_cli.tables.table import Block, Decoded, Place, Table
from softmax_cli.tables.threads import NOBODY, Listeners

ROWS = 2500


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(ROWS, 3))
    z[7, 1], z[1200] = np.nan, 0.5
    z[2400, 2] = 500
    columns = {"id": [f"r{i}" for i in range(ROWS)], **{f"logit_{n}": z[:, i] for i, n in enumerate("abc")}}
    return from_arrow(pa.record_batch(columns))


def table(batch, block_rows):
    def decode(block, scores):
        first = block.first_row
        return Decoded(block.data, lambda row, column: Place(f"t: row {first + row + 1}", "?", ""))

    starts = range(0, batch.num_rows, block_rows)
    return Table(
        "t", batch.schema, iter([Block(batch.slice(s, block_rows), first_row=s, size=9) for s in starts]), decode
    )


def look(batch, block_rows, threads, done=None):
    columns = resolve(batch.schema, Selection(), batch)
    inspector, opened = inspector_of(ScoreTable(table(batch, block_rows), columns), 6.0)
    listeners = NOBODY if done is None else Listeners(lambda rows, size: done.append((rows, size)))
    return inspect_rows(ThisProcess(opened.table, threads), inspector, listeners)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("block_rows", [100, 999, 5000])
def test_blocks_and_threads_change_nothing(batch, block_rows, threads):
    done = []
    evidence = look(batch, block_rows, threads, done)
    assert sum(rows for rows, _ in done) == evidence.profile.rows == ROWS
    assert {size for _, size in done} == {9}
    again = table(batch, block_rows)
    flags = [flag for block in again.blocks for flag in flags_of(again.decode(block, ()), evidence)]
    assert [(flag.where, flag.id, flag.reason, flag.class_name) for flag in flags] == [
        ("t: row 8", "r7", "bad", ""),
        ("t: row 1201", "r1200", "flat", ""),
        ("t: row 2401", "r2400", "outlier", "c"),
    ]
    assert "holds the row" in flags[-1].detail


def test_a_table_without_rows(batch):
    assert look(batch.slice(0, 0), 100, 1).profile.rows == 0


def test_flagged_rows_as_a_file(batch, tmp_path):
    """One line for each reason; names are data, whatever they hold."""
    named = batch._replace(columns=[pa.array([f'a,"{i}' for i in range(ROWS)]), *batch.columns[1:]])
    evidence = look(named, 500, 2)
    path = tmp_path / "flagged.csv"
    assert write_flagged(ThisProcess(table(named, 500), 2), evidence, str(path), force=False) == 3
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["where", "id", "reason", "class", "value", "detail"]
    assert [line[:5] for line in lines] == [
        ["t: row 8", 'a,"7', "bad", "", ""],
        ["t: row 1201", 'a,"1200', "flat", "", ""],
        ["t: row 2401", 'a,"2400', "outlier", "c", "500"],
    ]
    with pytest.raises(UsageError, match="another run"):
        write_flagged(ThisProcess(table(named, 500), 2), evidence, str(path), force=False)


def test_a_table_that_is_open_here(batch):
    columns = resolve(batch.schema, Selection(), batch)
    inspector, opened = inspector_of(ScoreTable(table(batch, 500), columns), 6.0)
    found = inspect_rows(ThisProcess(opened.table, 2), inspector, NOBODY)
    assert inspection("t", found) == inspection("t", look(batch, 999, 1))
