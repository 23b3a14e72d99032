"""Cuts delimited text into blocks of whole rows, so that several workers can parse at once.

A row may span lines inside quotes; a block never ends there. This half of reading cannot be shared between workers, so
every look at a block goes at the speed of memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.formats.csv.sniff import (
    SEPARATOR_LINE,
    Sniffed,
    check_delimiter,
    find_dialect,
    sniff,
)
from softmax_cli.storage.reading import read_some
from softmax_cli.tables.batch import Batch, Column, NumberColumn, TextColumn, texts
from softmax_cli.tables.schema import FLOAT64, TEXT, Field, Schema, Type, list_of
from softmax_cli.tables.table import Block, Decoded, Fault, Place, ReadOptions, Table
from softmax_cli.text.parsing import Dialect, parse, row_end, text_role

if TYPE_CHECKING:
    from softmax_cli.formats.csv.faults import RowPlaces

BLOCK_BYTES = 1 << 21
"""2 MB: so large that the cost of a block is in its values, so small that what is made of it stays in the cache."""
WIDE_BLOCK_BYTES = 1 << 24
FEW_ROWS = 16
"""A parser spends some time on every column of a block; with fewer rows than this, as of 100,000 columns, that is most
of its time, and blocks grow."""
LONGEST_ROW_BYTES = 1 << 28
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


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
        self._is_end = self._pauses = False
        self.head = self._read(bytearray())
        while not self._is_end and len(self.head) < len(_BYTE_ORDER_MARK):
            self.head = self._read(self.head)
        if self.head.startswith(_BYTE_ORDER_MARK):
            del self.head[: len(_BYTE_ORDER_MARK)]

    def cut(self, delimiter: str) -> Iterator[Block]:
        """Yield the blocks in order; `data` is a ``bytearray`` that ends in a newline but for the last. Once only.

        Raises
        ------
        DataError
            A row is longer than 256 MB.
        """
        buffer, line = self.head, 1
        while buffer or not self._is_end:
            end, lines = (len(buffer), 0) if self._is_end else row_end(buffer, delimiter)
            if line == 1 and not self._is_end and not _has_rows(buffer, end, delimiter):
                end = 0
            rest = buffer[end:]
            if end:
                del buffer[end:]
                yield Block(buffer, first_line=line, size=end, pauses=self._pauses)
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
            buffer = self._read(rest)

    def _read(self, rest: bytearray) -> bytearray:
        """Return what was left over with what was read behind it: a block, or as much again if that is more."""
        filled = len(rest)
        buffer = bytearray(filled + max(filled, self._size))
        buffer[:filled] = rest
        with memoryview(buffer) as view:
            more, self._is_end, self._pauses = read_some(self._file, view[filled:])
        del buffer[filled + more :]
        return buffer


def _has_rows(buffer: bytearray, end: int, delimiter: str) -> bool:
    """Whether a row follows the header before `end`; without one, no column would look like numbers."""
    header_end, _ = row_end(memoryview(buffer)[: max(0, end - 1)], delimiter)
    return header_end > 0 and not buffer[:header_end].isspace()


_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_MOSTLY = 0.4


def check_encoding(data: bytearray, name: str, first_line: int) -> None:
    """Refuse what is no text of lines.

    Parameters
    ----------
    first_line : int
        The physical line that `data` begins on; what begins a file is only looked for on line 1.

    Raises
    ------
    DataError
        UTF-16 or UTF-32, NUL bytes, or lines that end in a carriage return alone.
    """
    if first_line == 1:
        mark = next((encoding for mark, encoding in _MARKS.items() if data.startswith(mark)), None)
        if mark is not None:
            raise DataError(f"{name}: the encoding is {mark}, not utf-8; convert it: {_iconv(mark)}")
        if b"\n" not in data and b"\r" in data.rstrip(b"\r"):
            raise DataError(f"{name}: lines end in a carriage return (CR) alone; convert it: tr '\\r' '\\n'")
    at = data.find(b"\0")
    if at >= 0:
        line = first_line + data.count(b"\n", 0, at)
        wide = _wide_encoding(data[:4096])
        what = f"the encoding looks like {wide}; convert it: {_iconv(wide)}" if wide else "is this a binary file?"
        raise DataError(f"{name}:{line}: a NUL byte, which no text holds; {what}")


def check_utf8(data: bytearray, name: str, first_line: int) -> None:
    """Refuse what is not UTF-8.

    Raises
    ------
    DataError
        With the line, the byte, and how to convert a Latin-1 file.
    """
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise DataError(
            f"{name}:{line}: byte 0x{data[error.start]:02x} is not utf-8; if the encoding is Latin-1, convert it: "
            f"{_iconv('latin1')}"
        ) from None


def _wide_encoding(sample: bytearray) -> str | None:
    """Name the encoding without a mark in which Latin letters have a NUL beside them."""
    for offset, encoding in ((1, "utf-16le"), (0, "utf-16be")):
        if sample[offset::2].count(b"\0") > _MOSTLY * len(sample) and sample[1 - offset :: 2].count(b"\0") == 0:
            return encoding
    return None


def _iconv(encoding: str) -> str:
    return f"iconv -f {encoding} -t utf-8"


def decode(block: Block, scores: Sequence[str], sniffed: Sniffed, name: str) -> Decoded:
    """Parse one block: columns in `scores` as float64, every other as the text that stands in the file.

    Blank lines are no rows.

    Raises
    ------
    DataError
        The block is not UTF-8 text.
    """
    data: bytearray = block.data
    check_encoding(data, name, block.first_line)
    check_utf8(data, name, block.first_line)
    numbers = tuple(column for column in scores if column not in sniffed.lists)
    roles = _roles(sniffed.names, numbers)
    parsed = parse(data, roles, sniffed.dialect)

    @cache
    def rows() -> RowPlaces:
        from softmax_cli.formats.csv.faults import RowPlaces  # few blocks have a fault

        return RowPlaces(block, parsed.starts, sniffed, name)

    def place(row: int, column: str | None) -> Place:
        return rows().place(row, column)

    faults = list(map(rows().fault, parsed.flaws)) if parsed.flaws else []
    columns: list[Column] = []
    for column, role in zip(sniffed.names, roles.tolist(), strict=True):
        if role >= 0:
            columns.append(NumberColumn(parsed.scores, role))
            continue
        cells = TextColumn(data, parsed.spans[:, text_role(role)], are_fields=True)
        if column in sniffed.left_out:
            _refuse_values(cells, column, place)
        elif column in sniffed.lists and column in scores:
            from softmax_cli.formats.csv.list_cells import read_lists

            lists, problems = read_lists(texts(cells), sniffed.lists[column])
            columns.append(lists)
            faults += [Fault(row, column, problem) for row, problem in problems.items()]
        else:
            columns.append(cells)
    lengths = tuple((n, sniffed.lists[n]) for n in scores if n in sniffed.lists)
    schema = _schema(sniffed.names, sniffed.left_out, numbers, lengths)
    return Decoded(Batch(schema, columns, len(parsed.scores)), place, tuple(faults))


def _refuse_values(cells: TextColumn, column: str, place: Callable[[int, str], Place]) -> None:
    """Refuse a column that was left out because it has no name and was empty, and is not empty after all."""
    if (cells.spans[:, 0] == cells.spans[:, 1]).all():
        return
    row = next((row for row, cell in enumerate(texts(cells)) if cell and cell.strip()), None)
    if row is not None:
        at = place(row, column)
        raise DataError(
            f"{at.where}: {at.found!r} stands in a column without a name that was empty before; name it in the "
            "header, or take the value away"
        )


@lru_cache(16)
def _roles(names: tuple[str, ...], numbers: tuple[str, ...]) -> NDArray[np.int32]:
    """What to read of each column: a score, or text."""
    positions = {column: i for i, column in enumerate(numbers)}
    places = iter(range(len(names)))
    return np.array([positions[n] if n in positions else text_role(next(places)) for n in names], np.int32)


@lru_cache(16)
def _schema(
    names: tuple[str, ...], left_out: frozenset[str], numbers: tuple[str, ...], lists: tuple[tuple[str, int], ...]
) -> Schema:
    types = dict.fromkeys(numbers, FLOAT64) | {name: list_of(FLOAT64, size) for name, size in lists}
    return Schema(Field(n, types.get(n, TEXT)) for n in names if n not in left_out)


def open_table(
    file: BinaryIO, name: str, options: ReadOptions, delimiter: str | None = None, block_bytes: int = BLOCK_BYTES
) -> Table:
    """Open a table of delimited lines.

    Parameters
    ----------
    delimiter : str, optional
        What the format says (a tab for .tsv); `options` goes before it. With neither, it is found.

    Raises
    ------
    DataError
        The file is empty, is no UTF-8 text, or names a column twice.
    UsageError
        The delimiter that was given cannot separate cells.
    """
    given = delimiter if options.delimiter is None else options.delimiter
    if given is not None:
        check_delimiter(given)
    cutter = RowBlocks(file, name, block_bytes)
    check_encoding(cutter.head, name, 1)
    is_found = given is None or (options.delimiter is None and SEPARATOR_LINE.match(cutter.head) is not None)
    dialect = find_dialect(cutter.head, options.decimal) if is_found else Dialect(given or "", options.decimal)
    blocks = cutter.cut(dialect.delimiter)
    first = next(blocks, None)
    if first is None:
        raise DataError(f"{name}: empty: expected a header and rows")
    check_utf8(first.data, name, 1)
    sniffed = sniff(first.data, name, options, dialect)
    schema = Schema(Field(n, _type(n, sniffed)) for n in sniffed.names if n not in sniffed.left_out)

    def decode_block(block: Block, scores: Sequence[str]) -> Decoded:
        return decode(block, scores, sniffed, name)

    return Table(name, schema, _rows(first, blocks, sniffed), decode_block, notes=sniffed.notes)


def _type(column: str, sniffed: Sniffed) -> Type:
    if column in sniffed.lists:
        return list_of(FLOAT64, sniffed.lists[column])
    return FLOAT64 if column in sniffed.numeric else TEXT


def _rows(first: Block, later: Iterator[Block], sniffed: Sniffed) -> Iterator[Block]:
    """Leave the header out."""
    del first.data[: sniffed.header_bytes]
    if first.data:
        yield first._replace(first_line=first.first_line + sniffed.header_lines)
    yield from later
