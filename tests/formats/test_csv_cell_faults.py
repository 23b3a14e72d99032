"""What is said about a row that is bad: where it stands and what is wrong with it."""

from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.formats.csv.faults import RowPlaces
from softmax_cli.formats.csv.reader import decode
from softmax_cli.formats.csv.sniff import Sniffed
from softmax_cli.tables.table import Block, Place
from softmax_cli.text.parsing import Dialect, parse, text_role

NAMES = ("id", "cat", "dog")


def decoded(text: str, delimiter: str = ",", decimal: str = ".", first_line: int = 2):
    sniffed = Sniffed(Dialect(delimiter, decimal), NAMES, frozenset(NAMES[1:]), 0, 0)
    return decode(Block(bytearray(text.encode()), first_line=first_line), NAMES[1:], sniffed, "x.csv")


def fault(row: str, **layout: str) -> tuple[str | None, str]:
    (found,) = decoded(f"r0{layout.get('delimiter', ',')}1{layout.get('delimiter', ',')}2\n{row}\n", **layout).faults
    assert found.row == 1
    return found.column, found.problem


@pytest.mark.parametrize(
    ("row", "column", "problem"),
    [
        ("r,1,abc", "dog", "'abc' is not a number"),
        ("r,x,y", "cat", "'x' is not a number"),  # the first of a row
        ("r,1,1_0", "dog", "'1_0' is not a number"),
        ('r,1,"1,5"', "dog", "'1,5' is not a number; if the comma is a decimal mark, add --decimal ,"),
        ("r,1", None, "2 fields where the header has 3"),
        ("r,1,2,", None, "4 fields where the header has 3"),
        ("r,x", None, "2 fields where the header has 3"),  # a row that is cut is not read
        ("r;1;2", None, "1 field where the header has 3 (parted at ','; another one: --delimiter)"),
        ('r,1,2,"3"', None, "4 fields where the header has 3"),
        ('"r\n",1', None, "2 fields where the header has 3; lines 3 to 4 were read as one row (is a quote left open?)"),
        ('"r,1,2', "id", "a quote is opened that nothing closes: was the file cut short?"),
        (
            '"r,1,2\ns,3,4',
            "id",
            "a quote is opened that nothing closes; lines 3 to 4 were read as one row: was the file cut short?",
        ),
        ('r,"1"2,3', "cat", 'text after a closing quote: "1"2; double the quotes within a cell'),
        (
            '"r\ns"t,1,2',
            "id",
            'text after a closing quote: "r\ns"t; lines 3 to 4 were read as one row; double the quotes within a cell',
        ),
        (f"r,1,{'x' * 100}", "dog", f"'{'x' * 57}...' is not a number"),
    ],
)
def test_what_is_wrong_with_a_row(row, column, problem):
    assert fault(row) == (column, problem)


def test_with_a_decimal_comma_the_point_is_no_mark():
    assert fault("r;1,5;1.5", delimiter=";", decimal=",") == ("dog", "'1.5' is not a number")


@pytest.mark.parametrize("missing", ["", "NA", "nan", "null", " "])
def test_a_missing_value_is_nan_without_a_fault(missing):
    """The scoring finds it, in the same words, whatever else is in the block."""
    for rest in ("", "r1,1,abc\n"):
        found = decoded(f"r0,{missing},2\n{rest}")
        assert [f.row for f in found.faults] == ([1] if rest else [])
        assert found.batch.column("cat").to_pylist()[0] in (None, pytest.approx(float("nan"), nan_ok=True))
        assert found.place(0, "cat").found == missing


def test_rows_that_do_not_fit_are_kept():
    """Short ones are padded, long ones cut; what could be read is there."""
    batch = decoded("a,1\nb,1,2,3\nc,4,5\n").batch
    assert batch.column("id").to_pylist() == ["a", "b", "c"]
    assert batch.column("cat").to_pylist() == [1.0, 1.0, 4.0]
    assert batch.column("dog").to_pylist()[1:] == [2.0, 5.0]


def test_places_are_physical_lines():
    """After quoted newlines, blank lines and CRLF; the record is the text of the row."""
    found = decoded('a,1,2\r\n\r\n"b\r\n""x""",3,4\r\n\nc,5,six\nd,7,8', first_line=10)
    places = [found.place(row, "dog") for row in range(4)]
    assert places == [
        Place("x.csv:10", "2", "a,1,2"),
        Place("x.csv:12", "4", '"b\r\n""x""",3,4'),
        Place("x.csv:15", "six", "c,5,six"),
        Place("x.csv:16", "8", "d,7,8"),
    ]
    assert found.batch.column("id").to_pylist() == ["a", 'b\r\n"x"', "c", "d"]


def test_a_cell_that_a_short_row_has_not_is_empty():
    assert decoded("a,1\n").place(0, "dog") == Place("x.csv:2", "", "a,1")


def test_rows_of_several_lines_are_counted_by_their_first():
    data = bytearray(b'a,1,2\n"b\nb",3,4\nc,5,6\n')
    sniffed = Sniffed(Dialect(), NAMES, frozenset(NAMES[1:]), 0, 0)
    roles = np.array([text_role(0), text_role(1), text_role(2)], np.int32)
    places = RowPlaces(Block(data, first_line=10), parse(data, roles, sniffed.dialect).starts, sniffed, "x.csv")
    assert places.place(1, "dog") == Place("x.csv:11", "4", '"b\nb",3,4')
    assert places.place(2, None) == Place("x.csv:13", "", "c,5,6")
