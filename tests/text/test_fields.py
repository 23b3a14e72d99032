"""Delimited rows: what the ``csv`` module finds in well-formed text, and what is wrong with a row in any other."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.text.parsing import (
    SKIPPED,
    Dialect,
    Flaw,
    Parsed,
    Reason,
    cell_texts,
    joined_cells,
    parse,
    row_end,
    text_role,
)

TEXTS = np.array([text_role(0), text_role(1), text_role(2)], np.int32)
MIXED = np.array([text_role(0), 0, text_role(1)], np.int32)
DELIMITERS = ",;|\t"

cells = st.text(st.sampled_from('ab"\n\r,;|\t é🦊0'), max_size=12) | st.text(st.characters(codec="utf-8"), max_size=30)


def written(rows: list[list[str]], delimiter: str, line_end: str, quote_all: bool) -> str:
    def field(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quote_all or set(text) & set(f'{delimiter}"\r\n') else text

    return "".join(delimiter.join(map(field, row)) + line_end for row in rows)


def by_csv(text: str, delimiter: str) -> list[list[str]]:
    """Rows by the standard library; a blank line is none."""
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]


def texts_of(data: bytes, parsed: Parsed) -> list[list[str | None]]:
    columns = [cell_texts(data, parsed.spans[:, i], True) for i in range(parsed.spans.shape[1])]
    return [list(row) for row in zip(*columns, strict=True)]


tables = st.tuples(
    st.lists(st.lists(cells, min_size=3, max_size=3), max_size=8),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    st.booleans(),
    st.booleans(),
)


@given(tables)
def test_rows_are_those_of_the_csv_module(table):
    rows, delimiter, line_end, quote_all, cut = table
    text = written(rows, delimiter, line_end, quote_all)
    text = text.removesuffix(line_end) if cut else text
    data = text.encode()
    parsed = parse(data, TEXTS, Dialect(delimiter))
    assert parsed.flaws == []
    assert texts_of(data, parsed) == by_csv(text, delimiter) == rows
    records = [data[a:b].decode() for a, b in zip(parsed.starts, parsed.starts[1:], strict=False)]
    assert [by_csv(record, delimiter)[0] for record in records] == rows
    assert parsed.starts[-1] == len(data)


@given(tables, st.data())
def test_blocks_of_whole_rows_are_read_as_the_whole(table, draw):
    """Cut wherever `row_end` says, from any first look on."""
    rows, delimiter, line_end, quote_all, _ = table
    data = written(rows, delimiter, line_end if "\n" in line_end else "\n", quote_all).encode()
    at, found, lines = 0, [], 0
    while at < len(data):
        end, some = row_end(data[at : at + draw.draw(st.integers(1, len(data)))], delimiter)
        if not end:  # no whole row yet: all that is left
            end, some = len(data) - at, data.count(b"\n", at)
        assert some == data.count(b"\n", at, at + end)
        block = data[at : at + end]
        parsed = parse(block, TEXTS, Dialect(delimiter))
        assert parsed.flaws == []
        found += texts_of(block, parsed)
        at, lines = at + end, lines + some
    assert found == rows
    assert lines == data.count(b"\n")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b"", 0),
        (b"1,2", 0),
        (b"1,2\n3", 4),
        (b'"a\nb",2\n3', 8),  # a newline inside quotes is none
        (b'1\n"a\nb', 2),  # the cell is still open
        (b'1\n"a\nb\n', 2),
        (b'1\n"a""\nb', 2),  # a doubled quote does not close
        (b'"a""b",""\n"c', 10),
        (b'5" pipe,1\n"a\nb\n', 10),
        (b'5" pipe,1\n6" pipe,2\n7', 20),  # a quote inside a cell opens nothing
        (b'5" pipe,"x\ny"\n7', 14),
        (b'1,"x\ny",2\n3,"z","w\nv",4', 10),
        (b'a;"b\nc;"d\n', 10),  # for commas these are characters: a semicolon parts nothing
        (b"1\r2\r\n3\r", 5),
    ],
)
def test_end_of_the_last_row(text, end):
    assert row_end(text, ",") == (end, text.count(b"\n", 0, end))


@given(st.text(st.sampled_from('ab",\n\r 1'), max_size=40), st.sampled_from(",;"))
def test_any_text_is_cut_where_a_row_of_it_ends(text, delimiter):
    """Whatever is quoted, badly too: both parts together are the rows of the whole."""
    data = text.encode()
    end, _ = row_end(data, delimiter)
    roles = np.array([text_role(0), 0], np.int32)

    def records(part: bytes) -> list[bytes]:
        parsed = parse(part, roles, Dialect(delimiter))
        return [part[a:b].strip(b"\r\n") for a, b in zip(parsed.starts, parsed.starts[1:], strict=False)]

    assert records(data[:end]) + records(data[end:]) == records(data)
    assert end == 0 or data[end - 1 : end] == b"\n"


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        ("r,abc,t", Flaw(1, 1, Reason.NOT_A_NUMBER, 3, (2, 5))),
        ('r,"1,5",t', Flaw(1, 1, Reason.NOT_A_NUMBER, 3, (2, 7))),
        ("r,1_0,t", Flaw(1, 1, Reason.NOT_A_NUMBER, 3, (2, 5))),
        ("r,1", Flaw(1, None, Reason.FIELD_COUNT, 2, (0, 3))),
        ("r,x", Flaw(1, None, Reason.FIELD_COUNT, 2, (0, 3))),  # a row that is cut is no matter of its numbers
        ("r", Flaw(1, None, Reason.FIELD_COUNT, 1, (0, 1))),
        (" ", Flaw(1, None, Reason.FIELD_COUNT, 1, (0, 1))),
        ("r,1,t,", Flaw(1, None, Reason.FIELD_COUNT, 4, (0, 6))),
        ('r,1,t,"u,v"', Flaw(1, None, Reason.FIELD_COUNT, 4, (0, 11))),
        ('r,"1"2,t', Flaw(1, 1, Reason.TEXT_AFTER_QUOTE, 3, (2, 6))),
        ('"r"s,x,t', Flaw(1, 0, Reason.TEXT_AFTER_QUOTE, 3, (0, 4))),
        ('"r"s,1', Flaw(1, 0, Reason.TEXT_AFTER_QUOTE, 2, (0, 4))),
        ('r,1,t,"u"v', Flaw(1, None, Reason.TEXT_AFTER_QUOTE, 4, (6, 10))),
    ],
)
def test_what_is_wrong_with_a_row(row, flaw):
    """The rows around it are read; the first of several things of a kind is named, the gravest kind first."""
    start = len("r0,1,t\n")
    parsed = parse(f"r0,1,t\n{row}\nr2,2,t\n".encode(), MIXED, Dialect())
    (found,) = parsed.flaws
    assert found._replace(cell=(found.cell[0] - start, found.cell[1] - start)) == flaw
    assert parsed.scores[[0, -1], 0].tolist() == [1, 2]
    assert len(parsed.scores) == 3


@pytest.mark.parametrize("rest", ["", "s\n", '""\n', 't""\n3,4,5\n'])
def test_a_quote_that_nothing_closes_takes_the_rest_of_the_text(rest):
    data = f'r0,1,t\nr,2,"open,{rest}'.encode()
    parsed = parse(data, MIXED, Dialect())
    assert parsed.flaws == [Flaw(1, 2, Reason.OPEN_QUOTE, 3, (11, len(data)))]
    assert parsed.scores[:, 0].tolist() == [1, 2]
    assert texts_of(data, parsed)[1] == ["r", f'"open,{rest}']


def test_rows_that_do_not_fit_are_filled_up_and_cut():
    data = b"a,1,x\nb\nc,3,y,z\nd,4\n"
    parsed = parse(data, MIXED, Dialect())
    assert texts_of(data, parsed) == [["a", "x"], ["b", ""], ["c", "y"], ["d", ""]]
    assert np.array_equal(parsed.scores[:, 0], [1, np.nan, 3, 4], equal_nan=True)


def test_a_quote_inside_a_field_is_a_character():
    data = b'5" pipe,1,a"b""c\n'
    parsed = parse(data, MIXED, Dialect())
    assert parsed.flaws == []
    assert texts_of(data, parsed) == [['5" pipe', 'a"b""c']]


def test_runs_of_delimiters_are_one():
    """As NumPy, pandas and printf pad columns; a line of nothing else is blank."""
    data = b'  a   1.5  x \n b "2.5"   "y  z"\n   \n\nc  -3 w'
    parsed = parse(data, MIXED, Dialect(" ", runs=True))
    assert parsed.flaws == []
    assert parsed.scores[:, 0].tolist() == [1.5, 2.5, -3]
    assert texts_of(data, parsed) == [["a", "x"], ["b", "y  z"], ["c", "w"]]
    (flaw,) = parse(b"a 1\n", MIXED, Dialect(" ", runs=True)).flaws
    assert (flaw.reason, flaw.fields) == (Reason.FIELD_COUNT, 2)


@pytest.mark.parametrize("width", [3, 128, 129, 1000])
def test_scores_lie_as_the_arithmetic_wants_them(width):
    """Column by column up to 128, then row by row, and in the order of their roles."""
    rows = np.random.default_rng(0).normal(size=(40, width)).round(3)
    text = "\n\n".join(",".join(map(str, row)) for row in rows.tolist())
    parsed = parse(text.encode(), np.arange(width, dtype=np.int32)[::-1].copy(), Dialect())
    assert (parsed.scores == rows[:, ::-1]).all()
    assert parsed.scores.flags.f_contiguous == (width <= 128)
    assert parsed.scores.flags.c_contiguous == (width > 128)


def test_columns_that_nobody_asked_for_are_passed_over():
    data = b'"a,\n",1,"x"\nb,2,y\n'
    parsed = parse(data, np.array([SKIPPED, 0, SKIPPED], np.int32), Dialect())
    assert (parsed.scores[:, 0].tolist(), parsed.spans.shape, parsed.flaws) == ([1, 2], (2, 0, 2), [])


def test_cells_are_laid_out_as_arrow_wants_them():
    data = 'a,"b""c",x\n,"",é\n'.encode()
    parsed = parse(data, TEXTS, Dialect())
    found = [joined_cells(data, parsed.spans[:, i], True) for i in range(3)]
    assert [(bytes(text), ends.tolist()) for text, ends in found] == [
        (b"a", [0, 1, 1]), (b'b"c', [0, 3, 3]), ("xé".encode(), [0, 1, 3]),
    ]  # fmt: skip


def test_no_rows():
    for data in (b"", b"\n", b"\r\n\r"):
        parsed = parse(data, MIXED, Dialect())
        assert (parsed.scores.shape, parsed.spans.shape, parsed.flaws) == ((0, 1), (0, 2, 2), [])
        assert parsed.starts.tolist() == [len(data)]
