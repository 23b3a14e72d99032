"""Batches: rows are picked from every kind of column alike, and Arrow's form of them says the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.tables.arrays import from_arrow, to_arrow, to_arrow_schema
from softmax_cli.tables.batch import (
    Batch,
    ListColumn,
    NameColumn,
    NameListColumn,
    NumberColumn,
    TextColumn,
    cast,
    distinct_texts,
    empty_batch,
    floats,
    integers,
    matrix_of,
    texts,
)
from softmax_cli.tables.schema import FLOAT64, TEXT, Field, Schema
from softmax_cli.text.formatting import text_spans

FLOATS = np.dtype(np.float64)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Columns of every kind, with missing values."""
    rows = draw(st.integers(0, 6))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    valid = draw(st.none() | st.just(rng.random(rows) < 0.7))
    matrix = np.asarray(rng.normal(size=(rows, 3)), order=draw(st.sampled_from("CF")))
    cells = draw(st.lists(st.none() | st.text(max_size=4), min_size=rows, max_size=rows))
    columns: dict[str, Any] = {
        "text": TextColumn(*text_spans(cells)),
        "a": NumberColumn(matrix, 0, valid),
        "b": NumberColumn(matrix, 1, valid),
        "narrow": NumberColumn(matrix[:, 2:].astype(np.float32)),
        "whole": NumberColumn(rng.integers(0, 9, (rows, 1)).astype(np.int32), 0, valid),
        "list": ListColumn(matrix, valid),
        "name": NameColumn(rng.integers(-1, 3, rows).astype(np.int32), ("x", "", "é")),
        "names": NameListColumn(rng.random((rows, 3)) < 0.5, ("x", "y", "é"), valid),
        "arrow": pa.array(rng.integers(0, 9, rows), pa.int64()),
    }
    schema = Schema([Field(name, column.type) for name, column in columns.items()], {b"k": b"v"})
    return Batch(schema, list(columns.values()), rows)


def rows_of(batch: Batch) -> list[str]:
    return list(map(repr, batch.to_pylist()))


@given(batches())
def test_arrow_says_the_same(batch):
    arrow = to_arrow(batch)
    assert list(map(repr, arrow.to_pylist())) == rows_of(batch)
    assert arrow.schema.equals(to_arrow_schema(batch.schema), check_metadata=True)
    assert [str(kind) for kind in arrow.schema.types] == [str(kind) for kind in batch.schema.types]
    assert rows_of(from_arrow(arrow)) == rows_of(batch)


@given(batches(), st.data())
def test_picked_rows_are_those_of_the_whole(batch, data):
    whole = rows_of(batch)
    start, length = data.draw(st.integers(0, 7)), data.draw(st.none() | st.integers(0, 7))
    stretch = batch.slice(start, length)
    assert rows_of(stretch) == (whole[start:] if length is None else whole[start : start + length])
    assert stretch.num_rows == len(rows_of(stretch))
    if whole:
        rows = data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=9))
        assert rows_of(batch.take(np.array(rows, np.intp))) == [whole[row] for row in rows]
        assert batch.take(np.array(rows, np.intp)).num_rows == len(rows)


@given(batches(), st.sampled_from("CF"))
def test_numbers_side_by_side(batch, order):
    """Columns of one matrix, of several, and of Arrow; what is missing is nan."""
    for names in (["a", "b"], ["b", "a"], ["a"], ["a", "narrow", "whole"], ["arrow"], ["arrow", "a"]):
        matrix = matrix_of(batch, names, FLOATS, order)
        assert matrix.flags.c_contiguous if order == "C" else matrix.flags.f_contiguous
        for place, name in enumerate(names):
            wanted = [np.nan if value is None else value for value in batch.column(name).to_pylist()]
            assert np.array_equal(matrix[:, place], np.array(wanted, np.float64), equal_nan=True)
            assert np.array_equal(floats(batch.column(name), FLOATS), matrix[:, place], equal_nan=True)
            assert not np.shares_memory(matrix, batch.columns[1].matrix)


def test_text_is_no_number():
    batch = Batch(Schema([Field("t", TEXT)]), [TextColumn(*text_spans(["1"]))], 1)
    for given_batch in (batch, from_arrow(to_arrow(batch))):
        with pytest.raises(TypeError, match="column 't' holds string, not numbers"):
            matrix_of(given_batch, ["t"], FLOATS, "C")


@given(batches())
def test_distinct_texts(batch):
    for name in ("text", "name", "arrow"):
        codes, found = distinct_texts(batch.column(name))
        wanted = texts(batch.column(name))
        assert [None if code < 0 else found[code] for code in codes.tolist()] == wanted
        assert found == list(dict.fromkeys(text for text in wanted if text is not None))


def test_values_as_another_type():
    column = TextColumn(*text_spans(["1", None, "-2"]))
    assert cast(column, pa.int64()).to_pylist() == [1, None, -2]
    with pytest.raises(TypeError):
        cast(TextColumn(*text_spans(["x"])), pa.int64())


def test_integers_are_whole_or_nothing():
    whole = NumberColumn(np.array([[1], [2]], np.int32))
    assert integers(whole).tolist() == [1, 2]
    assert integers(whole._replace(valid=np.array([True, False]))) is None
    assert integers(pa.array([1, None])) is None
    assert integers(pa.array([1, 2, 3]).slice(1)).tolist() == [2, 3]


@given(batches())
def test_no_rows_of_any_kind(batch):
    nothing = empty_batch(batch.schema)
    assert (nothing.num_rows, nothing.to_pylist()) == (0, [])
    assert [str(column.type) for column in nothing.columns] == [str(column.type) for column in batch.columns]


def test_columns_by_name():
    batch = Batch(Schema([Field("a", FLOAT64), Field("b", TEXT)]), ["first", "second"], 1)
    assert batch.column("b") == "second"
    assert batch.select(["b", "a"]).columns == ["second", "first"]
    assert batch.select(["b"]).schema.names == ["b"]
    with pytest.raises(KeyError):
        batch.column("c")
