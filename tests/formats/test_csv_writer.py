"""Delimited lines: what the csv module reads back is what went in, whatever the cells hold and however rows are cut."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softmax_cli.formats.csv.writer import DelimitedWriter
from softmax_cli.tables.arrays import from_arrow, from_arrow_schema
from softmax_cli.tables.batch import Batch, ListColumn
from softmax_cli.tables.schema import Field, Schema
from softmax_cli.tables.table import WriteOptions

PROBABILITY = {b"softmax_cli": b"prob"}
NUMBER = {b"softmax_cli": b"number"}
COMMA = WriteOptions()
# The first table of a process loads what pyarrow needs for Python lists: slow once, and no fault of the strategy.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

text_cells = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.text(st.sampled_from('ab,;"\r\n\0é\U0001f600'), max_size=6),
    st.sampled_from(["", "x" * 3000]),
)
score_cells = st.one_of(st.none(), st.floats(0, 1), st.just(float("nan")))


@st.composite
def tables(draw: st.DrawFn) -> pa.RecordBatch:
    """Text columns of several types and computed columns, in any order."""
    rows = draw(st.integers(0, 7))
    fields, arrays = [], []
    for i, kind in enumerate(draw(st.lists(st.sampled_from("sldvpn"), min_size=1, max_size=7))):
        cells = draw(st.lists(score_cells if kind in "pn" else text_cells, min_size=rows, max_size=rows))
        if kind in "pn":
            array = pa.array(cells, pa.float64(), from_pandas=False)
            fields.append(pa.field(f"c{i}", array.type, metadata=PROBABILITY if kind == "p" else NUMBER))
        else:
            plain = {"s": pa.string(), "l": pa.large_string(), "v": pa.string_view(), "d": pa.string()}[kind]
            array = pa.array(cells, plain)
            array = array.dictionary_encode() if kind == "d" else array
            fields.append(pa.field(f"c{i}", array.type))
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def lines(batch: pa.RecordBatch, options: WriteOptions = COMMA) -> str:
    """The lines of a batch as text."""
    return DelimitedWriter(io.BytesIO(), from_arrow_schema(batch.schema), options).encode(from_arrow(batch)).decode()


def header(batch: pa.RecordBatch) -> bytes:
    """The first line."""
    file = io.BytesIO()
    DelimitedWriter(file, from_arrow_schema(batch.schema), COMMA)
    return file.getvalue()


def read_back(text: str, delimiter: str = ",") -> list[list[str]]:
    """The cells, as Python's csv module reads them."""
    csv.field_size_limit(1 << 30)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def table(**columns: Any) -> pa.RecordBatch:
    """A batch of columns that pass through."""
    return pa.RecordBatch.from_pydict(columns)


@unhurried
@given(tables(), st.sampled_from(",;\t|"))
def test_what_goes_in_is_read_back(batch: pa.RecordBatch, delimiter: str) -> None:
    """Text exactly, numbers in their nine digits, missing values as empty cells."""
    rows = read_back(lines(batch, WriteOptions(delimiter=delimiter)), delimiter)
    assert len(rows) == batch.num_rows
    for field, column, cells in zip(batch.schema, batch.columns, zip(*rows, strict=True), strict=False):
        for value, cell in zip(column.to_pylist(), cells, strict=True):
            if field.metadata is None:
                assert cell == (value or "")
            elif value is None or np.isnan(value):
                assert cell == ""
            else:
                assert float(cell) == pytest.approx(value, rel=1e-8, abs=1e-300)


@unhurried
@given(tables(), st.integers(0, 7), st.integers(0, 7))
def test_a_slice_has_the_lines_of_its_rows(batch: pa.RecordBatch, start: int, size: int) -> None:
    """However a table is cut, the same rows give the same bytes."""
    single = [lines(batch.slice(i, 1)) for i in range(batch.num_rows)]
    assert lines(batch.slice(start, size)) == "".join(single[start : start + size])
    assert lines(batch) == "".join(single)


def many(rows: int, classes: int) -> pa.RecordBatch:
    """Ids of many lengths, a label, and rows of probabilities."""
    p = np.asfortranarray(np.random.default_rng(5).dirichlet(np.full(classes, 0.2), rows))
    fields = [pa.field("id", pa.string()), pa.field("label", pa.dictionary(pa.int32(), pa.string()))]
    fields += [pa.field(f"prob_{i}", pa.float64(), metadata=PROBABILITY) for i in range(classes)]
    label = pa.DictionaryArray.from_arrays(pa.array(p.argmax(1).astype(np.int32)), [f"c{i}" for i in range(classes)])
    arrays = [pa.array([str(i) for i in range(rows)]), label, *[pa.array(p[:, i]) for i in range(classes)]]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


@pytest.mark.parametrize(("rows", "classes"), [(20_000, 2), (9_000, 10), (70, 1_000)])
def test_more_rows_than_a_block(rows: int, classes: int) -> None:
    """Block borders leave no mark: every row is there, in order, and sums to one."""
    batch = many(rows, classes)
    back = read_back(lines(batch))
    assert [row[0] for row in back] == batch.column(0).to_pylist()
    assert [row[1] for row in back] == batch.column(1).to_pylist()
    values = np.array([row[2:] for row in back], np.float64)
    assert values == pytest.approx(np.stack([column.to_numpy() for column in batch.columns[2:]], axis=1), rel=1e-8)
    assert values.sum(axis=1) == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("columns", ["id", "id,p", "p,id", "p,id,q"])
def test_one_very_long_cell(columns: str) -> None:
    """Three megabytes among short ids, in any position, take no room for the others."""
    ids = ["a", "b" * 3_000_000, "", *[str(i) for i in range(40_000)]]
    source = {"id": pa.array(ids), "p": pa.array(np.full(len(ids), 0.5)), "q": pa.array(np.full(len(ids), 0.25))}
    names = columns.split(",")
    fields = [pa.field(n, source[n].type, metadata=PROBABILITY if n != "id" else None) for n in names]
    batch = pa.RecordBatch.from_arrays([source[n] for n in names], schema=pa.schema(fields))
    cell = {"p": "0.500000000000", "q": "0.250000000000"}
    empty = '""' if names == ["id"] else ""
    wanted = "".join(",".join(cell.get(n, i or empty) for n in names) + "\n" for i in ids)
    assert lines(batch) == wanted


def test_the_bytes_of_a_small_table() -> None:
    """Quotes after RFC 4180, section 2; other types as Arrow spells them; nulls empty; our numbers by NumberText."""
    batch = table(
        id=["007", "a,b", 'say "hi"', None],
        n=[1, -2, 3, None],
        x=[0.1, 1e300, float("-inf"), None],
        d=[Decimal("1.50"), None, None, None],
        ok=[True, False, None, None],
        v=[[1.5, None], [], None, [2.0]],
    )
    p = pa.field("prob_a", pa.float32(), metadata=PROBABILITY)
    log = pa.field("logit_a", pa.float64(), metadata=NUMBER)
    batch = batch.append_column(p, pa.array([0.25, 1, 1e-5, None], pa.float32()))
    batch = batch.append_column(log, pa.array([-0.25, float("-inf"), 12.5, None]))
    assert header(batch) == b"id,n,x,d,ok,v,prob_a,logit_a\n"
    assert lines(batch) == (
        '007,1,0.1,1.50,true,"[1.5,null]",0.250000000000,-0.250000000\n'
        '"a,b",-2,1e+300,,false,[],1.000000000000,-inf\n'
        '"say ""hi""",3,-inf,,,,9.99999975e-06,12.5000000\n'
        ",,,,,[2.0],,\n"
    )


def test_a_list_of_ours_is_json_in_a_cell() -> None:
    """With the same digits as columns have."""
    column = ListColumn(np.array([[9, 9], [0.25, 0.75], [np.nan] * 2]), np.array([True, True, False]))
    batch = Batch(Schema([Field("prob", column.type, PROBABILITY)]), [column], 3)
    assert (
        DelimitedWriter(io.BytesIO(), batch.schema, COMMA).encode(batch.slice(1)).decode()
        == '"[0.250000000000,0.750000000000]"\n""\n'
    )


def test_the_header_is_quoted_too() -> None:
    """A class may be called anything."""
    assert header(table(**{"a,b": ["x"], 'c"': ["y"], "": ["z"]})) == b'"a,b","c""",\n'


@pytest.mark.parametrize("metadata", [None, PROBABILITY])
def test_no_line_is_empty(metadata: dict[bytes, bytes] | None) -> None:
    """Most readers skip an empty line, and the row would be lost."""
    array = pa.array([None, 0.5]) if metadata else pa.array(["", "x"])
    batch = pa.RecordBatch.from_arrays([array], schema=pa.schema([pa.field("a", array.type, metadata=metadata)]))
    assert lines(batch) == ('""\n0.500000000000\n' if metadata else '""\nx\n')


def test_formulas_are_left_alone_unless_asked() -> None:
    """A leading minus is mostly a number; then only what is none gets an apostrophe."""
    batch = table(name=["=1+1", "-5", "+1e3", "-x", "@a", "\tb", "ok", None])
    assert [row[0] for row in read_back(lines(batch.append_column("i", pa.array(range(8)))))][:7] == [
        "=1+1", "-5", "+1e3", "-x", "@a", "\tb", "ok",
    ]  # fmt: skip
    escaped = lines(batch, WriteOptions(escape_formulas=True))
    assert [row[0] for row in read_back(escaped)] == ["'=1+1", "-5", "+1e3", "'-x", "'@a", "'\tb", "ok", ""]


def test_text_under_a_null_is_not_shown() -> None:
    """Arrow lets anything stand in memory where the value is null."""
    offsets, bitmap = pa.py_buffer(np.array([0, 3, 6], np.int32)), pa.py_buffer(b"\x01")
    hidden = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"abcdef"), bitmap)
    assert lines(table(a=hidden, b=["x", "y"])) == "abc,x\n,y\n"


def test_nul_bytes_of_a_cell_are_kept() -> None:
    """Those between numbers are dropped, those of the user are not."""
    field = pa.field("p", pa.float64(), metadata=PROBABILITY)
    batch = pa.RecordBatch.from_arrays(
        [pa.array(["a\0b", "c"]), pa.array([None, 0.5])], schema=pa.schema([("id", pa.string()), field])
    )
    assert lines(batch) == "a\0b,\nc,0.500000000000\n"


def test_a_file_is_the_same_from_any_number_of_threads() -> None:
    """Which may be made to leave the writer at any step."""
    batch = many(20_000, 3)
    file = io.BytesIO()
    writer = DelimitedWriter(file, from_arrow_schema(batch.schema), COMMA)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for payload in threads.map(writer.encode, [from_arrow(batch.slice(i, 500)) for i in range(0, 20_000, 500)]):
                writer.write(payload)
    finally:
        sys.setswitchinterval(interval)
    writer.close()
    assert file.getvalue().decode() == header(batch).decode() + lines(batch)


def test_a_header_without_rows() -> None:
    """Is a whole file."""
    file = io.BytesIO()
    writer = DelimitedWriter(file, from_arrow_schema(many(0, 2).schema), WriteOptions(delimiter="\t"))
    writer.write(writer.encode(from_arrow(many(0, 2))))
    writer.close()
    assert file.getvalue() == b"id\tlabel\tprob_0\tprob_1\n"


def test_start_up_stays_light() -> None:
    """Reading and writing a plain table does without Arrow, which would cost more than the work."""
    program = (
        "import io, sys\n"
        "from softmax_cli.formats import csv\n"
        "from softmax_cli.tables.table import ReadOptions, WriteOptions\n"
        "table = csv.read(io.BytesIO(b'id,x\\n7,a\\n'), 'x', ReadOptions())\n"
        "batch = table.decode(next(table.blocks), []).batch\n"
        "file = io.BytesIO()\n"
        "writer = csv.write(file, batch.schema, WriteOptions())\n"
        "writer.write(writer.encode(batch))\n"
        "assert file.getvalue() == b'id,x\\n7,a\\n', file.getvalue()\n"
        "print(*sorted({'pandas', 'pyarrow', 'scipy', 'rich'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
