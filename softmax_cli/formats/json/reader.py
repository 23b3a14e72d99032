"""A file of JSON values cut into rows, each with the physical line it begins on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from softmax_cli.errors import DataError
from softmax_cli.tables.arrays import lists, numbers, strings
from softmax_cli.tables.table import Block, Decoded, Fault, Place, Table

BLOCK_BYTES = 2 << 20
_LONGEST_LINE = 256 << 20
_ARRAY_ROWS = 4096
_SPACE = " \t\r\n"
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file."""

    line: int
    text: bytes


def line_blocks(file: BinaryIO, name: str, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cut a file into blocks of whole lines, about `size` bytes each.

    Raises
    ------
    DataError
        The text is not in UTF-8, or a line is longer than 256 MB.
    """
    line, pending = 1, b""
    while chunk := file.read(size):
        if line == 1 and not pending:
            _check_encoding(chunk, name)
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            pending += chunk
            if len(pending) > _LONGEST_LINE:
                raise DataError(f"{name}:{line}: a line of more than 256 MB; one JSON object a line was wanted")
            continue
        data, pending = pending + chunk[:cut], chunk[cut:]
        yield Block(data if line > 1 else data.removeprefix(_BOM), first_line=line, size=len(data))
        line += data.count(b"\n")
    if pending:
        yield Block(pending if line > 1 else pending.removeprefix(_BOM), first_line=line, size=len(pending))


def line_rows(block: Block) -> list[Row]:
    """The rows of a block of lines; blank lines are none."""
    lines = block.data.split(b"\n")
    return [Row(block.first_line + i, text.rstrip(b"\r")) for i, text in enumerate(lines) if text.strip()]


def array_blocks(file: BinaryIO, name: str, rows: int | None = None) -> Iterator[Block]:
    """Cut a document that is one JSON array into blocks of rows; the whole document is in memory.

    Raises
    ------
    DataError
        The document is no array, or no JSON.
    """
    data = file.read()
    _check_encoding(data, name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}:{line}: not UTF-8; convert the file with iconv -t utf-8") from error
    found, limit = [], rows or _ARRAY_ROWS
    for row in _elements(text, name):
        found.append(row)
        if len(found) == limit:
            yield _array_block(found)
            found = []
    if found:
        yield _array_block(found)


def array_rows(block: Block) -> list[Row]:
    """The rows of a block of an array."""
    rows: list[Row] = block.data
    return rows


def _array_block(rows: list[Row]) -> Block:
    return Block(rows, first_line=rows[0].line, size=sum(len(row.text) for row in rows))


def _elements(text: str, name: str) -> Iterator[Row]:
    decoder = json.JSONDecoder()
    at, line, counted = _skip(text, 0), 1, 0
    if text[at : at + 1] != "[":
        raise DataError(
            f"{name}: an array of objects was wanted, found {text[at : at + 20]!r}; "
            "if there is one object a line, say --input-format jsonl"
        )
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        try:
            _, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise DataError(f"{name}:{error.lineno}: not JSON: {error.msg}; mend the file") from error
        line, counted = line + text.count("\n", counted, at), at
        yield Row(line, text[at:end].encode())
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            line += text.count("\n", counted, at)
            raise DataError(f"{name}:{line}: the array is cut short or lacks a comma; mend the file")
    rest = _skip(text, at + 1)
    if rest < len(text):
        raise DataError(f"{name}: text after the end of the array: {text[rest : rest + 20]!r}; mend the file")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _check_encoding(head: bytes, name: str) -> None:
    if head.startswith(_WIDE_BOMS) or b"\0" in head[:1024]:
        raise DataError(f"{name}: UTF-16 or binary, not UTF-8 text; convert it with iconv -f utf-16 -t utf-8")


_LOOK_AT = 1000


class Number(str):
    """A JSON number as it is spelled: ids keep their digits, and scores become floats later."""

    __slots__ = ()


_decode = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number).decode


def parse(text: bytes) -> Any:
    """One JSON value, its numbers as `Number`.

    Raises
    ------
    ValueError
        It is no JSON, or not in UTF-8.
    RecursionError
        It is nested too deeply.
    """
    return _decode(text.decode())


def find_schema(rows: Iterable[Row]) -> pa.Schema:
    """Keys in order of appearance: numbers are float64, lists of numbers a list column, all else is text."""
    kinds: dict[str, pa.DataType] = {}
    for _, row in zip(range(_LOOK_AT), rows, strict=False):
        try:
            value = parse(row.text)
        except (ValueError, RecursionError):
            continue
        for key, item in value.items() if isinstance(value, dict) else ():
            if kinds.get(key, pa.null()) == pa.null():
                kinds[key] = _kind(item)
    return pa.schema([(key, pa.string() if kind == pa.null() else kind) for key, kind in kinds.items()])


def _kind(value: Any) -> pa.DataType:
    if value is None:
        return pa.null()
    if isinstance(value, Number):
        return pa.float64()
    if isinstance(value, list) and value and all(isinstance(item, Number) or item is None for item in value):
        return pa.list_(pa.float64(), len(value))
    return pa.string()


class _Unfit(ValueError):
    """A value that is no score; the message is the problem."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What could be read of the rows, and what is wrong with the others."""

    batch: pa.RecordBatch
    faults: tuple[Fault, ...]


def decode_rows(rows: Sequence[Row], schema: pa.Schema, scores: Sequence[str]) -> Parsed:
    """Turn rows into a batch: the columns `scores` as numbers, ``nan`` where there is none, all others as text."""
    objects, faults = [], []
    for i, row in enumerate(rows):
        try:
            objects.append(_as_object(row))
        except _Unfit as error:
            objects.append({})
            faults.append(Fault(i, None, str(error)))
    broken = {fault.row for fault in faults}
    arrays, fields = [], []
    for field in schema:
        values = [record.get(field.name) for record in objects]
        if field.name in scores:
            array, found = _scores(values, field, broken)
            faults += found
        else:
            array = _texts(values)
        arrays.append(array)
        fields.append(pa.field(field.name, array.type))
    faults.sort(key=lambda fault: fault.row)
    return Parsed(pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields)), tuple(faults))


def raw(row: Row, column: str | None) -> str:
    """The text of one value of a row; of the whole row where there is no such value."""
    try:
        value = _as_object(row)
    except _Unfit:
        return row.text.decode("utf-8", "backslashreplace")
    return _spell(value[column]) if column in value else "nothing"


def _as_object(row: Row) -> dict[str, Any]:
    try:
        value = parse(row.text)
    except UnicodeDecodeError:
        raise _Unfit("is not UTF-8; convert the file with iconv -t utf-8") from None
    except (ValueError, RecursionError) as error:
        raise _Unfit(f"is not JSON: {getattr(error, 'msg', 'nested too deeply')}") from None
    if not isinstance(value, dict):
        raise _Unfit(f"is not a JSON object: {_spell(value)[:40]}")
    return value


def _scores(values: list[Any], field: pa.Field, broken: set[int]) -> tuple[pa.Array, list[Fault]]:
    wide = pa.types.is_fixed_size_list(field.type)
    size = field.type.list_size if wide else 1
    read: Callable[[Any], Any] = (lambda value: _vector(value, size)) if wide else _number
    out, faults = np.full((len(values), size), np.nan), []
    for i, value in enumerate(values):
        try:
            out[i] = read(value) if i not in broken else np.nan
        except _Unfit as error:
            faults.append(Fault(i, field.name, str(error)))
    return lists(out) if wide else numbers(out[:, 0]), faults


def _number(value: Any) -> float:
    if isinstance(value, Number):
        return float(value)
    raise _Unfit("is missing" if value is None else f"{_spell(value)} is not a number")


def _vector(value: Any, size: int) -> list[float]:
    if not isinstance(value, list):
        raise _Unfit("is missing" if value is None else f"{_spell(value)} is not a list of numbers")
    if len(value) != size:
        raise _Unfit(f"holds {len(value)} values where the first row has {size}")
    for i, item in enumerate(value):
        if not isinstance(item, Number):
            raise _Unfit(f"value {i + 1} of the list, {_spell(item)}, is not a number")
    return list(map(float, value))


def _texts(values: list[Any]) -> pa.Array:
    texts = strings(["" if value is None else value if isinstance(value, str) else _spell(value) for value in values])
    valid = np.array([value is not None for value in values], np.bool_)
    if valid.all():
        return texts
    bitmap = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.StringArray.from_buffers(len(texts), texts.buffers()[1], texts.buffers()[2], bitmap)


def _spell(value: Any) -> str:
    """A parsed value as JSON again, its numbers as they stood in the file."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_spell, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_spell(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def decode_fast(data: bytes, schema: pa.Schema, scores: Sequence[str]) -> pa.RecordBatch | None:
    """Decode a block of lines; None where that needs a closer look."""
    import pyarrow.json as pj

    kinds = [_read_as(field, field.name in scores) for field in schema]
    parsing = pj.ParseOptions(
        explicit_schema=pa.schema(list(zip(schema.names, kinds, strict=True))), unexpected_field_behavior="ignore"
    )
    reading = pj.ReadOptions(use_threads=False, block_size=len(data) + 1)
    try:
        table = pj.read_json(pa.BufferReader(data), read_options=reading, parse_options=parsing)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    # Two objects on a line, and an object over two lines, would shift every line number after them. (Within an object
    # no closing brace is followed by an opening one.)
    if table.num_rows != data.count(b"}\n{") + data.count(b"}\r\n{") + 1 or table.num_rows != _lines(data):
        return None
    batches = table.combine_chunks().to_batches()
    if len(batches) != 1:
        return None
    arrays = [_exact(array, field) for array, field in zip(batches[0].columns, schema, strict=True)]
    if any(array is None for array in arrays):
        return None
    return pa.RecordBatch.from_arrays(arrays, names=schema.names)


def _lines(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n"))


def _read_as(field: pa.Field, is_score: bool) -> pa.DataType:
    if pa.types.is_fixed_size_list(field.type) and is_score:
        return pa.list_(pa.float64())
    # A number that is no score keeps its spelling, which only whole numbers survive.
    return pa.int64() if field.type == pa.float64() and not is_score else field.type


def _exact(array: pa.Array, field: pa.Field) -> pa.Array | None:
    """The column as the slow way would give it; None where a value is missing or has another shape."""
    if array.null_count:
        return None
    if pa.types.is_integer(array.type):
        return array.cast(pa.string())
    if not pa.types.is_list(array.type):
        return array
    size, values = field.type.list_size, array.flatten()
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)
    if values.null_count or (np.diff(offsets) != size).any():
        return None
    return lists(np.frombuffer(values.buffers()[1], np.float64, len(values), values.offset * 8).reshape(-1, size))


def open_table(blocks: Iterator[Block], rows_of: Callable[[Block], list[Row]], name: str) -> Table:
    """Look at the first rows and leave the others to be decoded.

    Raises
    ------
    DataError
        There are no rows, or none of the first is an object.
    """
    first = next((block for block in blocks if rows_of(block)), None)
    if first is None:
        raise DataError(f'{name}: no rows; JSON objects were wanted, such as {{"id": 1, "logits": [2.0, -1.0]}}')
    rows = rows_of(first)
    schema = find_schema(rows)
    if not len(schema):
        text = rows[0].text[:40].decode("utf-8", "backslashreplace")
        raise DataError(f"{name}:{rows[0].line}: a JSON object was wanted, found {text!r}")
    return Table(name, schema, chain([first], blocks), partial(_decode_block, rows_of, schema, name))


def _decode_block(
    rows_of: Callable[[Block], list[Row]], schema: pa.Schema, name: str, block: Block, scores: Sequence[str]
) -> Decoded:
    def place(row: int, column: str | None) -> Place:
        there = rows_of(block)[row]
        record = there.text.decode("utf-8", "backslashreplace")
        return Place(f"{name}:{there.line}", raw(there, column) if column is not None else record, record)

    batch = decode_fast(block.data, schema, scores) if isinstance(block.data, bytes) else None
    if batch is not None:
        return Decoded(batch, place)
    parsed = decode_rows(rows_of(block), schema, scores)
    return Decoded(parsed.batch, place, parsed.faults)
