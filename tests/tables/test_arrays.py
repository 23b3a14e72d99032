"""Arrow arrays that are put together from buffers are what pyarrow itself would have made."""

import decimal
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.tables import arrays
from softmax_cli.tables.batch import NumberColumn, TextColumn
from softmax_cli.text.formatting import text_spans

FLOAT64 = np.dtype(np.float64)
matrices = hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=70), elements=st.floats(-9, 9))


@given(st.lists(st.text(st.characters(codec="utf-8"))))
def test_strings(values):
    made = arrays.strings(values)
    made.validate(full=True)
    assert made.equals(pa.array(values, pa.string()))


@given(st.lists(st.tuples(st.integers(-9, 9), st.booleans())))
def test_numbers(cells):
    values, valid = [value for value, _ in cells], [there for _, there in cells]
    made = arrays.numbers(np.array(values, np.int64), np.array(valid, np.bool_))
    made.validate(full=True)
    assert made.to_pylist() == [value if there else None for value, there in cells]


def test_numbers_share_the_memory_of_the_array():
    values = np.arange(4.0)
    made = arrays.numbers(values)
    values[2] = 7
    assert made.to_pylist() == [0, 1, 7, 3]


def test_labels():
    codes = np.array([1, -1, 0, 1], np.int32)
    assert arrays.labels(codes, arrays.strings(["cat", "dog"])).to_pylist() == ["dog", None, "cat", "dog"]


@given(matrices, st.randoms(use_true_random=False))
def test_lists(matrix, random):
    valid = np.array([random.random() < 0.7 for _ in matrix], np.bool_)
    made = arrays.lists(matrix, valid)
    made.validate(full=True)
    assert made.to_pylist() == [row.tolist() if there else None for row, there in zip(matrix, valid, strict=True)]


def test_lists_of_names():
    members = np.array([[True, False, True], [False, False, False], [False, True, False]])
    made = arrays.lists_of_names(members, arrays.strings(["cat", "dog", "cow"]), np.array([True, True, False]))
    made.validate(full=True)
    assert made.to_pylist() == [["cat", "cow"], [], None]


@pytest.mark.parametrize(
    "array",
    [
        pa.array([1.5, None, -2.0]),
        pa.array([1, None, -2], pa.int16()),
        pa.array([1.5, None, -2.0], pa.float32()),
        pa.array([np.float16(1.5), None, np.float16(-2)], pa.float16()),
        pa.array([1.5, None, -2.0]).dictionary_encode(),
        pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("-2")]),
        pa.nulls(3),
    ],
    ids=lambda array: str(array.type),
)
def test_floats_of_every_type_of_numbers(array):
    """From a slice too: `values` of Arrow disregard where it begins."""
    expected = [np.nan if value is None else float(value) for value in array.to_pylist()]
    np.testing.assert_array_equal(arrays.floats(array, FLOAT64), expected)
    np.testing.assert_array_equal(arrays.floats(array.slice(1), FLOAT64), expected[1:])


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_of_columns(order):
    batch = pa.record_batch({"a": [1, 2], "b": pa.array([0.5, None]), "c": pa.array([3, 3]).dictionary_encode()})
    for chosen in ([0, 1], [2, 0, 0]):
        columns = [batch.column(place) for place in chosen]
        matrix = arrays.matrix_of(columns, list(map(str, chosen)), FLOAT64, order)
        expected = np.column_stack([arrays.floats(batch.column(place), FLOAT64) for place in chosen])
        np.testing.assert_array_equal(matrix, expected)
        assert matrix.flags.c_contiguous if order == "C" else matrix.flags.f_contiguous
        matrix[0, 0] = 9  # in memory of its own
    assert batch.column(0).to_pylist() == [1, 2]


def test_text_is_no_matrix():
    with pytest.raises(TypeError, match="column 'b' holds string, not numbers"):
        arrays.matrix_of([pa.array([1.0]), pa.array(["x"])], ["a", "b"], FLOAT64, "C")


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=40), st.integers(0, 20))
def test_validity_of_a_slice(values, start):
    array = pa.array(values, pa.int64()).slice(start)
    assert arrays.validity(array).tolist() == [value is not None for value in values[start:]]


@given(matrices)
def test_columns_and_rows_of_a_matrix(matrix):
    for stored in (np.ascontiguousarray(matrix), np.asfortranarray(matrix)):
        assert [column.to_pylist() for column in arrays.columns_of(stored)] == matrix.T.tolist()
        turned = arrays.by_row(stored)
        assert turned.flags.c_contiguous
        np.testing.assert_array_equal(turned, matrix)


def test_dictionaries_are_undone():
    batch = pa.record_batch({"a": pa.array(["x", "y", "x"]).dictionary_encode()})
    assert arrays.without_dictionaries(batch).schema.field("a").type == pa.string()


@given(matrices, st.data())
def test_blocks_are_joined_as_if_they_had_never_been_cut(matrix, data):
    rows, columns = matrix.shape
    valid = data.draw(hnp.arrays(np.bool_, rows))
    names = TextColumn(*text_spans([f"n{row}" for row in range(rows)]))
    whole = [*(NumberColumn(matrix, place, valid) for place in range(columns)), names]
    cuts = sorted({0, rows, *data.draw(st.lists(st.integers(0, rows), max_size=4))})
    blocks = []
    for start, end in pairwise(cuts):
        part = np.array(matrix[start:end], order=data.draw(st.sampled_from("CF")))
        there = None if valid[start:end].all() and data.draw(st.booleans()) else valid[start:end]
        text = TextColumn(*text_spans([f"n{row}" for row in range(start, end)]))
        blocks.append([*(NumberColumn(part, place, there) for place in range(columns)), arrays.to_array(text)])
    joined = arrays.joined_blocks(blocks)
    assert [one.to_pylist() for one in joined] == [arrays.to_array(column).to_pylist() for column in whole]
    for one in joined[:-1]:
        one.validate(full=True)
