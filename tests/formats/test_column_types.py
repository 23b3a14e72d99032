"""Every type that Arrow has: read as a plain one, or refused by its name; and every value has a text."""

from __future__ import annotations

import datetime
import decimal
import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError, UsageError
from softmax_cli.formats import arrow, csv, json, jsonl, npz, parquet
from softmax_cli.tables.arrays import cells, texts, to_arrow, to_arrow_schema
from softmax_cli.tables.batch import Batch, NumberColumn
from softmax_cli.tables.schema import FLOAT64, Field, Schema
from softmax_cli.tables.table import ReadOptions, WriteOptions

WORDS = pa.array(["one", None, "three", "four", ""])
NUMBERS = pa.array([1.5, None, -2.0, 0.25, 4.0])
LISTS = [[1.0, 2.0], None, [], [3.0], [4.0, None]]
UNION = pa.UnionArray.from_dense(
    pa.array([0, 1, 0, 1, 0], pa.int8()), pa.array([0, 0, 1, 1, 2], pa.int32()), [pa.array([1, 2, 3]), WORDS]
)
SPARSE = pa.UnionArray.from_sparse(pa.array([0, 1, 0, 1, 0], pa.int8()), [NUMBERS, WORDS])


def listed(values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(range(len(values) + 1), pa.int32()), values)


PLAIN = {
    "null": pa.nulls(5),
    "boolean": pa.array([True, None, False, True, True]),
    "uint64": pa.array([2**64 - 1, None, 0, 1, 2], pa.uint64()),
    "half": pa.array([1.5, None, 3, 4, 5], pa.float16()),
    "decimal32": pa.array([decimal.Decimal("1.50"), None] + [decimal.Decimal(2)] * 3, pa.decimal32(5, 2)),
    "decimal256": pa.array([decimal.Decimal("1.50"), None] + [decimal.Decimal(2)] * 3, pa.decimal256(50, 2)),
    "date": pa.array([datetime.date(2020, 2, 29), None] + [datetime.date(1, 1, 1)] * 3),
    "time": pa.array([1, None, 2, 3, 4], pa.time64("ns")),
    "timestamp": pa.array([10**18 + 1, None, 0, 1, 2], pa.timestamp("ns", "Europe/Berlin")),
    "duration": pa.array([1, None, 2, 3, 4], pa.duration("us")),
    "interval": pa.array([(1, 2, 3), None, (0, 0, 0), (1, 1, 1), (2, 2, 2)], pa.month_day_nano_interval()),
    "binary": pa.array([b"\xff", None, b"", b"a", b"b"]),
    "large_binary": pa.array([b"\xff", None, b"", b"a", b"b"], pa.large_binary()),
    "fixed_binary": pa.array([b"ab", None, b"\xff\x00", b"ef", b"gh"], pa.binary(2)),
    "large_string": WORDS.cast(pa.large_string()),
    "dictionary": WORDS.dictionary_encode(),
    "dictionary_of_numbers": NUMBERS.dictionary_encode(),
    "list": pa.array(LISTS),
    "fixed_list": pa.array([[1.0, 2.0], None, [3.0, 4.0], [5.0, 6.0], [7.0, None]], pa.list_(pa.float64(), 2)),
    "list_of_dictionaries": listed(WORDS.dictionary_encode()),
    "map": pa.array([[("a", 1.0)], None, [], [("b", None)], [("c", 2.0)]], pa.map_(pa.string(), pa.float64())),
    "struct": pa.array([{"a": 1.0, "b": "x"}, None, {}, {"a": None, "b": "y"}, {"a": 2.0, "b": None}]),
    "struct_of_nothing": pa.array([{}, None, {}, {}, {}], pa.struct([])),
    "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16, None] + [b"1" * 16] * 3, pa.binary(16))),
    "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", None, "1", "[]", "2"])),
    "tensor": pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.float64(), [2]), pa.array([[1.0, 2.0]] * 5, pa.list_(pa.float64(), 2))
    ),
    "zone_that_nobody_knows": pa.array([10**18, None, 0, 1, 2], pa.timestamp("ns", "No/Where")),
    "year_146_billion": pa.array([2**62, None, 0, 1, 2], pa.timestamp("s")),
}
ENCODED = {
    "string_view": (WORDS.cast(pa.string_view()), WORDS),
    "binary_view": (pa.array([b"\xff", None, b"a"], pa.binary_view()), pa.array([b"\xff", None, b"a"])),
    "list_view": (pa.array(LISTS, pa.list_view(pa.float64())), pa.array(LISTS)),
    "large_list_view": (
        pa.array(LISTS, pa.large_list_view(pa.float64())),
        pa.array(LISTS, pa.large_list(pa.float64())),
    ),
    "runs": (
        pa.RunEndEncodedArray.from_arrays(pa.array([2, 5], pa.int32()), pa.array(["x", None])),
        pa.array(["x", "x", None, None, None]),
    ),
    "list_of_nothing": (
        pa.array([[], None, []], pa.list_(pa.float64(), 0)),
        pa.array([[], None, []], pa.list_(pa.float64())),
    ),
    "list_of_views": (
        pa.array([["a"], None, ["b"]], pa.list_(pa.string_view())),
        pa.array([["a"], None, ["b"]], pa.list_(pa.string())),
    ),
}
REFUSED = {
    "dense_union": UNION,
    "sparse_union": SPARSE,
    "list<item: dense_union": listed(UNION),
    "struct<u: sparse_union": pa.StructArray.from_arrays([SPARSE], ["u"]),
    "struct<r: run_end_encoded": pa.StructArray.from_arrays([ENCODED["runs"][0]], ["r"]),
    "list<item: list_view": listed(ENCODED["list_view"][0]),
    "list<item: fixed_size_list": listed(ENCODED["list_of_nothing"][0]),
}


def ipc_file(column: pa.Array) -> io.BytesIO:
    file = io.BytesIO()
    batch = pa.RecordBatch.from_arrays([column], names=["x"])
    with pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)
        writer.write_batch(batch.slice(1, 2))
    return file


def read_column(file: io.BytesIO, batch_rows: int | None = None) -> pa.ChunkedArray:
    table = arrow.read(file, "x.arrow", ReadOptions(batch_rows=batch_rows))
    batches = [to_arrow(table.decode(block, []).batch) for block in table.blocks]
    for batch in batches:
        batch.validate(full=True)
    return pa.Table.from_batches(batches, to_arrow_schema(table.schema)).column("x")


@pytest.mark.parametrize("name", PLAIN)
def test_most_types_are_read_as_they_are(name):
    column = PLAIN[name]
    read = read_column(ipc_file(column))
    assert read.type == column.type
    assert read.equals(pa.chunked_array([column, column.slice(1, 2)]))


@pytest.mark.parametrize("batch_rows", [None, 2])
@pytest.mark.parametrize("name", ENCODED)
def test_views_and_runs_become_what_they_stand_for(name, batch_rows):
    column, plain = ENCODED[name]
    read = read_column(ipc_file(column), batch_rows)
    assert read.type == plain.type
    assert read.to_pylist() == [*plain.to_pylist(), *plain.slice(1, 2).to_pylist()]


@pytest.mark.parametrize("name", REFUSED)
def test_unions_and_what_is_buried_is_refused_by_its_name(name):
    kind = name.split("<")[-1].split(": ")[-1]
    with pytest.raises(DataError, match=rf"x\.arrow: column 'x' holds {kind}.*, which is not read"):
        read_column(ipc_file(REFUSED[name]))


@pytest.mark.parametrize("name", PLAIN)
def test_every_value_has_a_text(name):
    column = PLAIN[name]
    spelled = texts(column)
    spelled.validate(full=True)
    assert pa.types.is_string(spelled.type) or pa.types.is_large_string(spelled.type)
    assert spelled.is_null().equals(column.is_null())
    assert texts(column.slice(1, 3)).to_pylist() == spelled.to_pylist()[1:4]
    assert [cell is None for cell in cells(column)] == column.is_null().to_pylist()


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("half", "1.5"),
        ("decimal256", "1.50"),
        ("date", "2020-02-29"),
        ("timestamp", "2001-09-09 03:46:40.000000001+0200"),
        ("zone_that_nobody_knows", "2001-09-09 01:46:40.000000000Z"),
        ("binary", r"\xff"),
        ("list", "[1.0,2.0]"),
        ("tensor", "[1.0,2.0]"),
        ("map", '[["a",1.0]]'),
        ("struct", '{"a":1.0,"b":"x"}'),
        ("uuid", "30303030-3030-3030-3030-303030303030"),
        ("json", "{}"),
    ],
)
def test_how_a_value_is_spelled(name, spelled):
    assert texts(PLAIN[name])[0].as_py() == spelled


NOT_IN_PARQUET = ("interval", "struct_of_nothing", "year_146_billion")


def write(form, column: pa.Array) -> bytes:
    probability = Field("prob_a", FLOAT64, {b"softmax_cli": b"prob"})
    schema = Schema([Field("x", column.type), probability])
    file = io.BytesIO()
    writer = form.write(file, schema, WriteOptions())
    writer.write(writer.encode(Batch(schema, [column, NumberColumn(np.ones((5, 1)))], 5)))
    writer.close()
    return file.getvalue()


@pytest.mark.parametrize("form", [csv, json, jsonl, npz, arrow, parquet])
@pytest.mark.parametrize("name", PLAIN)
def test_every_type_passes_into_every_format(form, name):
    if form is not parquet or name not in NOT_IN_PARQUET:
        assert len(write(form, PLAIN[name])) > 20


@pytest.mark.parametrize("name", NOT_IN_PARQUET)
def test_what_parquet_has_not_is_said(name):
    with pytest.raises((UsageError, DataError), match=r"choose another format, such as \.arrow or \.jsonl"):
        write(parquet, PLAIN[name])


def test_text_that_is_no_utf_8_is_found_in_parquet():
    """For pyarrow any bytes will do."""
    broken = pa.array([b"ok", b"\xe2"]).view(pa.string())
    file = io.BytesIO()
    pq.write_table(pa.table({"x": broken}), file)
    table = parquet.read(file, "x.parquet", ReadOptions())
    with pytest.raises(DataError, match="Invalid UTF8"):
        list(table.blocks)


@pytest.mark.parametrize("nested", [False, True])
def test_a_name_that_is_no_utf_8_is_refused(nested):
    kind = pa.struct([("name", pa.float64())]) if nested else pa.float64()
    name = b"\x04\x00\x00\x00name" if nested else b"\x01\x00\x00\x00x"  # its length, then its bytes
    data = ipc_file(pa.nulls(5, kind)).getvalue()
    assert name in data
    with pytest.raises(DataError, match="a column name is not UTF-8"):
        read_column(io.BytesIO(data.replace(name, name[:-1] + b"\xe2")))


def spark_vectors(rows: list[list[float] | None], sparse: list[bool]) -> pa.Array:
    """Vectors as Spark ML writes them to Parquet, some of them as the places of what is not 0."""
    places = [[at for at, value in enumerate(row or []) if value] for row in rows]
    made = [
        None
        if row is None
        else {"type": 0, "size": len(row), "indices": at, "values": [row[i] for i in at]}
        if few
        else {"type": 1, "size": None, "indices": None, "values": row}
        for row, few, at in zip(rows, sparse, places, strict=True)
    ]
    numbers = pa.list_(pa.field("element", pa.float64(), nullable=False))
    indices = pa.list_(pa.field("element", pa.int32(), nullable=False))
    parts = {"type": pa.int8(), "size": pa.int32(), "indices": indices, "values": numbers}
    return pa.array(made, pa.struct(list(parts.items())))


@given(data=st.data())
def test_vectors_of_spark_are_the_lists_that_they_stand_for(data):
    row = st.lists(st.sampled_from([0.0, 0.25, -1.5, 1e300]), min_size=3, max_size=3)
    rows = data.draw(st.lists(st.none() | row, min_size=1, max_size=8))
    sparse = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    file = io.BytesIO()
    pq.write_table(
        pa.table({"rawPrediction": spark_vectors(rows, sparse), "features": spark_vectors(rows, sparse)}), file
    )
    table = parquet.read(file, "x.parquet", ReadOptions())
    batch = table.decode(next(table.blocks), ()).batch
    assert to_arrow(batch)["rawPrediction"].to_pylist() == rows
    assert pa.types.is_struct(to_arrow(batch)["features"].type), "what is no score passes through as it is"


@pytest.mark.parametrize(
    ("size", "indices", "values"),
    [
        (1 << 30, [1], [1.0]),
        (2, [2], [1.0]),
        (2, [-1], [1.0]),
        (2, [0, 1], [1.0]),
        (None, [0], [1.0]),
        (2, None, [1.0]),
    ],
)
def test_a_sparse_vector_that_claims_what_it_has_not_is_damage(size, indices, values):
    kind = spark_vectors([None], [False]).type
    vector = {"type": 0, "size": size, "indices": indices, "values": values}
    file = io.BytesIO()
    pq.write_table(pa.table({"probability": pa.array([vector], kind)}), file)
    table = parquet.read(file, "x.parquet", ReadOptions())
    with pytest.raises(DataError, match=f"a sparse vector of size {size} does not fit its values"):
        list(table.blocks)


def test_a_tensor_that_is_called_scores_is_a_list_of_them():
    file = io.BytesIO()
    pq.write_table(pa.table({"logits": PLAIN["tensor"], "other": PLAIN["tensor"]}), file)
    table = parquet.read(file, "x.parquet", ReadOptions())
    batch = to_arrow(table.decode(next(table.blocks), ()).batch)
    assert batch["logits"].to_pylist() == [[1.0, 2.0]] * 5
    assert batch["logits"].type == pa.list_(pa.float64(), 2)
    assert batch["other"].type == PLAIN["tensor"].type
