"""Several tables read as one: the columns of the first, the rows of all, one file open at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import chain

from softmax_cli.errors import DataError
from softmax_cli.tables.batch import Batch, Column, cast
from softmax_cli.tables.schema import Field, Schema, is_fixed_size_list
from softmax_cli.tables.table import Block, Decoded, Table

Decode = Callable[[Block, Sequence[str]], Decoded]


def unite(first: Table, later: Iterable[Callable[[], AbstractContextManager[Table]]], size: int | None) -> Table:
    """Put tables one after the other.

    Parameters
    ----------
    first : Table
        Its columns, in its order and with its types, are those of the whole.
    later : iterable
        Each opens one more table, when its turn comes.
    size : int or None
        Bytes of input in all, where known.

    Returns
    -------
    Table
        Its blocks raise DataError where a later table has not the columns of the first. Places name the right file.
    """
    head = next(first.blocks, None)
    rows = first.blocks if head is None else chain([head], first.blocks)

    @cache
    def wanted(scores: tuple[str, ...]) -> Schema:
        return first.schema if head is None else first.decode(head, scores).batch.schema

    def blocks() -> Iterator[Block]:
        yield from _of(rows, first.decode)
        for opening in later:
            with opening() as table:
                _check_columns(table, first.name, first.schema)
                yield from _of(table.blocks, _like(table, first.name, first.schema, wanted))

    return first._replace(blocks=blocks(), decode=_decode, size=size)


def conform(table: Table, first: str, schema: Schema) -> Table:
    """Read one table as a part of a larger one.

    Parameters
    ----------
    first : str
        Name of the table that gives the columns.
    schema : Schema
        Its columns, in their order, with the types that they are decoded to.

    Raises
    ------
    DataError
        The table has other columns.
    """
    _check_columns(table, first, schema)
    return table._replace(schema=schema, decode=_like(table, first, schema, lambda scores: schema))


def _of(blocks: Iterable[Block], decode: Decode) -> Iterator[Block]:
    """Let every block carry along who can decode it."""
    return (block._replace(data=(decode, block)) for block in blocks)


def _decode(block: Block, scores: Sequence[str]) -> Decoded:
    decode, inner = block.data
    return decode(inner, scores)  # type: ignore[no-any-return]


def _check_columns(table: Table, first: str, schema: Schema) -> None:
    wanted, there = schema.names, table.schema.names
    missing = sorted(set(wanted) - set(there), key=wanted.index)
    extra = sorted(set(there) - set(wanted), key=there.index)
    if missing or extra:
        lacks = f"has no column {', '.join(map(repr, missing))}" if missing else ""
        adds = f"has {', '.join(map(repr, extra))} besides" if extra else ""
        raise DataError(
            f"{table.name} {' and '.join(filter(None, (lacks, adds)))}: files that are read as one table need "
            f"the columns of the first, {first}; read this one by itself"
        )
    for field in schema:
        other = table.schema.field(field.name).type
        sizes = {kind.list_size for kind in (field.type, other) if is_fixed_size_list(kind)}
        if len(sizes) > 1:
            raise DataError(
                f"{table.name}: column {field.name!r} holds {other.list_size} values a row, in {first} "
                f"{field.type.list_size}; read this file by itself"
            )


def _like(table: Table, first: str, schema: Schema, wanted: Callable[[tuple[str, ...]], Schema]) -> Decode:
    """Decode a later table to the order and the types of the first; scores keep their type: their reader widens it."""
    names = schema.names
    if table.schema.types == schema.types and table.schema.names == names:
        return table.decode

    def decode(block: Block, scores: Sequence[str]) -> Decoded:
        decoded = table.decode(block, scores)
        fields = [wanted(tuple(scores)).field(name) for name in names]
        columns = [decoded.batch.column(name) for name in names]
        alike = [
            column if field.name in scores else _cast(column, field, table.name, first)
            for column, field in zip(columns, fields, strict=True)
        ]
        given = Schema(field._replace(type=column.type) for field, column in zip(fields, alike, strict=True))
        return decoded._replace(batch=Batch(given, alike, decoded.batch.num_rows))

    return decode


def _cast(column: Column, field: Field, name: str, first_name: str) -> Column:
    try:
        return column if column.type == field.type else cast(column, field.type)
    except TypeError as error:
        raise DataError(
            f"{name}: column {field.name!r} holds {column.type}, in {first_name} it holds {field.type}: {error}; "
            "read this file by itself, or write the column alike in both"
        ) from error
