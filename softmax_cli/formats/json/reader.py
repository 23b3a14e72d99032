"""A file of JSON values cut into rows, each with the physical line it begins on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, permutations
from typing import Any, BinaryIO

import numpy as np

from softmax_cli.errors import DataError
from softmax_cli.formats.json.spelling import Number, parse, spell
from softmax_cli.storage.reading import read_some
from softmax_cli.tables.batch import Batch, ListColumn, NumberColumn, TextColumn
from softmax_cli.tables.schema import (
    FLOAT64,
    TEXT,
    DataType,
    Field,
    Schema,
    is_fixed_size_list,
    is_struct,
    list_of,
    struct_of,
)
from softmax_cli.tables.table import Block, Decoded, Fault, Place, Table
from softmax_cli.text.parsing import MISSING, NO_VALUE, Parsed, parse_objects, text_role

BLOCK_BYTES = 2 << 20
_LONGEST_LINE = 256 << 20
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file."""

    line: int
    text: bytes
    number: int | None = None
    """Which row it is, from 1, where the lines of the file do not say."""


def line_blocks(file: BinaryIO, name: str, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cut a file into blocks of whole lines, about `size` bytes each.

    Raises
    ------
    DataError
        The text is not in UTF-8, or a line is longer than 256 MB.
    """
    line, pending, is_end = 1, b"", False
    while not is_end:
        buffer = bytearray(size)
        filled, is_end, pauses = read_some(file, memoryview(buffer))
        chunk = bytes(memoryview(buffer)[:filled])
        if line == 1 and not pending:
            _check_encoding(chunk, name)
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            pending += chunk
            if len(pending) > _LONGEST_LINE:
                raise DataError(f"{name}:{line}: a line of more than 256 MB; expected one JSON object a line")
            continue
        data, pending = pending + chunk[:cut], chunk[cut:]
        yield Block(data if line > 1 else data.removeprefix(_BOM), first_line=line, size=len(data), pauses=pauses)
        line += data.count(b"\n")
    if pending:
        yield Block(pending if line > 1 else pending.removeprefix(_BOM), first_line=line, size=len(pending))


def line_rows(block: Block) -> list[Row]:
    """The rows of a block of lines; blank lines are none."""
    lines = block.data.split(b"\n")
    return [Row(block.first_line + i, text.rstrip(b"\r")) for i, text in enumerate(lines) if text.strip()]


def row_lines(block: Block) -> bytes:
    """The rows of a block, a line each."""
    if isinstance(block.data, bytes):
        return block.data
    return b"\n".join(row.text.replace(b"\n", b" ") for row in block.data)


def array_rows(block: Block) -> list[Row]:
    """The rows of a block of an array."""
    rows: list[Row] = block.data
    return rows


def _check_encoding(head: bytes, name: str) -> None:
    if head.startswith(_WIDE_BOMS) or b"\0" in head[:1024]:
        raise DataError(f"{name}: UTF-16 or binary, not UTF-8 text; convert it with iconv -f utf-16 -t utf-8")


LIST_COLUMN = "logits"
"""What the scores are called of a row that is a bare array of them."""
_PROBABILITIES = "probabilities"
"""What they are called where the array says that they are that."""
_LABELS = {"label", "class", "token"}
_OF_LABEL = {"score": LIST_COLUMN, "logit": LIST_COLUMN, "prob": _PROBABILITIES, "probability": _PROBABILITIES}
_OF_LABEL |= {"logprob": "logprobs"}
"""Keys of one class and its score, in a list of them (pipelines of transformers, BigQuery ML, servers of language
models), and what that is."""
_LOOK_AT = 1000
_LOOK_AT_BYTES = 1 << 20
_LOOK_AT_LEAST = 20


class _Unfit(ValueError):
    """A value that is no score; the message is the problem."""


def find_schema(rows: Iterable[Row]) -> Schema:
    """Keys in order of appearance: mostly numbers are float64, lists of numbers a list column, all else is text."""
    kinds: dict[str, list[DataType]] = {}
    seen = 0
    for number, row in zip(range(_LOOK_AT), rows, strict=False):
        if seen > _LOOK_AT_BYTES and number >= _LOOK_AT_LEAST:
            break
        seen += len(row.text)
        try:
            value = _as_object(row)
        except _Unfit:
            continue
        for key, item in value.items():
            found = kinds.setdefault(key, [])
            if (kind := _kind(item)) is not None:
                found.append(kind)
    return Schema(Field(key, _commonest(found)) for key, found in kinds.items())


def _commonest(kinds: Sequence[DataType]) -> DataType:
    """The type of a column by those of its values: text only where most of them are text.

    Taken for text, scores would be left out without a word; taken for scores, text is refused with one.
    """
    others = [kind for kind in kinds if kind != TEXT]
    if 2 * len(others) < len(kinds) or not others:
        return TEXT
    return FLOAT64 if 2 * others.count(FLOAT64) >= len(others) else next(kind for kind in others if kind != FLOAT64)


def _kind(value: Any) -> DataType | None:
    """The type of a column with this value; None: unknown."""
    if value is None or (isinstance(value, str) and value.strip().lower() in NO_VALUE):
        return None
    if isinstance(value, Number) or _is_word(value):
        return FLOAT64
    if isinstance(value, list) and _are_numbers(value):
        return list_of(FLOAT64, len(value))
    scores = _by_class(value)
    if scores is not None and _are_numbers(scores.values()):
        return struct_of(FLOAT64, tuple(scores))
    return TEXT


def _are_numbers(values: Iterable[Any]) -> bool:
    """Whether there are numbers, and nothing that is none; null is a missing one."""
    kinds = {type(value) if not _is_word(value) else Number for value in values}
    return Number in kinds and kinds <= {Number, type(None)}


def _is_word(value: Any) -> bool:
    """Whether a text spells a number that JSON has no name for."""
    return isinstance(value, str) and value.strip().lower().lstrip("+-") in ("infinity", "inf", "nan")


def _by_class(value: Any) -> dict[str, Any] | None:
    """Scores by the names of their classes; also a list of labels, each with its score."""
    if isinstance(value, list):
        keys = [found for one in value if (found := label_and_score(one)) is not None]
        if len(keys) < len(value):
            return None
        value = {str(one[label]): one[score] for one, (label, score) in zip(value, keys, strict=True)}
    return value if isinstance(value, dict) and value else None


def label_and_score(value: Any) -> tuple[str, str] | None:
    """The keys of the label of a class and of its score; None where a value is none of these."""
    if not isinstance(value, dict) or len(value) != 2:
        return None
    return next(((a, b) for a, b in permutations(value) if a in _LABELS and b in _OF_LABEL), None)


def _as_object(row: Row) -> dict[str, Any]:
    try:
        value = parse(row.text)
    except UnicodeDecodeError:
        raise _Unfit("is not UTF-8; convert the file with iconv -t utf-8") from None
    except UnicodeEncodeError as error:
        raise _Unfit(f"holds half of a character, {error.object[error.start]!a}") from None
    except (ValueError, RecursionError) as error:
        raise _Unfit(f"is not JSON: {getattr(error, 'msg', 'nested too deeply')}") from None
    if isinstance(value, list):
        return _from_list(value)
    if isinstance(value, dict):
        return value
    if isinstance(value, str):  # a number too
        return {"0": value}
    raise _Unfit(f"is not a JSON object: {spell(value)[:40]}")


def _from_list(value: list[Any]) -> dict[str, Any]:
    """Give names to the values of a row that is an array: its scores, or cells by their position."""
    if _are_numbers(value):
        return {LIST_COLUMN: value}
    keys = label_and_score(value[0]) if _by_class(value) is not None else None
    return {str(at): item for at, item in enumerate(value)} if keys is None else {_OF_LABEL[keys[1]]: value}


def _number(value: Any) -> float:
    if isinstance(value, Number) or _is_word(value):
        return float(value)
    raise _Unfit("is missing" if value is None else f"{spell(value)} is not a number")


def _mapped(value: Any, keys: Sequence[str]) -> list[float]:
    """The scores of an object in the order of the keys that the first row has."""
    scores = _by_class(value)
    if scores is None:
        raise _Unfit("is missing" if value is None else f"{spell(value)} is no object of scores by class")
    for key in keys:
        if key not in scores:
            raise _Unfit(f"has no score of {key!r}, which the first row has")
    for key in scores:
        if key not in keys:
            raise _Unfit(f"has a score of {key!r}, which the first row has not")
    return [_number(scores[key]) for key in keys]


def _vector(value: Any, size: int) -> list[float]:
    if not isinstance(value, list):
        raise _Unfit("is missing" if value is None else f"{spell(value)} is not a list of numbers")
    if len(value) != size:
        raise _Unfit(f"holds {len(value)} values where the first row has {size}")
    for i, item in enumerate(value):
        if not (isinstance(item, Number) or _is_word(item)):
            raise _Unfit(f"value {i + 1} of the list, {spell(item)}, is not a number")
    return list(map(float, value))


class _Decoder:
    """Turns blocks of rows into batches; stateless, so that several threads share it.

    Rows that have just the keys of the table, in their order, are read by the compiled core; every other row by
    Python's parser, which says what is wrong with it.
    """

    def __init__(self, schema: Schema, name: str, rows_of: Callable[[Block], list[Row]], first: bytes) -> None:
        self._schema, self._name, self._rows_of = schema, name, rows_of
        self._has_keys = first.lstrip().startswith(b"{")
        escaped = [json.dumps(key).encode() for key in schema.names]  # as Python spells é; others have it as it is
        plain = [json.dumps(key, ensure_ascii=False).encode() for key in schema.names]
        self._keys = [one if one in first else other for one, other in zip(escaped, plain, strict=True)]

    def __call__(self, block: Block, scores: Sequence[str]) -> Decoded:
        """Decode a block: the columns `scores` as numbers, ``nan`` where there is none, all others as text."""
        wanted = frozenset(scores)
        sizes = [_size(field) if field.name in wanted else 0 for field in self._schema]
        starts = np.cumsum([0, *map(abs, sizes)])[:-1].tolist()
        texts = iter(range(len(sizes)))
        roles = [start if size else text_role(next(texts)) for start, size in zip(starts, sizes, strict=True)]
        data = row_lines(block)
        parsed = parse_objects(data, self._keys, np.array(roles, np.int32), np.array(sizes, np.int32))
        rows = _Rows(block, self._rows_of, self._name)
        faults: list[Fault] = []
        added = bytearray()
        by_class = any(size > 0 and is_struct(field.type) for size, field in zip(sizes, self._schema, strict=True))
        odd = range(len(parsed.scores)) if by_class or not _is_utf8(data) else [flaw.row for flaw in parsed.flaws]
        for row in odd:
            faults += self._decode_odd(rows.rows[row], row, parsed, roles, sizes, added, len(data))
        text = data + added if added else data
        columns = [
            _column(parsed, text, role, size, field.type)
            for role, size, field in zip(roles, sizes, self._schema, strict=True)
        ]
        schema = Schema(Field(key, column.type) for key, column in zip(self._schema.names, columns, strict=True))
        return Decoded(Batch(schema, columns, len(parsed.scores)), rows.place, tuple(faults))

    def _decode_odd(
        self,
        text: Row,
        row: int,
        parsed: Parsed,
        roles: Sequence[int],
        sizes: Sequence[int],
        added: bytearray,
        end: int,
    ) -> Iterator[Fault]:
        """Put the values of one row in their places; what has no place in the block is `added` behind its `end`."""
        try:
            record = _as_object(text)
            if self._has_keys and not text.text.lstrip().startswith(b"{"):
                raise _Unfit(f"is not a JSON object: {text.text[:40].decode()}")
        except _Unfit as error:
            record, broken = {}, True
            yield Fault(row, None, str(error))
        else:
            broken = False
        for key, kind, role, size in zip(self._schema.names, self._schema.types, roles, sizes, strict=True):
            value = record.get(key)
            if size:
                parsed.scores[row, role : role + abs(size)] = np.nan
                try:
                    if not broken:
                        parsed.scores[row, role : role + abs(size)] = _read(value, kind, size)
                except _Unfit as error:
                    yield Fault(row, key, str(error))
            else:
                span = parsed.spans[row, text_role(role)]
                span[:] = MISSING
                if value is not None:
                    span[0] = end + len(added)
                    added += (value if isinstance(value, str) else spell(value)).encode()
                    span[1] = end + len(added)


def _column(
    parsed: Parsed, text: bytes, role: int, size: int, kind: DataType
) -> ListColumn | NumberColumn | TextColumn:
    if size > 0:
        return ListColumn(parsed.scores[:, role : role + size], None, kind.keys)
    return NumberColumn(parsed.scores, role) if size < 0 else TextColumn(text, parsed.spans[:, text_role(role)])


class _Rows:
    """The rows of one block in their file."""

    def __init__(self, block: Block, rows_of: Callable[[Block], list[Row]], name: str) -> None:
        self._block, self._rows_of, self._name = block, rows_of, name

    @cached_property
    def rows(self) -> list[Row]:
        return self._rows_of(self._block)

    def place(self, row: int, column: str | None) -> Place:
        there = self.rows[row]
        record = there.text.decode("utf-8", "backslashreplace")
        where = f"{self._name}:{there.line}" if there.number is None else f"{self._name}: row {there.number}"
        return Place(where, raw(there, column) if column is not None else record, record)


def _size(field: Field) -> int:
    """How many scores a value of a column of scores holds; -1: single numbers."""
    if is_struct(field.type):
        return int(field.type.num_fields)
    return int(field.type.list_size) if is_fixed_size_list(field.type) else -1


def _read(value: Any, kind: DataType, size: int) -> list[float] | float:
    if is_struct(kind):
        return _mapped(value, kind.keys)
    return _vector(value, size) if size > 0 else _number(value)


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def raw(row: Row, column: str | None) -> str:
    """The text of one value of a row; of the whole row where there is no such value."""
    try:
        value = _as_object(row)
    except _Unfit:
        return row.text.decode("utf-8", "backslashreplace")
    return spell(value[column]) if column in value else "nothing"


def open_table(blocks: Iterator[Block], rows_of: Callable[[Block], list[Row]], name: str) -> Table:
    """Look at the first rows and leave the others to be decoded.

    Raises
    ------
    DataError
        There are no rows, or none of the first is an object.
    """
    first = next((block for block in blocks if rows_of(block)), None)
    if first is None:
        raise DataError(f'{name}: no rows; expected JSON objects, such as {{"id": 1, "logits": [2.0, -1.0]}}')
    rows = rows_of(first)
    schema = find_schema(rows)
    if not len(schema):
        text = rows[0].text[:40].decode("utf-8", "backslashreplace")
        raise DataError(f"{name}:{rows[0].line}: expected a JSON object, found {text!r}")
    return Table(name, schema, chain([first], blocks), _Decoder(schema, name, rows_of, row_lines(first)))
