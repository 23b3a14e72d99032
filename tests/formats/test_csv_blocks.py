"""Blocks of delimited text: joined they are the file, and none ends inside a row, whatever is quoted."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.formats.csv import reader as blocks
from softmax_cli.formats.csv.reader import RowBlocks

csv.field_size_limit(1 << 30)

# Quotes anywhere: doubled, stray, left open.
texts = st.text(st.sampled_from('ab",;\n\r é'), max_size=60)


def cut(data: bytes, size: int, delimiter: str = ",") -> list[blocks.Block]:
    return list(RowBlocks(io.BytesIO(data), "x.csv", size).cut(delimiter))


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@given(texts, st.integers(1, 40), st.sampled_from(",;"))
@settings(deadline=None)
def test_any_block_size_gives_the_same_rows(text, size, delimiter):
    """Blocks parsed alone give what the whole gives; they lose no byte, and know the line they begin on."""
    found = cut(text.encode(), size, delimiter)
    assert b"".join(bytes(block.data) for block in found) == text.encode()
    assert [row for block in found for row in rows(block.data.decode(), delimiter)] == rows(text, delimiter)
    line = 1
    for block in found:
        assert block.first_line == line
        assert block.size == len(block.data)
        line += block.data.count(b"\n")


class Trickle(io.RawIOBase):
    """A pipe that hands out a few bytes at a time and does not seek."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def readinto(self, buffer) -> int:
        given = self.data[: min(3, len(buffer))]
        buffer[: len(given)] = given
        self.data = self.data[len(given) :]
        return len(given)


@given(texts, st.integers(1, 40))
@settings(deadline=None)
def test_a_slow_pipe_is_cut_as_a_file_is(text, size):
    pipe = RowBlocks(Trickle(text.encode()), "stdin", size)
    assert list(pipe.cut(",")) == cut(text.encode(), size)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_byte_order_mark_is_no_part_of_the_first_cell(size):
    data = b'\xef\xbb\xbf"a\nb",c\n'
    assert b"".join(block.data for block in cut(data, size)) == data[3:]


def test_a_row_of_many_blocks_is_read_in_ever_larger_steps():
    """Else every step would copy all that came before it."""
    asked = []

    class Counted(io.BytesIO):
        def readinto(self, buffer) -> int:
            asked.append(len(buffer))
            return super().readinto(buffer)

    data = b"1" * 1_000_000 + b"\n"
    assert [len(block.data) for block in RowBlocks(Counted(data), "x.csv", 64).cut(",")] == [len(data)]
    assert len(asked) < 20


def test_no_bytes_no_blocks():
    assert cut(b"", 10) == []


def test_blocks_grow_for_wide_rows():
    """A block of few rows costs a parser more for its columns than for its values."""
    wide = b"1" * 199_999 + b"\n"
    narrow = b"1\n"
    sizes = [round(len(block.data) / 2**20) for block in cut(wide * 105, blocks.BLOCK_BYTES)]
    assert sizes == [2, 16, 2]
    assert {len(block.data) for block in cut(narrow * (3 << 20), blocks.BLOCK_BYTES)} == {blocks.BLOCK_BYTES}


def test_a_row_has_a_limit_and_it_is_said(monkeypatch):
    """An open quote would else gather the rest of the file in memory."""
    monkeypatch.setattr(blocks, "LONGEST_ROW_BYTES", 1 << 10)
    with pytest.raises(DataError, match=r"x\.csv:3: a row longer than .* is a quote left open"):
        cut(b'a,b\n1,2\n"' + b"3,4\n" * 2000, 64)


def test_a_cell_of_3_mb_is_one_row():
    data = b'a,b\n1,"' + b"x\n" * (3 << 19) + b'"\n2,3\n'
    assert [row for block in cut(data, blocks.BLOCK_BYTES) for row in rows(block.data.decode())] == rows(data.decode())
