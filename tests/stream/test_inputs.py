"""Whatever a user names is read as one table, from a file, a pipe, or compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tempfile
import threading
import tracemalloc
from contextlib import contextmanager, suppress

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.errors import DataError, UsageError
from softmax_cli.storage.compression import COMPRESSIONS, compression_by_magic
from softmax_cli.stream.inputs import input_files, open_table
from softmax_cli.tables.table import ReadOptions

OPTIONS = ReadOptions()


@contextmanager
def piped(data: bytes):
    """Let the standard input be a pipe that gives `data`."""
    reading, writing = os.pipe()
    kept = os.dup(0)
    os.dup2(reading, 0)
    os.close(reading)

    def feed():
        with suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:
            pipe.write(data)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)
        thread.join()


def rows_of(paths, input_format=None, scores=("a",)):
    with open_table(input_files([str(path) for path in paths], input_format), OPTIONS) as table:
        return [row for block in table.blocks for row in table.decode(block, list(scores)).batch.to_pylist()]


def parquet_of(**columns) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def stream_of(**columns) -> bytes:
    file = io.BytesIO()
    table = pa.table(columns)
    with pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def npy_of(array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("make", [parquet_of, stream_of])
@pytest.mark.parametrize("compression", [None, *COMPRESSIONS], ids=lambda c: c.name if c else "plain")
def test_a_pipe_gives_the_rows_of_the_file(tmp_path, make, compression):
    """Sniffed from its first bytes, spooled where the format seeks, unpacked; a file's name need not tell either."""
    data = make(id=["x", "y"], a=[1.0, 2.0])
    if compression is not None:
        packed = io.BytesIO()
        with compression.write(packed) as target:
            target.write(data)
        data = packed.getvalue()
        assert compression_by_magic(data) is compression
    path = tmp_path / "unnamed"
    path.write_bytes(data)
    with piped(data):
        assert rows_of(["-"]) == rows_of([path]) == [{"id": "x", "a": 1.0}, {"id": "y", "a": 2.0}]


def test_no_name_means_standard_input():
    with piped(npy_of(np.ones((1, 2)))):
        assert rows_of([], scores=["logits"]) == [{"logits": [1, 1]}]


def test_a_file_on_standard_input_is_not_copied(monkeypatch, tmp_path):
    """``< logits.parquet`` can be sought in already."""
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: pytest.fail("copied"))
    path = tmp_path / "x.parquet"
    path.write_bytes(parquet_of(a=[1.0]))
    kept = os.dup(0)
    with path.open("rb") as file:
        os.dup2(file.fileno(), 0)
    try:
        assert rows_of(["-"]) == [{"a": 1.0}]
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_a_full_disk_under_the_copy_is_told(monkeypatch):
    class FullDisk(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", FullDisk)
    with piped(parquet_of(a=[1.0])), pytest.raises(DataError, match=r"stdin: .*No space left.*TMPDIR"):
        rows_of(["-"])


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda c: c.name)
@given(data=st.binary(max_size=3000), parts=st.integers(1, 3))
@settings(max_examples=10, deadline=None)
def test_packing_does_not_depend_on_the_pieces(compression, data, parts):
    """The bytes are the same however they arrive, and unpack to what they were, also several members in a row."""
    whole, pieces = io.BytesIO(), io.BytesIO()
    with compression.write(whole) as target:
        target.write(data)
    with compression.write(pieces) as target:
        for byte in data:
            target.write(bytes([byte]))
    assert whole.getvalue() == pieces.getvalue()
    with compression.read(io.BytesIO(whole.getvalue() * parts), "x") as stream:
        assert stream.read() == data * parts


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda c: c.name)
def test_a_cut_or_damaged_stream_is_refused(compression):
    packed = io.BytesIO()
    with compression.write(packed) as target:
        target.write(np.random.default_rng(0).bytes(5000))
    whole = packed.getvalue()
    for size in range(1, len(whole), 97):
        with (
            compression.read(io.BytesIO(whole[:size]), "x.gz") as stream,
            pytest.raises(DataError, match=r"x\.gz: the .* stream is cut"),
        ):
            stream.read()
    with compression.read(io.BytesIO(whole + b"garbage"), "x.gz") as stream, pytest.raises(DataError, match="damaged"):
        stream.read()


@pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda c: c.name)
def test_a_stream_that_is_dropped_gets_no_end(compression):
    """A run that failed must not leave something that looks whole."""
    packed = io.BytesIO()
    target = compression.write(packed)
    target.write(b"half of it")
    before = packed.getvalue()
    del target
    assert packed.getvalue() == before


def test_a_foreign_gzip_bz2_and_xz_are_read():
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        packed = pack(b"hello")
        with compression_by_magic(packed).read(io.BytesIO(packed), "x") as stream:
            assert stream.read() == b"hello"
    padded = lzma.compress(b"hel") + bytes(8) + lzma.compress(b"lo") + bytes(4)
    with compression_by_magic(padded).read(io.BytesIO(padded), "x") as stream:
        assert stream.read() == b"hello"


def test_a_bomb_swells_only_as_far_as_it_is_asked():
    packed = gzip.compress(bytes(200_000_000), 1)
    buffer = bytearray(1000)
    tracemalloc.start()
    with compression_by_magic(packed).read(io.BytesIO(packed), "x") as stream:
        for _ in range(100):
            stream.readinto(buffer)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def write_parts(folder, *tables):
    for index, columns in enumerate(tables):
        (folder / f"part-{index}.parquet").write_bytes(parquet_of(**columns))


def test_many_files_are_one_table(tmp_path):
    """By pattern or by folder, in the order of names; columns in the order of the first; places name the right file."""
    write_parts(tmp_path, {"id": ["x"], "a": [1.0]}, {"a": [2.0], "id": ["y"]}, {"id": ["z"], "a": [3.0]})
    (tmp_path / "_SUCCESS").write_bytes(b"")
    (tmp_path / "_part.parquet").write_bytes(b"half of it")
    (tmp_path / ".part-3.npy").write_bytes(b"half of it")
    expected = [{"id": "x", "a": 1.0}, {"id": "y", "a": 2.0}, {"id": "z", "a": 3.0}]
    assert (
        rows_of([tmp_path]) == rows_of([tmp_path / "part*.parquet"]) == rows_of(sorted(tmp_path.glob("p*"))) == expected
    )
    with open_table(input_files([str(tmp_path)]), OPTIONS) as table:
        assert table.size == sum(path.stat().st_size for path in tmp_path.glob("part*"))
        blocks = list(table.blocks)
        assert [list(row) for row in table.decode(blocks[1], ["a"]).batch.to_pylist()] == [["id", "a"]]
        assert table.decode(blocks[2], ["a"]).place(0, "a").where == f"{tmp_path}/part-2.parquet: row 1"


def test_types_follow_the_first_file(tmp_path):
    """Columns that pass through are cast, as one output has one type; what cannot be is refused."""
    write_parts(tmp_path, {"id": ["x"], "a": [1.0]}, {"id": [7], "a": [2]})
    assert rows_of([tmp_path])[1] == {"id": "7", "a": 2}
    write_parts(tmp_path, {"id": [1], "a": [1.0]}, {"id": ["x"], "a": [2.0]})
    with pytest.raises(
        DataError, match=r"part-1\.parquet: column 'id' holds string, in .*part-0\.parquet it holds int64"
    ):
        rows_of([tmp_path])


def test_other_columns_are_refused(tmp_path):
    write_parts(tmp_path, {"id": ["x"], "a": [1.0]}, {"id": ["y"], "b": [1.0]})
    with pytest.raises(DataError, match=r"part-1\.parquet has no column 'a' and has 'b' besides"):
        rows_of([tmp_path])


def test_another_number_of_classes_is_refused(tmp_path):
    for index in (2, 3):
        (tmp_path / f"{index}.npy").write_bytes(npy_of(np.ones((1, index))))
    with pytest.raises(DataError, match=r"holds 3 values a row, in .* 2"):
        rows_of([tmp_path], scores=["logits"])


def test_later_files_are_opened_when_their_turn_comes(tmp_path):
    """A thousand parts must not need a thousand open files."""
    write_parts(tmp_path, {"a": [1.0]}, {"a": [2.0]})
    with open_table(input_files([str(tmp_path)]), OPTIONS) as table:
        (tmp_path / "part-1.parquet").unlink()
        next(table.blocks)
        with pytest.raises(DataError, match=r"part-1\.parquet: cannot be opened: No such file"):
            next(table.blocks)


def test_what_is_not_there_is_told(tmp_path):
    """With the next step."""
    (tmp_path / "logits.parquet").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    for path, message in {
        "logit.parquet": r"no such file; did you mean .*logits\.parquet\?",
        "no/logits.csv": "there is no folder",
        "*.csv": "no file matches",
        "empty": "a folder without tables",
    }.items():
        with pytest.raises(UsageError, match=message):
            rows_of([tmp_path / path])
    with pytest.raises(DataError, match=r"logits\.parquet: empty \(0 bytes\)"):
        rows_of([tmp_path / "logits.parquet"])
    with piped(b""), pytest.raises(DataError, match=r"stdin: empty"):
        rows_of(["-"])
    with pytest.raises(UsageError, match="given twice"):
        rows_of(["-", "-"])
    (tmp_path / "probs.npy").write_bytes(npy_of(np.ones((1, 2))))
    with pytest.raises(UsageError, match=r"several formats \(1 parquet, 1 npy\); choose with a pattern"):
        rows_of([tmp_path])
    with pytest.raises(UsageError, match="no format is called 'xlsx'"):
        rows_of([tmp_path / "probs.npy"], "xlsx")


def test_a_name_that_says_a_wrong_compression_is_told(tmp_path):
    (tmp_path / "x.parquet.gz").write_bytes(parquet_of(a=[1.0]))
    with pytest.raises(DataError, match="the name says gzip, the first bytes do not"):
        rows_of([tmp_path / "x.parquet.gz"])


def test_a_name_with_brackets_is_a_name_first(tmp_path):
    """``logits[1].parquet`` is a file before it is a pattern."""
    (tmp_path / "x[1].parquet").write_bytes(parquet_of(a=[1.0]))
    assert rows_of([tmp_path / "x[1].parquet"]) == [{"a": 1.0}]


def test_leaving_early_closes_every_file(tmp_path):
    """A reader that has seen enough leaves no open file (an unclosed one is a warning, and warnings are errors)."""
    write_parts(tmp_path, {"a": [1.0]}, {"a": [2.0]}, {"a": [3.0]})
    with open_table(input_files([str(tmp_path)]), OPTIONS) as table:
        next(table.blocks)
        next(table.blocks)
    assert not [name for name in os.listdir("/proc/self/fd") if "part-" in _target(name)]


def _target(descriptor: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


class TestAFileThatChangesWhileItIsRead:
    """Half a row at the end of a file that is being written may read like a whole one."""

    def write(self, path, form):
        table = pa.table({"id": [f"r{i}" for i in range(200)], "cat": np.arange(200) / 3, "dog": np.arange(200) / 7})
        if form == "csv":
            pa.csv.write_csv(table, path)
        elif form == "parquet":
            pq.write_table(table, path)
        elif form == "arrow":
            with pa.ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table)
        else:
            np.save(path, np.ones((200, 3)))

    @pytest.mark.parametrize("form", ["csv", "parquet", "arrow", "npy"])
    @pytest.mark.parametrize("change", ["grows", "shrinks", "is written anew"])
    def test_it_is_refused_at_its_end(self, tmp_path, form, change):
        path = tmp_path / f"in.{form}"
        self.write(path, form)
        before = path.stat().st_size

        def read():
            with open_table(input_files([str(path)]), OPTIONS) as table:
                first = next(table.blocks)
                assert table.decode(first, ()).batch.num_rows == 200
                if change == "grows":
                    with path.open("ab") as file:
                        file.write(b"x")
                elif change == "shrinks":
                    os.truncate(path, before - 1)
                else:
                    os.utime(path, ns=(0, 1))
                list(table.blocks)

        told = {
            "grows": f": {before:,} bytes became {before + 1:,}",
            "shrinks": f": {before:,} bytes became {before - 1:,}",
        }
        with pytest.raises(DataError, match=rf"in\.{form}: changed while it was read{told.get(change, '')}; run again"):
            read()

    def test_one_that_stays_is_read_whole(self, tmp_path):
        self.write(tmp_path / "in.csv", "csv")
        with open_table(input_files([str(tmp_path / "in.csv")]), OPTIONS) as table:
            assert sum(table.decode(block, ()).batch.num_rows for block in table.blocks) == 200
