"""What a file holds to readers that forgive nothing and share no code with the program.

Text is read by a few lines of Python after RFC 4180 and by Python's `json`, binary files by the libraries that define
them. A file may have several readings (by its delimiter), or none.
"""

from __future__ import annotations

import bz2
import decimal
import gzip
import io
import json
import lzma
import math
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Reading = dict[str, list[Any]]
"""Column name to values: text where the file is text, numbers in lists as they are spelled."""
DELIMITERS = ",;\t|"
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_INFINITE = re.compile(r"\s*([+-]?)inf(inity)?\s*", re.ASCII | re.IGNORECASE)


class Refused(Exception):
    """The file is not what its name says."""


def number(value: Any) -> float | None:
    """The number that a cell is; None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        if infinite := _INFINITE.fullmatch(value):
            return -math.inf if infinite[1] == "-" else math.inf
        return float(value) if _NUMBER.fullmatch(value) else None
    return float(value) if isinstance(value, int | float | decimal.Decimal) else None


def readings(path: Path) -> Iterator[Reading]:
    """Read a file in every way that a strict reader would."""
    data, suffix = path.read_bytes(), "".join(path.suffixes)
    unpack = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lambda data: lzma.decompress(data.rstrip(b"\0"))}
    for end, unpacked in unpack.items():
        if suffix.endswith(end):
            data, suffix = unpacked(data), suffix.removesuffix(end)
    for end, codec in ((".zst", "zstd"), (".lz4", "lz4")):
        if suffix.endswith(end):
            with pa.CompressedInputStream(pa.BufferReader(data), codec) as stream:
                data, suffix = stream.read(), suffix.removesuffix(end)
    readers: dict[str, Callable[[bytes], Reading]] = {
        ".jsonl": _jsonl,
        ".json": _json,
        ".parquet": _parquet,
        ".arrow": _arrow,
        ".arrows": _arrow,
        ".npy": _npy,
        ".npz": _npz,
    }
    if suffix in readers:
        yield readers[suffix](data)
        return
    text = data.decode("utf-8-sig")
    for delimiter, ends in product(DELIMITERS, (text, text.replace("\r\n", "\n").replace("\r", "\n"))):
        try:
            yield _delimited(ends, delimiter)
        except Refused:
            continue


def _delimited(text: str, delimiter: str) -> Reading:
    rows = [row for row in records(text, delimiter) if row != [""]]
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise Refused
    names = [name.strip() for name in rows[0]]
    return {name: [row[i] for row in rows[1:]] for i, name in enumerate(names)}


def records(text: str, delimiter: str) -> Iterator[list[str]]:
    """Cut text by RFC 4180: a quote opens a field at its beginning only, and ends it before a delimiter or line end.

    As in most readers, other quotes are text, and carriage returns beside a line end belong to it.
    """
    bare = re.compile(rf"[^{re.escape(delimiter)}\n]*")
    row: list[str] = []
    at = 0
    while at < len(text):
        while not row and text.startswith("\r", at):
            at += 1
        if text.startswith('"', at):
            field, at = _quoted(text, at + 1)
            while text.startswith("\r", at):
                at += 1
        else:
            field = bare.match(text, at)[0]  # type: ignore[index]  # it matches nothing, too
            at += len(field)
            if at == len(text) or text.startswith("\n", at):
                field = field.rstrip("\r")
        row.append(field)
        if text.startswith(delimiter, at):
            at += 1
            if at == len(text):
                row.append("")
            continue
        if at < len(text) and text[at] != "\n":
            raise Refused
        yield row
        row = []
        at += 1
    if row:
        yield row


def _quoted(text: str, at: int) -> tuple[str, int]:
    """Return the field whose opening quote stands before `at`, and the place behind its closing one."""
    start = at
    while (at := text.find('"', at)) >= 0:
        if not text.startswith('""', at):
            return text[start:at].replace('""', '"'), at + 1
        at += 2
    raise Refused


def _spelled(text: str) -> Any:
    return json.loads(text, parse_int=Spelled, parse_float=Spelled, parse_constant=Spelled)


class Spelled(str):
    """A number of JSON as it is spelled."""


def _jsonl(data: bytes) -> Reading:
    lines = data.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    return _by_column([_spelled(line) for line in lines if line.strip(" \t\r")])


def _json(data: bytes) -> Reading:
    held = _spelled(data.decode("utf-8-sig"))
    if isinstance(held, dict) and held.keys() == {"columns", "data"}:
        return dict(zip(held["columns"], map(list, zip(*held["data"], strict=True)), strict=True))
    if isinstance(held, dict) and len({len(column) for column in held.values() if isinstance(column, list)}) == 1:
        return dict(held)
    return _by_column(held)


def _by_column(rows: Any) -> Reading:
    """Columns of objects, or of arrays of scores, which have no names."""
    if not isinstance(rows, list):
        raise Refused
    if rows and all(isinstance(row, list) for row in rows):
        return {"logits": rows}
    if not all(isinstance(row, dict) for row in rows):
        raise Refused
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _of_table(table: pa.Table) -> Reading:
    table.validate(full=True)
    return {name: table.column(name).to_pylist() for name in table.schema.names}


def _parquet(data: bytes) -> Reading:
    return _of_table(pq.read_table(pa.BufferReader(data), page_checksum_verification=True, use_threads=False))


def _arrow(data: bytes) -> Reading:
    begin = pa.ipc.open_file if data.startswith(b"ARROW1") else pa.ipc.open_stream
    with begin(pa.BufferReader(data)) as reader:
        return _of_table(reader.read_all())


def _npy(data: bytes) -> Reading:
    return {"logits": np.load(io.BytesIO(data), allow_pickle=False).tolist()}


def _npz(data: bytes) -> Reading:
    """The arrays that can be read; the others are left out, as the program says."""
    arrays = {}
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        for name in held.files:
            try:
                arrays[name] = held[name]
            except Exception:  # numpy and zipfile raise all sorts
                continue
    matrices = [name for name, array in arrays.items() if array.ndim == 2]
    return {"logits" if name in matrices else name: array.tolist() for name, array in arrays.items()}


COMPUTED = ("prediction", "confidence")
LOGIT = "logit_"


def differences(ours: pa.Table, reading: Reading) -> list[str]:
    """Say where the output of ``predict --emit logit`` is not what a strict reader has read.

    A logit is that of a column whose name ends in the name of its class; every other column passed through.
    """
    rows = len(next(iter(reading.values()), []))
    if ours.num_rows != rows:
        return [f"{rows} rows were read as {ours.num_rows}"]
    numbers = dict(_numbers(reading))
    found = []
    for name in ours.schema.names:
        values = ours.column(name).to_pylist()
        if name.startswith(LOGIT):
            ending = name.removeprefix(LOGIT)
            if ending.startswith("not ") and not any(values):
                continue
            if not any(key.endswith(ending) and column == values for key, column in numbers.items()):
                found.append(f"no column is the logit {ending!r}")
        elif name not in COMPUTED:
            same = [key for key, column in reading.items() if _texts(column) == _texts(values)]
            if not any(key.strip() == name or key.strip().endswith(f"{name}s") for key in same):
                found.append(f"column {name!r} has other values")
    return found


def _numbers(reading: Reading) -> Iterator[tuple[str, list[float | None]]]:
    """The columns as numbers; lists give a column for each place."""
    for name, column in reading.items():
        lengths = {len(value) for value in column if isinstance(value, list)}
        for place in range(lengths.pop() if len(lengths) == 1 else 0):
            yield str(place), [number(value[place]) if isinstance(value, list) else None for value in column]
        yield name.strip(), [number(value) for value in column]


def _texts(column: list[Any]) -> list[str]:
    return ["" if value is None else value.strip() if isinstance(value, str) else json_text(value) for value in column]


def json_text(value: Any) -> str:
    """A value that is no text as JSON, its numbers as they are spelled."""
    if isinstance(value, Spelled):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(json_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{json_text(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False, default=str)
