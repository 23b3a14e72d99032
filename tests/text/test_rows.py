"""Lines that are written: what the ``csv`` and ``json`` modules read back is what went in."""

from __future__ import annotations

import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.text.formatting import (
    LineFormat,
    Numbers,
    Texts,
    encoded_texts,
    format_numbers,
    number_style,
    text_spans,
    write_rows,
)
from softmax_cli.text.parsing import Dialect, parse, text_role

NINE = number_style("probability")
ANY = number_style("number")
DELIMITERS = ",;|\t"
texts = st.text(st.sampled_from('ab,;|"\r\n\t\0\\=+-@1é\U0001f600'), max_size=12) | st.text(
    st.characters(codec="utf-8"), max_size=30
)
shares = st.floats(0, 1) | st.just(math.nan)
any_numbers = st.floats()


def fields(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def field(text: str, delimiter: str) -> str:
    """The definition of a field: in quotes where it holds a delimiter, a quote or an end of line (RFC 4180)."""
    return '"' + text.replace('"', '""') + '"' if set(text) & {delimiter, '"', "\n", "\r"} else text


tables = st.integers(1, 4).flatmap(
    lambda count: st.lists(
        st.tuples(texts | st.none(), texts, st.lists(shares, min_size=count, max_size=count), any_numbers), max_size=8
    )
)


@given(tables, st.sampled_from(DELIMITERS))
def test_delimited_lines(rows, delimiter):
    """The bytes are those of the definitions; missing text and nan are empty."""
    count = len(rows[0][2]) if rows else 1
    mark = delimiter.encode()
    values = np.array([row[2] for row in rows], np.float64).reshape(len(rows), count)
    columns = [
        Texts(b"", *text_spans([row[0] for row in rows])),
        Texts(mark, *text_spans([row[1] for row in rows])),
        Numbers(mark, [b"", *[mark] * (count - 1)], np.asfortranarray(values), NINE),
        Numbers(mark, [b""], np.array([[row[3]] for row in rows], np.float64).reshape(-1, 1), ANY),
    ]
    found = write_rows(columns, len(rows), LineFormat(delimiter)).decode()
    wanted = [
        [field(row[0] or "", delimiter), field(row[1], delimiter)]
        + format_numbers(np.array(row[2]), NINE) + format_numbers(np.array([row[3]]), ANY)
        for row in rows
    ]  # fmt: skip
    assert found == "".join(delimiter.join(row) + "\n" for row in wanted)
    assert [row[:2] for row in fields(found, delimiter)] == [[row[0] or "", row[1]] for row in rows]


@given(tables)
def test_json_lines(rows):
    """Valid JSON, with null for what is missing or has no name in it; computed numbers as in delimited lines."""
    count = len(rows[0][2]) if rows else 1
    values = np.array([row[2] for row in rows], np.float64).reshape(len(rows), count)
    keys = [f'"p{i}":'.encode() for i in range(count)]
    columns = [
        Texts(b'{"a":', *text_spans([row[0] for row in rows]), missing=b"null"),
        Texts(b',"b":', *text_spans([row[1] for row in rows]), missing=b"null"),
        Numbers(b",", [keys[0], *[b"," + key for key in keys[1:]]], values, NINE, b"null", True),
        Numbers(b",", [b'"x":'], np.array([[row[3]] for row in rows]).reshape(-1, 1), ANY, b"null", True, after=b"}"),
    ]
    found = write_rows(columns, len(rows), LineFormat(json=True)).decode()
    lines = found.split("\n")[:-1]
    assert len(lines) == len(rows)
    for line, row in zip(lines, rows, strict=True):
        parsed = json.loads(line, parse_constant=pytest.fail)
        assert list(parsed) == ["a", "b", *[f"p{i}" for i in range(count)], "x"]
        assert (parsed["a"], parsed["b"]) == (row[0], row[1])
        start = f'{{"a":{json.dumps(row[0], ensure_ascii=False)},"b":{json.dumps(row[1], ensure_ascii=False)},'
        assert line.startswith(start)
        numbers = [*zip(row[2], [NINE] * count, strict=True), (row[3], ANY)]
        written = [format_numbers(np.array([x]), style)[0] if math.isfinite(x) else "null" for x, style in numbers]
        assert list(parsed.values())[2:] == [json.loads(text) for text in written]


@given(
    st.lists(st.lists(texts, min_size=3, max_size=3), min_size=1, max_size=6),
    st.sampled_from(DELIMITERS),
    st.sampled_from(DELIMITERS),
    st.booleans(),
)
def test_fields_pass_from_one_file_to_another(rows, before, after, quote_all):
    """Whatever quotes a cell had: it gets those that the new line calls for, and no others."""

    def given(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quote_all else field(text, before)

    data = "".join(before.join(map(given, row)) + "\n" for row in rows).encode()
    parsed = parse(data, np.array([text_role(i) for i in range(3)], np.int32), Dialect(before))
    columns = [Texts(after.encode() if i else b"", data, parsed.spans[:, i], "field") for i in range(3)]
    found = write_rows(columns, len(rows), LineFormat(after)).decode()
    assert found == "".join(after.join(field(text, after) for text in row) + "\n" for row in rows)
    keys = [b'{"0":', b',"1":', b',"2":']
    objects = [Texts(keys[i], data, parsed.spans[:, i], "field", b"}" if i == 2 else b"") for i in range(3)]
    lines = write_rows(objects, len(rows), LineFormat(json=True)).decode().split("\n")[:-1]
    assert [list(json.loads(line).values()) for line in lines] == rows


@pytest.mark.parametrize("row", ['"a"b,1', '"a"b""c,1', 'a"b,1', '"a,1\n', '"a""'])
def test_a_field_with_bad_quotes_keeps_them(row):
    """It passes through as the text that stands in the file."""
    data = row.encode()
    parsed = parse(data, np.array([text_role(0)], np.int32), Dialect())
    raw = data[parsed.spans[0, 0, 0] : parsed.spans[0, 0, 1]].decode()
    found = write_rows([Texts(b"", data, parsed.spans[:, 0], "field")], 1, LineFormat()).decode()
    assert fields(found, ",") == [[raw]]


def test_no_line_is_empty():
    """Most readers skip an empty line, and the row would be lost."""
    empty = Texts(b"", *text_spans(["", "x", None]))
    assert write_rows([empty], 3, LineFormat()) == b'""\nx\n""\n'
    numbers = Numbers(b"", [b""], np.array([[np.nan], [0.5]]), NINE)
    assert write_rows([numbers], 2, LineFormat()) == b'""\n0.500000000000\n'
    assert write_rows([], 2, LineFormat(json=True), b"{}\n") == b"{}\n{}\n"


def test_formulas_get_an_apostrophe_where_that_is_asked_for():
    """A leading minus is mostly a number; only what is none is a formula."""
    cells = ["=1+1", "-5", "+1e3", " -5", "-.5 ", "-x", "@a", "\tb", "\r", "-inf", "=", "ok", "", '=a","', "+"]
    column = Texts(b"", *text_spans(cells))
    found = fields(write_rows([column], len(cells), LineFormat(escape_formulas=True)).decode(), ",")
    assert [row[0] for row in found] == [
        "'=1+1", "-5", "+1e3", " -5", "-.5 ", "'-x", "'@a", "'\tb", "'\r", "'-inf", "'=", "ok", "", "'=a\",\"", "'+",
    ]  # fmt: skip
    plain = fields(write_rows([column], len(cells), LineFormat()).decode(), ",")
    assert [row[0] for row in plain] == cells
    quoted = parse(b'"=1+1","-5"\n', np.array([text_role(0), text_role(1)], np.int32), Dialect())
    values = column._replace(encoding="value")
    unchanged = fields(write_rows([values], len(cells), LineFormat(escape_formulas=True)).decode(), ",")
    assert [row[0] for row in unchanged] == cells
    fields_of = [Texts(b"," * i, b'"=1+1","-5"\n', quoted.spans[:, i], "field") for i in range(2)]
    assert write_rows(fields_of, 1, LineFormat(escape_formulas=True)) == b"'=1+1,-5\n"


def test_rows_that_have_no_numbers():
    """A list is missing as a whole, or one of its numbers is."""
    values = np.array([[0.25, 0.75], [9, 9], [1, np.nan]])
    present = np.array([True, False, True])
    column = Numbers(b'{"p":', [b"[", b","], values, NINE, b"null", True, b"]", present, b"null", b"}")
    lines = ['{"p":[0.250000000000,0.750000000000]}', '{"p":null}', '{"p":[1.000000000000,null]}', ""]
    assert write_rows([column], 3, LineFormat(json=True)).decode().split("\n") == lines
    column = column._replace(before=b"x,", keys=[b'"[', b","], closing=b']"', absent=b"", after=b"")
    lines = ['x,"[0.250000000000,0.750000000000]"', "x,", 'x,"[1.000000000000,null]"', ""]
    assert write_rows([column], 3, LineFormat()).decode().split("\n") == lines


@pytest.mark.parametrize("rows", [1, 7, 5000])
def test_memory_grows_where_text_needs_more_than_was_thought(rows):
    """Every byte may take six in JSON, and two in a delimited line."""
    cells = ["\x01" * 50, '"' * 99, "é" * 10] * rows
    spans = text_spans(cells)
    lines = write_rows([Texts(b"", *spans)], len(cells), LineFormat(json=True)).decode().split("\n")[:-1]
    assert [json.loads(line) for line in lines] == cells
    assert [row[0] for row in fields(write_rows([Texts(b"", *spans)], len(cells), LineFormat()).decode(), ",")] == cells


@given(st.lists(texts, max_size=6), st.booleans())
def test_names_are_encoded_once(names, as_json):
    form = LineFormat(json=as_json)
    data, spans = encoded_texts(*text_spans(names), form)
    wanted = [json.dumps(name, ensure_ascii=False) if as_json else field(name, ",") for name in names]
    assert [bytes(data[a:b]).decode() for a, b in spans[:-1].tolist()] == wanted
    codes = np.array([*range(len(names)), *range(-1, len(names))][::-1], np.int32)
    column = Texts(b"<", data, spans[codes], "ready", b">", b"none")
    told = [*wanted, "none"]
    assert write_rows([column], len(codes), form, b"").decode() == "".join(f"<{told[code]}>" for code in codes)


def test_a_value_that_is_no_probability_is_refused():
    for value in (-0.5, 10.0, math.inf):
        values = np.array([[0.5, 0.5], [0.5, value]])
        with pytest.raises(ValueError, match=f"{value!r} is not a probability"):
            write_rows([Numbers(b"", [b"", b","], values, NINE)], 2, LineFormat())


@pytest.mark.parametrize("order", ["C", "F"])
def test_any_layout_of_the_numbers(order):
    values = np.array(np.arange(24).reshape(4, 6) / 32, order=order)
    plain = [",".join(format_numbers(row, NINE)) for row in np.ascontiguousarray(values[::2, ::3])]
    column = Numbers(b"", [b"", b","], values[::2, ::3], NINE)
    assert write_rows([column], 2, LineFormat()).decode() == "".join(f"{line}\n" for line in plain)
