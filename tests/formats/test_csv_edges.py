"""Edges of delimited files that the inner parts each see only half of."""

import io

import pytest

from softmax_cli.errors import DataError
from softmax_cli.formats import csv
from softmax_cli.tables.table import ReadOptions


def read(data, scores=(), **options):
    table = csv.read(io.BytesIO(data), "t.csv", ReadOptions(**options))
    decoded = [table.decode(block, scores) for block in table.blocks]
    rows = [row for part in decoded for row in part.batch.to_pylist()]
    return table, rows, [fault.problem for part in decoded for fault in part.faults]


def test_types_are_learned_from_a_first_row_of_megabytes():
    table, rows, _ = read(b"text,cat\n" + b"x" * 3_000_000 + b",1.5\n", ("cat",))
    assert [str(field.type) for field in table.schema] == ["string", "double"]
    assert rows[0]["cat"] == 1.5


@pytest.mark.parametrize("end", [b'2,"y', b'2,"y\n', b'2,"y\n3,z\n'])
def test_a_file_cut_within_quotes_is_a_fault(end):
    _, _, problems = read(b'cat,text\n1,"x"\n' + end, ("cat",))
    assert len(problems) == 1
    assert "quote" in problems[0]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b'cat,"text', "the header opens a quote that nothing closes"),
        (b'cat,"te"xt', "text after a closing quote in the header"),
    ],
)
def test_a_header_cut_within_quotes_is_refused(header, message):
    """Else every row would be part of the name of a column, and a table without rows would come out."""
    with pytest.raises(DataError, match=rf"t\.csv: {message}"):
        read(header + b"\n1,x\n2,y\n")


def test_a_decimal_comma_parts_no_cells():
    _, rows, problems = read(b"1,5;2,5\n3,5;4,5\n", ("0", "1"), decimal=",", header=False)
    assert (rows, problems) == ([{"0": 1.5, "1": 2.5}, {"0": 3.5, "1": 4.5}], [])
