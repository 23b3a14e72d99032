"""A delimited file, opened: its dialect from the first block, its rows decoded block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

import pyarrow as pa

from softmax_cli.batches.table import Block, Decoded, ReadOptions, Table
from softmax_cli.delimited.blocks import BLOCK_BYTES, RowBlocks
from softmax_cli.delimited.dialect import DELIMITERS, Dialect, find_dialect
from softmax_cli.errors import DataError


def open_table(
    file: BinaryIO, name: str, options: ReadOptions, delimiter: str | None = None, block_bytes: int = BLOCK_BYTES
) -> Table:
    """Open a table of delimited lines.

    Parameters
    ----------
    delimiter : str, optional
        What the format says; `options` goes before it.

    Raises
    ------
    DataError
        The file is empty, is no UTF-8 text, or names a column twice.
    """
    said = options.delimiter or delimiter or "".join(DELIMITERS)
    cutter = RowBlocks(file, name, said.encode(), block_bytes)
    blocks = iter(cutter)
    first = next(blocks, None)
    if first is None:
        raise DataError(f"{name}: empty: a header and rows were wanted")
    dialect = find_dialect(bytes(first.data), name, options, delimiter)
    cutter.delimiters = dialect.delimiter.encode()
    fields = [pa.field(n, pa.float64() if n in dialect.numeric else pa.string()) for n in dialect.names]

    def decode(block: Block, scores: Sequence[str]) -> Decoded:
        from softmax_cli.delimited.parse import decode as parse

        return parse(block, scores, dialect, name)

    return Table(name, pa.schema(fields), _rows(first, blocks, dialect), decode, notes=dialect.notes)


def _rows(first: Block, later: Iterator[Block], dialect: Dialect) -> Iterator[Block]:
    """Leave the header out."""
    rows = first.data[dialect.header_bytes :]
    if len(rows):
        yield replace(first, data=rows, first_line=first.first_line + dialect.header_lines)
    yield from later
