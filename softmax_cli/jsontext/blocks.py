"""A file of JSON values cut into rows, each with the physical line it begins on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from softmax_cli.batches.table import Block
from softmax_cli.errors import DataError

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
