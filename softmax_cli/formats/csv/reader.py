"""Cuts delimited text into blocks of whole rows, so that several workers can parse at once.

A row may span lines inside quotes; a block never ends there. This half of reading cannot be shared between workers, so
every look at a block goes at the speed of memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.formats.csv.faults import Diagnosis
from softmax_cli.formats.csv.sniff import (
    SPELLED_MISSING,
    Dialect,
    check_delimiter,
    check_encoding,
    find_delimiter,
    find_dialect,
)
from softmax_cli.tables.arrays import empty_batch
from softmax_cli.tables.table import Block, Decoded, ReadOptions, Table

BLOCK_BYTES = 1 << 21
"""2 MB: so large that the cost of a block is in its values, so small that what is made of it stays in the cache."""
WIDE_BLOCK_BYTES = 1 << 22
FEW_ROWS = 1000
"""A parser spends some time on every column of a block; with fewer rows than this it shows, and blocks grow.

To 4 MB, not further: 8 MB were hardly faster for 1000 columns and took 100 MB more memory.
"""
LONGEST_ROW_BYTES = 1 << 28
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NEWLINE, _QUOTE = b"\n"[0], b'"'[0]


class RowBlocks:
    """Reads a file as blocks of whole rows.

    Parameters
    ----------
    file : binary file
        Anything with ``readinto``; it need not seek.
    name : str
        What messages call the file.
    size : int
        Bytes to read at a time.

    Attributes
    ----------
    head : bytearray
        The first bytes, less a byte order mark: at most a block, to find the delimiter in. Empty for an empty file.
    """

    def __init__(self, file: BinaryIO, name: str, size: int = BLOCK_BYTES) -> None:
        self._file, self._name, self._size = file, name, size
        self.head, self._is_end = self._read(bytearray())
        while not self._is_end and len(self.head) < len(_BYTE_ORDER_MARK):
            self.head, self._is_end = self._read(self.head)
        if self.head.startswith(_BYTE_ORDER_MARK):
            del self.head[: len(_BYTE_ORDER_MARK)]

    def cut(self, delimiter: bytes) -> Iterator[Block]:
        """Yield the blocks in order; `data` is a ``bytearray`` that ends in a newline but for the last. Once only.

        Raises
        ------
        DataError
            A row is longer than 256 MB.
        """
        buffer, line = self.head, 1
        while buffer or not self._is_end:
            end = len(buffer) if self._is_end else last_row_end(buffer, delimiter)
            if line == 1 and not self._is_end and not _has_rows(buffer, end, delimiter):
                end = 0
            rest = buffer[end:]
            if end:
                del buffer[end:]
                lines = count_lines(buffer)
                yield Block(buffer, first_line=line, size=end)
                line += lines
                if lines < FEW_ROWS and self._size == BLOCK_BYTES:
                    self._size = WIDE_BLOCK_BYTES
            elif len(rest) > LONGEST_ROW_BYTES:
                raise DataError(
                    f"{self._name}:{line}: a row longer than {LONGEST_ROW_BYTES >> 20} MB; "
                    "is a quote left open, or is this no text?"
                )
            if self._is_end:
                return
            buffer, self._is_end = self._read(rest)

    def _read(self, rest: bytearray) -> tuple[bytearray, bool]:
        """Return what was left over with a block behind it, or as much again if that is more; and whether it ended."""
        filled = len(rest)
        buffer = bytearray(filled + max(filled, self._size))
        buffer[:filled] = rest
        with memoryview(buffer) as view:
            while filled < len(buffer) and (more := self._file.readinto(view[filled:])):  # type: ignore[attr-defined]
                filled += more
        is_end = filled < len(buffer)
        del buffer[filled:]
        return buffer, is_end


def count_lines(data: bytearray, end: int | None = None) -> int:
    """Return the number of line feeds; ``bytes.count`` takes seven times as long."""
    text = np.frombuffer(data, np.uint8)
    return int(np.count_nonzero(text[:end] == _NEWLINE))


def _has_rows(buffer: bytearray, end: int, delimiter: bytes) -> bool:
    """Whether a row follows the header before `end`; without one, no column would look like numbers."""
    header_end = last_row_end(buffer[: max(0, end - 1)], delimiter)
    return header_end > 0 and not buffer[:header_end].isspace()


def last_row_end(buffer: bytearray, delimiter: bytes) -> int:
    """Return the position after the last newline that ends a row, 0 where there is none; `buffer` begins with a row."""
    end = buffer.rfind(b"\n") + 1
    if not end or b'"' not in buffer:
        return end
    text = np.frombuffer(buffer, np.uint8, end)
    quotes = np.flatnonzero(text == _QUOTE)
    if not _alternate(text, quotes, delimiter):
        quotes = _quoted_cells(buffer, end, delimiter)
    while (before := int(np.searchsorted(quotes, end))) % 2:  # an odd number of quotes: the newline is inside a cell
        end = buffer.rfind(b"\n", 0, int(quotes[before - 1])) + 1
    return end


def _alternate(text: NDArray[np.uint8], quotes: NDArray[np.intp], delimiter: bytes) -> bool:
    """Whether quotes open and close cells in turn in `text`, which ends in a newline: then counting them suffices.

    The first quote of each pair has to stand where a cell begins, or right behind the second one of the pair before: a
    doubled quote closes and opens. A quote elsewhere is a character like any other, which the count would mistake.
    """
    around = np.zeros(256, np.bool_)
    around[list(delimiter + b'\r\n"')] = True
    before = text[quotes[::2] - 1]  # before the first byte: the last one, a newline, and a row begins there too
    return bool(around[before].all())


def _quoted_cells(buffer: bytearray, end: int, delimiter: bytes) -> NDArray[np.intp]:
    """Return the first and the last quote of every quoted cell in turn, with no last one where a cell stays open."""
    begin = rb"(?:\A|(?<=[\r\n" + re.escape(delimiter) + rb"]))"
    edges: list[int] = []
    for cell in re.compile(begin + rb'"[^"]*(?:""[^"]*)*("?)').finditer(buffer, 0, end):
        edges += (cell.start(), cell.end() - 1) if cell[1] else (cell.start(),)
    return np.array(edges, np.intp)


_LINE_ENDS = b"\r\n"


def decode(block: Block, scores: Sequence[str], dialect: Dialect, name: str) -> Decoded:
    """Parse one block: columns in `scores` as float64, every other as the text that stands in the file.

    Blank lines are no rows.

    Raises
    ------
    DataError
        The block is not UTF-8 text.
    """
    data: bytearray = block.data
    schema = _schema(dialect.names, tuple(scores))
    diagnosis = Diagnosis(block, dialect, name)
    if not data[:1024].strip(_LINE_ENDS) and not data.strip(_LINE_ENDS):
        return Decoded(empty_batch(schema), diagnosis.place)
    batch = None if b"\0" in data or _may_be_open(data) else _parse(data, schema, dialect, tuple(scores))
    if batch is not None:
        return Decoded(batch, diagnosis.place)
    check_encoding(data, name, block.first_line)
    batch, faults = diagnosis.rows(schema)
    return Decoded(batch, diagnosis.place, faults)


def _parse(data: bytearray, schema: pa.Schema, dialect: Dialect, scores: tuple[str, ...]) -> pa.RecordBatch | None:
    """Let pyarrow parse a block; None where it finds anything wrong.

    First without looking for the spellings of a missing value, which costs a tenth and which few blocks hold.
    """
    read = pc.ReadOptions(use_threads=False, column_names=schema.names, block_size=len(data) + 1)
    layout = pc.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=b'"' in data)
    for missing in ((), SPELLED_MISSING):
        try:
            table = pc.read_csv(
                pa.BufferReader(pa.py_buffer(data)),
                read,
                layout,
                _convert(dialect.names, scores, dialect.decimal, missing),
            )
        except pa.ArrowInvalid:
            continue
        (batch,) = table.combine_chunks().to_batches()
        return batch
    return None


def _may_be_open(data: bytearray) -> bool:
    """Whether quotes are odd in number, as in a file cut within one; pyarrow would take the rest for a cell."""
    return b'"' in data and np.count_nonzero(np.frombuffer(data, np.uint8) == _QUOTE) % 2 == 1


@lru_cache(8)
def _schema(names: tuple[str, ...], scores: tuple[str, ...]) -> pa.Schema:
    numbers = frozenset(scores)
    return pa.schema([pa.field(name, pa.float64() if name in numbers else pa.string()) for name in names])


@lru_cache(16)
def _convert(
    names: tuple[str, ...], scores: tuple[str, ...], decimal: str, missing: tuple[str, ...]
) -> pc.ConvertOptions:
    return pc.ConvertOptions(
        column_types=_schema(names, scores), decimal_point=decimal, strings_can_be_null=False, null_values=list(missing)
    )


def open_table(
    file: BinaryIO, name: str, options: ReadOptions, delimiter: str | None = None, block_bytes: int = BLOCK_BYTES
) -> Table:
    """Open a table of delimited lines.

    Parameters
    ----------
    delimiter : str, optional
        What the format says (a tab for .tsv); `options` goes before it. Unsaid by both, it is found.

    Raises
    ------
    DataError
        The file is empty, is no UTF-8 text, or names a column twice.
    UsageError
        The delimiter that was said cannot part cells.
    """
    said = delimiter if options.delimiter is None else options.delimiter
    if said is not None:
        check_delimiter(said)
    cutter = RowBlocks(file, name, block_bytes)
    check_encoding(cutter.head, name, 1)
    found = said or find_delimiter(cutter.head, options.decimal)
    blocks = cutter.cut(found.encode())
    first = next(blocks, None)
    if first is None:
        raise DataError(f"{name}: empty: a header and rows were wanted")
    dialect = find_dialect(first.data, name, options, found)
    fields = [pa.field(n, pa.float64() if n in dialect.numeric else pa.string()) for n in dialect.names]

    def decode_block(block: Block, scores: Sequence[str]) -> Decoded:
        return decode(block, scores, dialect, name)

    return Table(name, pa.schema(fields), _rows(first, blocks, dialect), decode_block, notes=dialect.notes)


def _rows(first: Block, later: Iterator[Block], dialect: Dialect) -> Iterator[Block]:
    """Leave the header out."""
    del first.data[: dialect.header_bytes]
    if first.data:
        yield first._replace(first_line=first.first_line + dialect.header_lines)
    yield from later
