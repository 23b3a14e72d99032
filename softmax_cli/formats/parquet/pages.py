"""The sizes that the pages of a Parquet file claim, compared with the file before memory is taken for them.

A page begins with a header in Thrift's compact protocol, and pyarrow takes as much memory as it says: a flipped bit in
a file of five kilobytes is worth gigabytes. So `CheckedPages` reads each header first: before pyarrow opens the file by
itself, or as the bytes go by where only Python can read it.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pyarrow.parquet import ColumnSchema, FileMetaData, RowGroupMetaData

MOST_PAGE_BYTES = 256 << 20
"""Uncompressed; most writers begin another page after 1 MB."""
MOST_HEADER_BYTES = 16 << 20
"""pyarrow's own limit: the header holds the least and the greatest value, which may be long texts."""
HEADER_BYTES = 256
"""What is read to find one: most are a tenth as long."""
PADDING = 100
"""Bytes by which a chunk of some old writers is longer than they say (PARQUET-816)."""
DICTIONARY_PAGE = 2
LEAST_BYTES = {"BYTE_ARRAY": 4, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}
"""Of one value in a dictionary."""


@dataclass(slots=True)
class _Chunk:
    """The pages of one column in one row group."""

    start: int
    end: int
    values: int
    least_bytes: int
    due: int
    """Where the next header stands."""
    counted: int = 0
    """Values in the pages so far."""
    pending: bytes = b""
    """The beginning of a header whose rest has not been read yet."""


class CheckedPages:
    """A Parquet file for pyarrow; `check`, or else reading it, raises ValueError where a size cannot be true.

    Parameters
    ----------
    file : BinaryIO
        Can be read in any order.
    size : int
        Its bytes.
    metadata : FileMetaData
        Its footer.
    groups : iterable of int
        The row groups that will be read.
    """

    closed = False

    def __init__(self, file: BinaryIO, size: int, metadata: FileMetaData, groups: Iterable[int]) -> None:
        self._file = file
        self._at = 0
        leaves = [metadata.schema.column(index) for index in range(metadata.num_columns)]
        self._columns = {group: _chunks(metadata.row_group(group), leaves, size) for group in groups}
        chunks = (chunk for columns in self._columns.values() for held in columns.values() for chunk in held)
        self._chunks = sorted(chunks, key=lambda chunk: chunk.start)
        self._starts = [chunk.start for chunk in self._chunks]

    def check(self, group: int, columns: Iterable[str] | None = None) -> None:
        """Look at the headers of some columns in a row group, or of all, once; only for a file of the system's own."""
        held = self._columns[group]
        for chunk in (chunk for column in (held if columns is None else columns) for chunk in held[_first(column)]):
            while chunk.due < chunk.end:
                at = chunk.due + len(chunk.pending)
                data = os.pread(self._file.fileno(), max(HEADER_BYTES, len(chunk.pending)), at)
                if not data:
                    raise ValueError("it ends before its last page")
                _look(chunk, at, data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place."""
        self._at = self._file.seek(offset, whence)
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read on, and look at the headers among what was read."""
        data = self._file.read(size)
        index = bisect_right(self._starts, self._at) - 1
        if index >= 0 and self._at < self._chunks[index].end + PADDING:
            _look(self._chunks[index], self._at, data)
        self._at += len(data)
        return data

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def writable(self) -> bool:
        """No."""
        return False


def _chunks(row_group: RowGroupMetaData, leaves: Sequence[ColumnSchema], size: int) -> dict[str, list[_Chunk]]:
    """Return the chunks in a row group by the beginnings of their names: a list or a structure has several."""
    found: dict[str, list[_Chunk]] = {}
    for index, leaf in enumerate(leaves):
        column = row_group.column(index)
        begins = [column.data_page_offset, column.dictionary_page_offset or 0]
        start = min(begin for begin in begins if begin > 0) if any(begin > 0 for begin in begins) else 0
        end = start + column.total_compressed_size
        if not 0 <= start <= end <= size:
            raise ValueError(f"the footer puts a column at bytes {start:,} to {end:,} of {size:,}")
        if leaf.max_repetition_level == 0 and column.num_values != row_group.num_rows:
            raise ValueError(
                f"the footer says {row_group.num_rows:,} rows and {column.num_values:,} values of a column"
            )
        least = leaf.length if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY" else LEAST_BYTES.get(leaf.physical_type)
        chunk = _Chunk(start, end, column.num_values, least or 0, start)
        found.setdefault(_first(leaf.path), []).append(chunk)
    return found


def _first(path: str) -> str:
    """Return what stands before the first dot; what follows is a part of the column, or of its name."""
    return path.split(".", 1)[0]


def _look(chunk: _Chunk, at: int, data: bytes) -> None:
    """Check the headers in `data`, which stands at `at` in the file."""
    if at == chunk.start:
        chunk.due, chunk.counted, chunk.pending = at, 0, b""
    begins = at - len(chunk.pending)
    data, chunk.pending = chunk.pending + data, b""
    while chunk.due < chunk.end and begins <= chunk.due < begins + len(data):
        offset = chunk.due - begins
        try:
            header, length = page_header(data, offset)
        except IndexError:
            if begins + len(data) >= chunk.end or len(data) - offset > MOST_HEADER_BYTES:
                raise ValueError("a page header has no end") from None
            chunk.pending = data[offset:]
            return
        _check(header, length, chunk)
        chunk.due += length + header[3]


def _check(header: dict[int, Any], length: int, chunk: _Chunk) -> None:
    kind, unpacked, packed = (header.get(field) for field in (1, 2, 3))
    if not (isinstance(unpacked, int) and isinstance(packed, int) and unpacked >= 0 and packed >= 0):
        raise ValueError("a page header is damaged")
    if chunk.due + length + packed > chunk.end + PADDING:
        raise ValueError(f"a page claims {packed:,} bytes where {max(0, chunk.end - chunk.due - length):,} are left")
    if unpacked > MOST_PAGE_BYTES:
        raise ValueError(f"a page of {unpacked:,} bytes, where {MOST_PAGE_BYTES:,} is the limit")
    inner: Any = next((header[field] for field in (5, 7, 8) if field in header), {})
    values = inner.get(1, 0) if isinstance(inner, dict) else 0
    if not isinstance(values, int) or values < 0:
        raise ValueError("a page header is damaged")
    if kind == DICTIONARY_PAGE:
        if values * chunk.least_bytes > unpacked:
            raise ValueError(f"a dictionary claims {values:,} values in {unpacked:,} bytes")
        return
    chunk.counted += values
    if chunk.counted > chunk.values:
        raise ValueError(f"pages claim {chunk.counted:,} values, the footer {chunk.values:,}")


def page_header(data: bytes, at: int) -> tuple[dict[int, Any], int]:
    """Read a structure in Thrift's compact protocol.

    Returns
    -------
    fields : dict
        Value by field number; lists and maps, which no page header has, are refused.
    length : int
        Bytes that it takes.

    Raises
    ------
    IndexError
        `data` ends before it does.
    ValueError
        It is none.
    """
    fields, end = _structure(data, at)
    return fields, end - at


def _structure(data: bytes, at: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    """Return the fields of a structure, and where it ends. Source: thrift/doc/specs/thrift-compact-protocol.md."""
    if depth > 4:
        raise ValueError("a page header is damaged")
    fields: dict[int, Any] = {}
    number = 0
    while byte := data[at]:
        at += 1
        kind = byte & 15
        if byte >> 4:
            number += byte >> 4
        else:
            number, at = _signed(data, at)
        if kind in _INTEGERS:
            fields[number], at = _signed(data, at)
        elif kind == _STRUCTURE:
            fields[number], at = _structure(data, at, depth + 1)
        elif kind in _SIZES:
            size, at = (_SIZES[kind], at) if kind != _BINARY else _unsigned(data, at)
            if at + size > len(data):
                raise IndexError
            fields[number], at = data[at : at + size], at + size
        elif kind in _BOOLEANS:
            fields[number] = _BOOLEANS[kind]
        else:
            raise ValueError("a page header is damaged")
    return fields, at + 1


_BOOLEANS = {1: True, 2: False}
_INTEGERS = (4, 5, 6)
"""Of 16, 32 and 64 bits."""
_BINARY, _STRUCTURE = 8, 12
_SIZES = {3: 1, 7: 8, _BINARY: 0}
"""A byte and a double, in bytes; a text says itself how long it is."""


def _unsigned(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    value = shift = 0
    while shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("a page header is damaged")


def _signed(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    value, at = (byte, at + 1) if byte < 128 else _unsigned(data, at)
    return (value >> 1) ^ -(value & 1), at
