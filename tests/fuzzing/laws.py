"""The laws that the fuzzer tries to break; `python -m tests.fuzzing` starts this with an instrumented core.

The first byte of an input chooses the law, the next three its settings, the rest is what it is about. Every buffer is
copied to memory of just its size, so that AddressSanitizer sees a byte that is read or written beside it.
"""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec

import atheris
import numpy as np
from numpy.typing import NDArray

CORE = "softmax_cli.text._core"
loader = ExtensionFileLoader(CORE, sys.argv[1])
sys.modules[CORE] = module_from_spec(ModuleSpec(CORE, loader, origin=sys.argv[1]))
loader.exec_module(sys.modules[CORE])

from softmax_cli.text.formatting import (  # noqa: E402 (with the core that was just loaded)
    LineFormat,
    Numbers,
    Texts,
    format_numbers,
    number_style,
    text_spans,
    write_rows,
)
from softmax_cli.text.parsing import (  # noqa: E402
    Dialect,
    Flaw,
    Parsed,
    Reason,
    cell_texts,
    parse,
    parse_objects,
    row_end,
    text_role,
)

DELIMITERS = ",;\t |"
MISSING = ("", "na", "n/a", "#n/a", "<na>", "null", "none", "nan", "+nan", "-nan")
TEXTS = np.array([text_role(0), text_role(1), text_role(2)], np.int32)
MIXED = np.array([text_role(0), 0, 1], np.int32)
KEYS = (b'"id"', b'"a"', b'"z"')
SIZES = np.array([-1, -1, 2], np.int32)


def law_of_rows(delimiter: int, options: int, _: int, text: bytes) -> None:
    """Cells are where a second look finds them, numbers are Python's, and what is written reads back."""
    dialect = Dialect(DELIMITERS[delimiter % 5], ",."[options & 1], bool(options & 2))
    text = text.replace(b"\0", b"")  # readers of text refuse it before they ask the core
    data = alone(text)
    end, lines = row_end(data, dialect.delimiter)
    assert lines == text.count(b"\n", 0, end)
    texts, numbers = parse(data, TEXTS, dialect), parse(data, MIXED, dialect)
    check_places(texts, len(text))
    check_places(numbers, len(text))
    assert texts.starts.tolist() == numbers.starts.tolist()
    columns = [cell_texts(data, texts.spans[:, i], True) for i in range(3)]
    short = {flaw.row: flaw.fields for flaw in texts.flaws}
    odd = {flaw.row for flaw in texts.flaws if flaw.reason != Reason.FIELD_COUNT}
    refused = {flaw.row for flaw in numbers.flaws if flaw.reason == Reason.NOT_A_NUMBER}
    for row in set(range(len(texts.starts) - 1)) - odd:
        cells = [columns[i][row] or "" for i in (1, 2) if i < short.get(row, 3)]
        bare = [cell_is_bare(data, texts, row, i) for i in (1, 2)]
        point = [None if dialect.decimal == dialect.delimiter and is_bare else dialect.decimal for is_bare in bare]
        wanted = [plain_float(cell, mark) for cell, mark in zip(cells, point, strict=False)]
        found = numbers.scores[row, : len(cells)].tolist()
        assert [nan_if_none(value) for value in wanted] == list(map(repr, found)), (cells, found)
        if short.get(row, 3) == 3:
            assert (None in wanted) == (row in refused), cells
    if not odd:
        check_written(data, texts, columns, DELIMITERS[options >> 2 & 3])


def check_places(parsed: Parsed, size: int) -> None:
    spans = parsed.spans
    assert ((spans >= 0) & (spans <= size)).all()
    assert (spans[..., 0] <= spans[..., 1]).all()
    assert (np.diff(parsed.starts) >= 0).all()
    assert parsed.starts[-1] == size
    assert all(flaw_lies_within(flaw, size) for flaw in parsed.flaws)


def flaw_lies_within(flaw: Flaw, size: int) -> bool:
    return 0 <= flaw.cell[0] <= flaw.cell[1] <= size and flaw.fields >= 0


def cell_is_bare(data: NDArray[np.uint8], parsed: Parsed, row: int, column: int) -> bool:
    start, end = parsed.spans[row, column].tolist()
    return start == end or data[start] != ord('"')


def check_written(data: NDArray[np.uint8], parsed: Parsed, columns: list[list[str | None]], delimiter: str) -> None:
    """Text that passes through reads back the same, in delimited lines and in JSON."""
    rows = len(parsed.starts) - 1
    mark = delimiter.encode()
    parts = [Texts(mark if i else b"", data, parsed.spans[:, i], "field") for i in range(3)]
    written = alone(bytes(write_rows(parts, rows, LineFormat(delimiter))))
    again = parse(written, TEXTS, Dialect(delimiter))
    assert again.flaws == []
    assert [cell_texts(written, again.spans[:, i], True) for i in range(3)] == columns
    keys = (b'{"0":', b',"1":', b',"2":')
    parts = [Texts(key, data, parsed.spans[:, i], "field") for i, key in enumerate(keys)]
    lines = bytes(write_rows(parts, rows, LineFormat(json=True), b"}\n")).decode("utf-8", "replace").split("\n")[:-1]
    assert [list(json.loads(line).values()) for line in lines] == list(map(list, zip(*columns, strict=True)))


def law_of_objects(_: int, __: int, ___: int, text: bytes) -> None:
    """A line that is taken is what the ``json`` module reads."""
    data = alone(text)
    parsed = parse_objects(data, KEYS, MIXED, SIZES)
    odd = {flaw.row for flaw in parsed.flaws}
    ids = cell_texts(data, parsed.spans[:, 0], False)
    for row in set(range(len(parsed.starts) - 1)) - odd:
        line = text[parsed.starts[row] : parsed.starts[row + 1]].decode("utf-8", "replace")
        held = json.loads(line, parse_int=Spelled, parse_float=Spelled)
        assert list(held) == ["id", "a", "z"]
        assert ids[row] == (held["id"] if held["id"] is None or isinstance(held["id"], str) else json.dumps(held["id"]))
        assert parsed.scores[row].tolist() == [float(held["a"]), *map(float, held["z"])]


class Spelled(str):
    """A number of JSON as it stands in the file."""


def law_of_numbers(kind: int, digits: int, decimals: int, text: bytes) -> None:
    """Numbers are written as Python's ``format`` writes them, wherever they stand."""
    values = np.frombuffer(text[: len(text) // 8 * 8], np.float64)
    digits = 1 + digits % 17
    fixed = decimals % 18 if decimals & 64 else None
    if kind & 1:
        values = np.abs(values[(values >= 0) & (values <= 1)])
    style = number_style("probability" if kind & 1 else "number", digits, fixed)
    found = format_numbers(values, style)
    finite = bool(kind & 2)
    part = Numbers(b"", [b","], values[:, None], style, b"null", finite)
    lines = write_rows([part], len(values), LineFormat(), b"\n").decode().split("\n")[:-1]
    for value, one, line in zip(values.tolist(), found, lines, strict=True):
        assert line == "," + ("null" if math.isnan(value) or (finite and math.isinf(value)) else one)
        if math.isnan(value):
            assert one == ""
        elif fixed is None:
            assert float(one) == float(f"{value:.{digits - 1}e}") or (kind & 1 and float(one) == float(f"{value:.12f}"))
        elif abs(value) < 1e17:
            assert one == f"{abs(value) if kind & 1 else value:.{fixed}f}"
        else:
            assert float(one) == value


def law_of_texts(delimiter: int, options: int, width: int, text: bytes) -> None:
    """Any text, cut anywhere, is one cell of a line; read back, it is the same, but for the mark of a formula."""
    size = 1 + width % 32
    cells = [text[at : at + size].decode("utf-8", "replace") for at in range(0, len(text), size)]
    data, spans = text_spans([None if options & 1 and cell == "null" else cell for cell in cells])
    apart, escape = DELIMITERS[delimiter % 5], bool(options & 2)
    row = Texts(b"x" + apart.encode(), alone(data), spans, "text", missing=b"null")
    written = bytes(write_rows([row], len(cells), LineFormat(apart, escape_formulas=escape))).decode()
    found = [read[1] for read in csv.reader(io.StringIO(written, newline=""), delimiter=apart)]
    for cell, read in zip(cells, found, strict=True):
        is_marked = escape and read == "'" + cell and cell[0] in "=+-@\t\r"
        assert is_marked or (read == cell and not (escape and cell[:1] in ("=", "@"))), (cell, read)
    value = row._replace(before=b'{"0":')
    lines = bytes(write_rows([value], len(cells), LineFormat(json=True), b"}\n")).decode().split("\n")[:-1]
    assert [json.loads(line)["0"] or "" for line in lines] == ["" if options & 1 and c == "null" else c for c in cells]


def alone(text: bytes) -> NDArray[np.uint8]:
    """A copy that ends where its memory ends."""
    return np.frombuffer(text, np.uint8).copy()


def plain_float(cell: str, decimal: str | None) -> float | None:
    """What a cell stands for by Python's own parser, None where that is no number."""
    if decimal is None:
        cell = cell.replace(".", "_")
    elif decimal == ",":
        cell = cell.translate(str.maketrans(",.", ".,"))
    stripped = cell.strip(" \t\n\v\f\r").lower()
    if stripped in MISSING:
        return math.nan
    if "_" in cell or not stripped.isascii():
        return None
    try:
        return float(stripped)
    except ValueError:
        return None


def nan_if_none(value: float | None) -> str:
    return repr(math.nan if value is None else value)


LAWS = (law_of_rows, law_of_objects, law_of_numbers, law_of_texts)


def break_a_law(text: bytes) -> None:
    if len(text) >= 4:
        LAWS[text[0] % len(LAWS)](*text[1:4], text[4:])


if __name__ == "__main__":
    atheris.Setup(sys.argv[:1] + sys.argv[2:], break_a_law)
    atheris.Fuzz()
