"""Parquet: damage is found, memory is bounded, types stay."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from softmax_cli.errors import DataError
from softmax_cli.formats import parquet
from softmax_cli.formats.parquet import reader
from softmax_cli.formats.parquet import writer as writing
from softmax_cli.formats.parquet.pages import CheckedPages, page_header
from softmax_cli.tables.arrays import from_arrow, from_arrow_schema, to_arrow, to_arrow_schema
from softmax_cli.tables.table import ReadOptions, WriteOptions


def written(table: pa.Table) -> bytes:
    file = io.BytesIO()
    writer = parquet.write(file, from_arrow_schema(table.schema), WriteOptions())
    for batch in table.to_batches():
        writer.write(writer.encode(from_arrow(batch)))
    writer.close()
    return file.getvalue()


@pytest.fixture(params=["by Python", "by pyarrow"])
def opened(request, tmp_path):
    """Give the file that holds some bytes: pyarrow opens one of this machine by itself."""
    with contextlib.ExitStack() as closing:

        def open_(data: bytes):
            if request.param == "by Python":
                return io.BytesIO(data)
            (tmp_path / "x.parquet").write_bytes(data)
            return closing.enter_context(open(tmp_path / "x.parquet", "rb", buffering=0))

        yield open_


@pytest.fixture
def rows_of(opened):
    def rows_of(data: bytes, options: ReadOptions | None = None) -> pa.Table:
        table = parquet.read(opened(data), "x.parquet", options or ReadOptions())
        batches = [to_arrow(table.decode(block, []).batch) for block in table.blocks]
        return pa.Table.from_batches(batches, to_arrow_schema(table.schema))

    return rows_of


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table({"id": [f"row {i}" for i in range(2000)], "a": rng.normal(size=2000), "b": rng.normal(size=2000)})


def test_no_flipped_bit_changes_a_number(table, rows_of):
    """A bit flipped anywhere is an error or changes nothing; without page checksums most flips would pass silently."""
    whole = written(table)
    expected = rows_of(whole)
    caught = 0
    for position in np.random.default_rng(1).integers(0, len(whole), 200).tolist():
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        try:
            assert rows_of(bytes(damaged)).equals(expected)
        except DataError:
            caught += 1
    assert caught > 150


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_a_cut_file_is_refused(table, keep, rows_of):
    whole = written(table)
    with pytest.raises(DataError, match=r"x\.parquet.*not a whole Parquet file"):
        rows_of(whole[: int(len(whole) * keep)])


def test_what_is_no_parquet_is_refused(rows_of):
    with pytest.raises(DataError, match="not a whole Parquet file"):
        rows_of(b"id,cat,dog\n1,2,3\n" * 10)


def test_blocks_know_their_rows(table):
    """Places count rows of the file from 1, whatever the size of the blocks."""
    read = parquet.read(io.BytesIO(written(table)), "x.parquet", ReadOptions(batch_rows=300))
    blocks = list(read.blocks)
    assert [block.first_row for block in blocks] == list(range(0, 2000, 300))
    assert sum(block.size for block in blocks) == pytest.approx(read.size, abs=len(blocks))
    place = read.decode(blocks[1], ["a"]).place(4, "id")
    assert (place.where, place.found) == ("x.parquet: row 305", "row 304")
    assert place.record.startswith('{"id": "row 304", "a": ')


@pytest.mark.parametrize(
    ("value", "shown", "recorded"), [(None, "null", "null"), (np.nan, "nan", '"nan"'), (-np.inf, "-inf", '"-inf"')]
)
def test_a_cell_is_shown_as_it_stands(value, shown, recorded):
    """The record stays JSON, which has neither nan nor infinities."""
    read = parquet.read(io.BytesIO(written(pa.table({"a": pa.array([value], pa.float64())}))), "x", ReadOptions())
    place = read.decode(next(read.blocks), ["a"]).place(0, "a")
    assert (place.found, place.record) == (shown, f'{{"a": {recorded}}}')


def test_types_and_metadata_pass_through(rows_of):
    """Nested, dictionary, large_string and float16 columns are given back as they were."""
    columns = {
        "half": pa.array(np.array([1.5, -2], np.float16)),
        "large": pa.array(["a", None], pa.large_string()),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
        "nested": pa.array([{"x": [1]}, None], pa.struct([("x", pa.list_(pa.int64()))])),
        "scores": pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2)),
    }
    table = pa.table(columns).replace_schema_metadata({"softmax_cli": "{}"})
    back = rows_of(written(table))
    assert back.schema.equals(table.schema, check_metadata=False)
    assert back.to_pylist() == table.to_pylist()
    assert back.schema.metadata[b"softmax_cli"] == b"{}"


def test_two_columns_of_one_name_are_refused(rows_of):
    table = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["cat", "cat"])
    file = io.BytesIO()
    pq.write_table(table, file)
    with pytest.raises(DataError, match="two columns have the same name: 'cat'"):
        rows_of(file.getvalue())


def test_a_column_that_was_asked_for_must_be_there(table):
    read = parquet.read(io.BytesIO(written(table)), "x", ReadOptions())
    with pytest.raises(DataError, match="no column 'cat'; there are: id, a, b"):
        read.decode(next(read.blocks), ["cat"])


HOW = {
    "whole": {},
    "in batches": {"WHOLE_BYTES": 0, "PAGES_BYTES": 0},
    "some rows at a time": {"WHOLE_BYTES": 0, "KEPT_BYTES": 1},
}


@pytest.fixture(params=HOW)
def way_of_reading(request, monkeypatch):
    for name, value in HOW[request.param].items():
        monkeypatch.setattr(reader, name, value)


@pytest.mark.usefixtures("way_of_reading")
@pytest.mark.parametrize("beside", ["last", "nested.x"])
def test_row_groups_are_read_in_three_ways(opened, beside):
    """To the same rows; a column may be called what a value of a structure is to pyarrow."""
    columns = {beside: np.arange(90.0)} | {f"c{i}": np.arange(90.0) + i for i in range(40)}
    nested = pa.array([{"x": [i]} for i in range(90)], pa.struct([("x", pa.list_(pa.int64()))]))
    table = pa.table(columns | {"kind": pa.array(["a", "b", None] * 30).dictionary_encode(), "nested": nested})
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=40)
    read = parquet.read(opened(file.getvalue()), "x", ReadOptions(batch_rows=30))
    blocks = list(read.blocks)
    rows = [block.data.num_rows for block in blocks]
    assert [block.first_row for block in blocks] == [sum(rows[:i]) for i in range(len(rows))]
    assert max(rows) == 30
    assert pa.Table.from_batches([block.data for block in blocks]).to_pylist() == table.to_pylist()


@pytest.mark.usefixtures("way_of_reading")
def test_text_that_is_no_utf8_is_refused(rows_of):
    file = io.BytesIO()
    pq.write_table(pa.table({"id": ["whole"] * 9}), file, compression="none")
    with pytest.raises(DataError, match=r"after row 0: not a whole Parquet file.*UTF"):
        rows_of(file.getvalue().replace(b"whole", b"\xff\xffole"))


def test_pages_end_by_their_bytes(table):
    """Of 30,000 rows, which is more than pyarrow puts into a page unless it is told."""
    metadata = pq.read_metadata(
        io.BytesIO(data := written(pa.table({"a": np.random.default_rng(2).normal(size=30_000)})))
    )
    column = metadata.row_group(0).column(0)
    header, _ = page_header(data, column.data_page_offset)
    assert header[5][1] == column.num_values


def test_row_groups_end_before_memory_does(monkeypatch, table):
    """A row group is written as soon as its bytes are enough; computed numbers get no dictionary."""
    monkeypatch.setattr(writing, "GROUP_BYTES", 10_000)
    file = io.BytesIO()
    writer = parquet.write(file, from_arrow_schema(table.schema), WriteOptions())
    for batch in table.to_batches(max_chunksize=100):
        writer.write(writer.encode(from_arrow(batch)))
    writer.close()
    metadata = pq.read_metadata(file)
    assert metadata.num_rows == 2000
    assert 5 <= metadata.num_row_groups <= 10
    assert "RLE_DICTIONARY" not in metadata.row_group(0).column(1).encodings
    assert "RLE_DICTIONARY" in metadata.row_group(0).column(0).encodings


class TestRowGroupsAreWrittenBehind:
    """On a thread of its own, which is waited for before the file is closed, and whose errors come up."""

    @pytest.fixture
    def begun(self, monkeypatch, table):
        monkeypatch.setattr(writing, "GROUP_BYTES", 10_000)
        file = SlowFile()
        return file, parquet.write(file, from_arrow_schema(table.schema), WriteOptions())

    def write(self, writer, table, then):
        with writer:
            writer.write(writer.encode(from_arrow(table.to_batches()[0])))
            then()

    def test_the_file_is_left_alone_once_the_writer_is(self, begun, table):
        file, writer = begun
        with pytest.raises(KeyError):
            self.write(writer, table, then={}.popitem)
        size = file.tell()
        assert size > 10_000
        time.sleep(0.1)
        assert file.tell() == size

    def test_a_full_disk_is_said(self, begun, table):
        file, writer = begun
        file.is_full = True
        with pytest.raises(OSError, match="No space left"):
            self.write(writer, table, then=writer.close)


def test_a_file_that_was_not_closed_gets_no_footer(tmp_path, table, capfd):
    """Nor does pyarrow, which opens it once more, say anything about that: the disk may be full, or the file gone."""
    with open(tmp_path / "x.parquet", "w+b") as file:
        writer = parquet.write(file, from_arrow_schema(table.schema), WriteOptions())
        writer.write(writer.encode(from_arrow(table.to_batches()[0])))
        writer._write_group(writer._group)
        del writer
        gc.collect()
    assert (tmp_path / "x.parquet").stat().st_size > 10_000
    assert (tmp_path / "x.parquet").read_bytes()[-4:] != b"PAR1"
    assert capfd.readouterr() == ("", "")


def test_columns_of_classes_have_no_least_and_greatest_value():
    """They are about 0 and 1 in every row group, and nobody can leave one out by them."""
    mark = {"softmax_cli": "prob"}
    names = ("score", "confidence", "prob_cat")
    fields = [pa.field(name, pa.float64(), metadata=None if name == "score" else mark) for name in names]
    data = written(pa.table([[0.5], [0.7], [0.7]], schema=pa.schema(fields)))
    group = pq.read_metadata(io.BytesIO(data)).row_group(0)
    assert [group.column(i).is_stats_set for i in range(3)] == [True, True, False]


class SlowFile(io.BytesIO):
    is_full = False

    def write(self, data):
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        time.sleep(0.005)
        return super().write(data)


class TestSizesThatLie:
    """A page header is compared with the file before memory is taken for what it claims."""

    CODECS = ("none", "snappy", "zstd")

    def file(self, table, codec="none", version="1.0"):
        file = io.BytesIO()
        pq.write_table(table, file, compression=codec, data_page_version=version, row_group_size=700)
        return bytearray(file.getvalue())

    def headers(self, data):
        """Yield where the header of the first page of each chunk stands, and its fields."""
        metadata = pq.read_metadata(io.BytesIO(data))
        for group in range(metadata.num_row_groups):
            for index in range(metadata.num_columns):
                column = metadata.row_group(group).column(index)
                start = column.dictionary_page_offset or column.data_page_offset
                yield start, *page_header(bytes(data), start)

    @pytest.mark.parametrize("version", ["1.0", "2.0"])
    @pytest.mark.parametrize("codec", CODECS)
    def test_headers_are_read_as_pyarrow_wrote_them(self, table, codec, version, rows_of):
        data = self.file(table, codec, version)
        for _, fields, length in self.headers(data):
            assert fields[1] in (0, 2, 3)
            assert 0 < fields[3] < len(data)
            assert length < 200
        assert rows_of(bytes(data)).equals(table)

    @pytest.mark.parametrize("field", [2, 3])
    @pytest.mark.parametrize("size", [2**31 - 1, 2**30, -1])
    def test_a_page_that_claims_too_much(self, table, field, size, rows_of):
        for start, fields, _ in list(self.headers(self.file(table))):
            data = self.file(table)
            header = _zigzag(1, fields[1]) + b"".join(
                _zigzag(1, size if number == field else fields[number]) for number in (2, 3)
            )
            data[start : start + len(header)] = header
            with pytest.raises(DataError, match=r"a page (claims|of) .* bytes|a page header is damaged"):
                rows_of(bytes(data))

    def test_a_dictionary_that_claims_too_much(self, table, rows_of):
        data = self.file(table)
        start, fields, length = next(self.headers(data))
        assert fields[1] == 2
        place = bytes(data).index(_zigzag(1, fields[7][1]), start, start + length)
        data[place + 1 : place + 3] = b"\xfe\x7f"  # 8,191 values where there are 700
        with pytest.raises(DataError, match="a dictionary claims 8,191 values in"):
            rows_of(bytes(data))

    def test_a_header_longer_than_what_is_read_to_find_one(self, rows_of):
        """It holds the least and the greatest text of its page."""
        text = "".join(map(chr, np.random.default_rng(3).integers(97, 122, 3000)))
        table = pa.table({"text": [text, text[1:]], "a": [1.0, 2.0], "b": [0.5, 0.25]})
        file = io.BytesIO()
        pq.write_table(table, file, use_dictionary=False)
        assert any(length > 3000 for _, _, length in self.headers(file.getvalue()))
        assert rows_of(file.getvalue()).equals(table)

    def test_a_file_that_has_become_shorter(self, table, tmp_path):
        """Its pages are looked at when it has been opened for a while."""
        (tmp_path / "x.parquet").write_bytes(self.file(table))
        with open(tmp_path / "x.parquet", "rb") as file:
            read = parquet.read(file, "x.parquet", ReadOptions())
            os.truncate(tmp_path / "x.parquet", 10)
            with pytest.raises(DataError, match=r"x\.parquet: after row 0: not a whole Parquet file"):
                list(read.blocks)

    def test_a_header_is_found_wherever_the_reading_pauses(self, table):
        """A header may begin in one piece of the file and end in the next."""
        data = bytes(self.file(table.slice(0, 100)))
        metadata = pq.read_metadata(io.BytesIO(data))
        for size in (1, 7, 100):
            pages = CheckedPages(io.BytesIO(data), len(data), metadata, range(1))
            for chunk in pages._chunks:
                pages.seek(chunk.start)
                while pages.tell() < chunk.end:
                    pages.read(min(size, chunk.end - pages.tell()))
                assert chunk.due == chunk.end
                assert chunk.counted == 100


def _zigzag(step: int, value: int) -> bytes:
    """A number as a field of a Thrift structure, `step` after the field before it."""
    coded = (value << 1) ^ (value >> 63)
    coded &= (1 << 64) - 1
    out = bytearray([step << 4 | 5])
    while coded > 127:
        out.append(coded & 127 | 128)
        coded >>= 7
    out.append(coded)
    return bytes(out)


@pytest.mark.slow
def test_a_text_that_repeats_does_not_fill_the_memory():
    """The file holds it once, and its footer says next to nothing about a row."""
    table = pa.table({"text": pa.array(["x" * 100_000] * 5000), "a": np.arange(5000.0), "b": np.ones(5000)})
    data = io.BytesIO()
    pq.write_table(table, data, compression="zstd")
    assert data.tell() < 100_000
    read = parquet.read(data, "x.parquet", ReadOptions())
    assert max(block.data.num_rows for block in read.blocks) <= 640
