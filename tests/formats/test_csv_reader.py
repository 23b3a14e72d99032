"""Delimited text to Arrow: any block size gives the rows that the csv module finds in the whole text."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.formats.csv.reader import open_table
from softmax_cli.tables.table import ReadOptions, Table

DELIMITERS = ",;|\t"
SIZES = st.integers(1, 80) | st.just(1 << 21)
texts = st.text(st.sampled_from('ab"\n\r,;|\t é🦊0'), max_size=6) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0")
)
scores = (
    st.floats().map(repr) | st.integers().map(str) | st.sampled_from(["1e400", "-inf", " 2.5", "+1", ".5", "5.", "NaN"])
)
SPELLED_MISSING = ("", "NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NULL", "Null", "null", "None", "none")
odd_scores = scores | st.sampled_from([*SPELLED_MISSING, "abc", "0x1p3", "1_0", "1.000,5", "1 000", "-nan", "\u0661"])


def written(rows: list[list[str]], delimiter: str, line_end: str, quote_all: bool) -> str:
    """The text of a table; the csv module leaves a lone carriage return unquoted, where its own reader breaks."""

    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if quote_all or set(text) & set(f'{delimiter}"\r\n') else text

    return "".join(delimiter.join(map(cell, row)) + line_end for row in rows)


def opened(text: str | bytes, size: int = 1 << 21, **said: str) -> Table:
    data = text.encode() if isinstance(text, str) else text
    return open_table(io.BytesIO(data), "x.csv", ReadOptions(**said), block_bytes=size)


def read(table: Table, scores: list[str]) -> Iterator[dict[str, object]]:
    """Rows of a table, with their place and fault."""
    for block in table.blocks:
        decoded = table.decode(block, scores)
        faults = {fault.row: (fault.column, fault.problem) for fault in decoded.faults}
        for at, row in enumerate(decoded.batch.to_pylist()):
            place = decoded.place(at, None)
            values = {k: "nan" if v is None or v != v else v for k, v in row.items()}
            yield values | {None: (place.where, place.record, faults.get(at))}


@st.composite
def tables(draw: st.DrawFn, values: st.SearchStrategy[str] = scores) -> tuple[str, str]:
    """A text of a text column, a number column and another of text, in some dialect, and its delimiter."""
    rows = draw(st.lists(st.tuples(texts, values, texts), max_size=8))
    delimiter = draw(st.sampled_from(DELIMITERS))
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    text = written([["name", "x", "é"], *map(list, rows)], delimiter, ends, draw(st.booleans()))
    if draw(st.booleans()):  # no final line end
        text = text.removesuffix(ends)
    if draw(st.booleans()):
        text = text.replace(f"é{ends}", f"é{ends}{ends}") + ends * 2
    return draw(st.sampled_from(["", "\ufeff"])) + text, delimiter


@given(tables(), SIZES)
@settings(deadline=None)
def test_any_block_size_gives_the_rows_of_the_csv_module(made, size):
    """Quoted delimiters, newlines and quotes, CRLF, blank lines, a byte order mark, no final newline."""
    text, delimiter = made
    expected = [
        row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter) if row
    ]
    found = list(read(opened(text, size, delimiter=delimiter), ["x"]))
    assert [row["name"] for row in found] == [row[0] for row in expected[1:]]
    assert [row["é"] for row in found] == [row[2] for row in expected[1:]]
    values = np.array([row["x"] for row in found], float)
    assert np.array_equal(values, np.array([row[1] for row in expected[1:]], float), equal_nan=True)
    for row in found:
        where, record, fault = row[None]
        assert fault is None
        line = int(where.removeprefix("x.csv:"))
        assert "\n".join(text.removeprefix("\ufeff").split("\n")[line - 1 :]).startswith(record)
        assert next(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter))[0] == row["name"]


@given(tables(odd_scores), SIZES, st.sampled_from(["", "1\n", "1,2,3,4\n", " \n", "a,1\r2,3\n"]))
@settings(deadline=None)
def test_any_block_size_gives_the_same_faults_and_places(made, size, odd_row):
    """What is said about a row does not hang on the rows that happen to share its block."""
    text, delimiter = made
    text += "\n" + odd_row
    whole = list(read(opened(text, delimiter=delimiter), ["x"]))
    assert list(read(opened(text, size, delimiter=delimiter), ["x"])) == whole


def test_text_stays_as_it_stands():
    cells = ["007", "NA", "", " a ", "1.50", "=1+1", "[red]", "null", "-0"]
    table = opened("id,x\n" + "".join(f"{cell},1\n" for cell in cells))
    assert [row["id"] for row in read(table, ["x"])] == cells


@pytest.mark.parametrize("size", [1, 5, 1 << 21])
def test_one_column_and_blank_lines(size):
    """A blank line is no row; an empty cell of a single column is written as quotes, by pandas too."""
    found = list(read(opened('z\n\n1\n\r\n\n""\n2\n\n', size), ["z"]))
    assert [row["z"] for row in found] == [1.0, "nan", 2.0]
    assert [row[None][0] for row in found] == ["x.csv:3", "x.csv:6", "x.csv:7"]


@pytest.mark.parametrize("size", [4, 9, 1 << 21])
def test_a_line_of_spaces_is_a_row(size):
    """For both parsers; it has one field, and that is said on its own line."""
    found = list(read(opened("a,b\n1,2\n\n  \n3,4\n", size), ["a", "b"]))
    assert [row[None][0] for row in found] == ["x.csv:2", "x.csv:4", "x.csv:5"]
    assert found[1][None][2] == (None, "1 field where the header has 2")


@pytest.mark.slow
def test_100_000_columns():
    width = 100_000
    text = ",".join(f"c{i}" for i in range(width)) + "\n" + ",".join("1.5" for _ in range(width)) + "\n"
    table = opened(text)
    (block,) = table.blocks
    batch = table.decode(block, table.schema.names).batch
    assert (batch.num_rows, batch.num_columns) == (1, width)
    assert batch.column(f"c{width - 1}").to_pylist() == [1.5]


def test_a_cell_of_3_mb():
    long = "long " * (3 << 18)
    assert [row["id"] for row in read(opened(f'id,x\n"{long}",1\n{long},2\nc,3\n'), ["x"])] == [long, long, "c"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"\xff,2", r"x\.csv:4: byte 0xff is not utf-8; .*iconv -f latin1 -t utf-8"),
        (b"\0,2", r"x\.csv:4: a NUL byte, which no text holds"),
    ],
)
def test_what_is_no_text_is_said_with_its_line(bad, message):
    """In whichever block it stands."""
    table = opened(b"a,b\n1,2\n3,4\n" + bad + b"\n", 8)
    with pytest.raises(DataError, match=message):
        list(read(table, ["b"]))


def test_pandas_is_not_loaded():
    """It would take longer than ten rows do."""
    code = (
        "import io, sys\n"
        "from softmax_cli.tables.table import ReadOptions\n"
        "from softmax_cli.formats import csv\n"
        "for text in (b'a,b\\n1,2\\n', b'a,b\\n\"1\",NA\\n', b'a,b\\n1,x\\n1\\n'):\n"
        "    table = csv.read(io.BytesIO(text), 'x', ReadOptions())\n"
        "    assert [table.decode(block, ['b']).batch.num_rows for block in table.blocks]\n"
        "print([m for m in ('pandas', 'pyarrow.csv', 'pyarrow.parquet', 'scipy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
