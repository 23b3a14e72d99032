"""Arrow IPC: what is cut or damaged is refused, a pipe gets a stream."""

from __future__ import annotations

import io
import subprocess

import numpy as np
import pyarrow as pa
import pytest

from softmax_cli.errors import DataError
from softmax_cli.formats import arrow, arrows
from softmax_cli.formats._binary import rows_per_block
from softmax_cli.formats._ipc import JOINED_ROWS, joined
from softmax_cli.tables.table import ReadOptions, WriteOptions

SCHEMA = pa.schema([("id", pa.string()), ("a", pa.float64())])
BATCH = pa.RecordBatch.from_arrays([pa.array(["x", None, "z"]), pa.array([1.0, 2.0, 3.0])], schema=SCHEMA)


def stream_of(batches: int) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        for _ in range(batches):
            writer.write_batch(BATCH)
    return sink.getvalue()


def count_rows(form, data: bytes) -> int:
    table = form.read(io.BytesIO(data), "x.arrow", ReadOptions())
    return sum(table.decode(block, ["a"]).batch.num_rows for block in table.blocks)


@pytest.mark.parametrize("form", [arrow, arrows])
def test_a_stream_cut_anywhere_is_refused(form):
    """Also between two batches and right before the end mark, where pyarrow itself sees a whole stream."""
    whole = stream_of(3)
    assert count_rows(form, whole) == 9
    for size in range(1, len(whole)):
        with pytest.raises(DataError, match=r"x\.arrow"):
            count_rows(form, whole[:size])


def test_streams_joined_by_cat_are_refused():
    """Their later rows would be lost."""
    with pytest.raises(DataError, match="more follows after its end mark"):
        count_rows(arrows, stream_of(1) + stream_of(1))


def test_a_cut_file_is_refused():
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, SCHEMA) as writer:
        writer.write_batch(BATCH)
    whole = sink.getvalue()
    assert count_rows(arrow, whole) == 3
    for size in range(6, len(whole), 7):
        with pytest.raises(DataError, match="not whole Arrow data"):
            count_rows(arrow, whole[:size])


@pytest.mark.parametrize(("offsets", "text"), [([0, 100, 1], b"x"), ([0, 1, 2], b"\xff\xfe")])
def test_text_that_is_none_is_refused(offsets, text):
    """Offsets and encoding are checked before anything follows them."""
    bad = pa.StringArray.from_buffers(2, pa.py_buffer(np.array(offsets, np.int32)), pa.py_buffer(text))
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema([("id", pa.string())])) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([bad], names=["id"]))
    with pytest.raises(DataError, match="not whole Arrow data"):
        list(arrows.read(io.BytesIO(sink.getvalue()), "x", ReadOptions()).blocks)


def test_a_message_that_claims_petabytes_takes_no_memory():
    claim = b"\xff\xff\xff\xff" + (2**31 - 1).to_bytes(4, "little")
    with pytest.raises(DataError, match="not whole Arrow data"):
        count_rows(arrows, claim + b"x" * 100)


def test_a_pipe_gets_a_stream_and_a_file_a_footer():
    """Under the one name `arrow`, which reads both."""

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    for file, begins in ((Pipe(), b"\xff\xff\xff\xff"), (io.BytesIO(), b"ARROW1")):
        writer = arrow.write(file, SCHEMA, WriteOptions())
        writer.write(writer.encode(BATCH))
        writer.close()
        assert file.getvalue().startswith(begins)
        assert count_rows(arrow, file.getvalue()) == 3


@pytest.mark.parametrize("form", [arrow, arrows])
def test_a_dictionary_may_change_between_batches(form):
    """An IPC file cannot hold that, so text is spelled out."""
    file = io.BytesIO()
    batches = [
        pa.RecordBatch.from_arrays([pa.array([text]).dictionary_encode()], names=["kind"]) for text in ("a", "b")
    ]
    writer = form.write(file, batches[0].schema, WriteOptions())
    for batch in batches:
        writer.write(writer.encode(batch))
    writer.close()
    file.seek(0)
    table = form.read(file, "x", ReadOptions())
    assert [row["kind"] for block in table.blocks for row in block.data.to_pylist()] == ["a", "b"]


def test_a_large_batch_is_cut_to_blocks():
    """Blocks stay small although another program wrote one batch of everything; places still count rows of the file."""
    table = arrows.read(io.BytesIO(stream_of(3)), "x.arrows", ReadOptions(batch_rows=2))
    blocks = list(table.blocks)
    assert [(block.first_row, block.data.num_rows) for block in blocks] == [(0, 2), (2, 2), (4, 2), (6, 2), (8, 1)]
    assert table.decode(blocks[2], ["a"]).place(1, "id").where == "x.arrows: row 6"


def test_small_batches_are_joined_unless_the_next_is_late():
    late = iter([False, False, True, False, False])
    found = list(joined([BATCH] * 5, lambda: next(late)))
    assert [(one.batch.num_rows, one.pauses) for one in found] == [(9, True), (6, False)]
    assert found[0].batch.to_pylist() == BATCH.to_pylist() * 3
    many = list(joined([BATCH] * JOINED_ROWS, lambda: False))
    assert [one.batch.num_rows for one in many] == [JOINED_ROWS + 2, JOINED_ROWS + 2, JOINED_ROWS - 4]


def test_what_came_before_a_damaged_batch_is_given_out():
    def batches():
        yield BATCH
        yield BATCH
        raise pa.ArrowInvalid("damaged")

    found = joined(batches(), lambda: False)
    assert next(found).batch.num_rows == 6
    with pytest.raises(pa.ArrowInvalid):
        next(found)


def test_batches_in_a_pipe_are_answered_while_it_stays_open(program, program_env):
    """The rows of a batch are written although the next one is not there yet."""
    schema = pa.schema([("logit_a", pa.float64()), ("logit_b", pa.float64())])
    with subprocess.Popen(
        [program, "predict", "-", "--input-format", "arrows", "--format", "csv", "-q"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=program_env,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        writer = pa.ipc.new_stream(process.stdin, schema)
        for score in (0.0, 800.0):
            writer.write_batch(pa.RecordBatch.from_arrays([pa.array([score]), pa.array([0.0])], schema=schema))
            process.stdin.flush()
            if score == 0:
                assert process.stdout.readline().startswith(b"prediction,")
            confidence = b"0.500000000000" if score == 0 else b"1.000000000000"
            assert process.stdout.readline().split(b",")[1] == confidence
        writer.close()


@pytest.mark.parametrize(("columns", "megabytes"), [(10, 8), (1000, 15.6), (50_000, 25.6)])
def test_blocks_hold_more_bytes_where_there_are_many_columns(columns, megabytes):
    """Of 8 bytes a value; and 64 rows of very wide ones."""
    schema = pa.schema([(f"c{i}", pa.float64()) for i in range(columns)])
    rows = rows_per_block(schema, ReadOptions())
    assert rows * columns * 8 == pytest.approx(megabytes * (1e6 if columns > 10_000 else 1 << 20), rel=0.03)
    small = rows_per_block(schema, ReadOptions(small_blocks=True))
    assert small * columns * 8 <= (3 << 20) if columns < 50_000 else small == rows
