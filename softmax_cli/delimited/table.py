"""A delimited file, opened: its dialect from the first block, its rows decoded block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from softmax_cli.batches.table import Block, Decoded, ReadOptions, Table
from softmax_cli.delimited.blocks import BLOCK_BYTES, RowBlocks
from softmax_cli.delimited.delimiter import check_delimiter, find_delimiter
from softmax_cli.delimited.dialect import Dialect, find_dialect
from softmax_cli.delimited.encoding import check_encoding
from softmax_cli.errors import DataError


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

    def decode(block: Block, scores: Sequence[str]) -> Decoded:
        # pyarrow.csv loads on the first block, not for a file that is refused.
        from softmax_cli.delimited.parse import decode as parse

        return parse(block, scores, dialect, name)

    return Table(name, pa.schema(fields), _rows(first, blocks, dialect), decode, notes=dialect.notes)


def _rows(first: Block, later: Iterator[Block], dialect: Dialect) -> Iterator[Block]:
    """Leave the header out."""
    del first.data[: dialect.header_bytes]
    if first.data:
        yield first._replace(first_line=first.first_line + dialect.header_lines)
    yield from later
