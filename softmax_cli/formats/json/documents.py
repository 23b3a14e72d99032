"""JSON of every shape as rows: a value a line, or one document, an array of rows or an object of columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from softmax_cli.errors import DataError
from softmax_cli.formats.json.reader import Row, array_rows, label_and_score, line_blocks, line_rows, open_table
from softmax_cli.formats.json.spelling import parse, spell
from softmax_cli.tables.column_names import is_prediction_name, score_name, words
from softmax_cli.tables.table import Block, ReadOptions, Table

_ARRAY_ROWS = 4096
_SPACE = " \t\r\n"
_OPENED = (b"{", b"[", b",", b":")
_PANDAS_SPLIT = {"columns", "data"}


def open_json(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a table in JSON, whatever its shape. A document is held in memory; lines are read as a stream.

    A line is an object, or an array of the scores of one row. A document is an array of such rows, an object of
    equally long arrays (a column under each key), or what ``DataFrame.to_json`` writes.

    Raises
    ------
    DataError
        It is no JSON, or none of these.
    """
    blocks = line_blocks(file, name)
    first = next((block for block in blocks if block.data.strip()), None)
    if first is None:
        raise DataError(f'{name}: no rows; expected JSON objects, such as {{"id": 1, "logits": [2.0, -1.0]}}')
    seen = [first]

    def is_all() -> bool:
        seen.extend(islice(blocks, 1))
        return len(seen) == 1

    if not _is_document(first.data, is_all, options):
        return open_table(chain(seen, blocks), line_rows, name)
    data = b"".join(block.data for block in chain(seen, blocks))
    rows = _document_rows(_text(data, name), name)
    return open_table(_in_blocks(rows, options.batch_rows or _ARRAY_ROWS), array_rows, name)


def _is_document(data: bytes, is_all: Callable[[], bool], options: ReadOptions) -> bool:
    """Whether the text is one JSON value over all its lines; `is_all` waits for more, so it is asked last."""
    first, _, rest = data.lstrip().partition(b"\n")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return first.rstrip().endswith(_OPENED) or (first.startswith(b"[") and not rest.lstrip().startswith(b"["))
    if isinstance(value, list):
        is_row = bool(value) and not any(isinstance(item, list | dict) for item in value)
        is_table = options.single_values or not is_row
    else:
        is_table = isinstance(value, dict) and (_wrapped(value) is not None or _columns(value) is not None)
    return is_table and not rest.strip() and is_all()


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}:{line}: not UTF-8; convert the file with iconv -t utf-8") from error


def _document_rows(text: str, name: str) -> Iterator[Row]:
    if text.lstrip(_SPACE)[:1] == "[":
        yield from _elements(text, name)
        return
    try:
        value = parse(text.encode())
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise DataError(
            f"{name}:{line}: not JSON: {getattr(error, 'msg', 'nested too deeply')}; expected an object a line, an "
            "array of objects, or an object of columns"
        ) from error
    columns = _columns(value) if isinstance(value, dict) else None
    wrapped = _wrapped(value) if isinstance(value, dict) and columns is None else None
    if wrapped is not None:
        yield from (Row(1, spell(row).encode(), number) for number, row in enumerate(wrapped, 1))
        return
    if columns is None:
        yield Row(1, spell(value).encode())
        return
    for number, cells in enumerate(zip(*columns.values(), strict=True), 1):
        yield Row(1, spell(dict(zip(columns, cells, strict=True))).encode(), number)


def _wrapped(value: dict[str, Any]) -> list[Any] | None:
    """The rows that a service wraps into an object: objects, or lists of scores; None where it is one row itself.

    Lists of numbers may be anything, boxes say: they are rows under a name of scores or of predictions (TensorFlow
    Serving) that has nothing but texts beside it.
    """
    objects = [rows for rows in value.values() if _are_rows(rows)]
    if objects:
        return objects[0] if len(objects) == 1 else None
    lists = {key: rows for key, rows in value.items() if not isinstance(rows, str)}
    if len(lists) != 1:
        return None
    [(key, rows)] = lists.items()
    if not (isinstance(rows, list) and rows and _are_lists(rows) and len({len(row) for row in rows}) == 1):
        return None
    if score_name(key) is not None:
        return [{key: row} for row in rows]
    return rows if is_prediction_name(words(key)) else None


def _are_rows(value: Any) -> bool:
    """Whether a value is a list of objects, and not the scores of one row."""
    is_list = isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)
    return is_list and not all(map(label_and_score, value))


def _columns(value: dict[str, Any]) -> dict[str, list[Any]] | None:
    """The columns of an object of columns; None where it is a row.

    Of the forms of ``DataFrame.to_json``, the objects under its keys have the numbers of the rows as keys, or (with
    ``orient="index"``) the other way round.
    """
    if _PANDAS_SPLIT <= value.keys() <= _PANDAS_SPLIT | {"index"}:
        names, rows = value["columns"], value["data"]
        if not _are_lists([names, rows]) or not _are_lists(rows) or any(len(row) != len(names) for row in rows):
            return None
        return {str(name): [row[place] for row in rows] for place, name in enumerate(names)}
    if value.keys() == {"schema", "data"} and isinstance(value["data"], list):
        value = {str(number): row for number, row in enumerate(value["data"])}
    inner = list(value.values())
    if not inner:
        return None
    if all(isinstance(one, list) for one in inner):
        return value if len(inner) > 1 and len({len(one) for one in inner}) == 1 and inner[0] else None
    if not all(isinstance(one, dict) and one.keys() == inner[0].keys() and one for one in inner):
        return None
    if _are_numbered(inner[0]):
        return {name: list(column.values()) for name, column in value.items()}
    if _are_numbered(value) and len(inner) > 1:
        return {name: [row[name] for row in inner] for name in inner[0]}
    return None


def _are_lists(values: list[Any]) -> bool:
    return all(isinstance(value, list) for value in values)


def _are_numbered(value: dict[str, Any]) -> bool:
    return list(value) == [str(number) for number in range(len(value))]


def _in_blocks(rows: Iterator[Row], limit: int) -> Iterator[Block]:
    found: list[Row] = []
    for row in rows:
        found.append(row)
        if len(found) == limit:
            yield _array_block(found)
            found = []
    if found:
        yield _array_block(found)


def _array_block(rows: list[Row]) -> Block:
    return Block(rows, first_line=rows[0].line, size=sum(len(row.text) for row in rows))


def _elements(text: str, name: str) -> Iterator[Row]:
    decoder = json.JSONDecoder()
    at, line, counted = _skip(text, 0), 1, 0
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        try:
            _, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise DataError(f"{name}:{error.lineno}: not JSON: {error.msg}; mend the file") from error
        except RecursionError:
            line += text.count("\n", counted, at)
            raise DataError(f"{name}:{line}: not JSON: nested too deeply; fix the file") from None
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
