"""What the first rows tell of columns: numbers in any spelling, ids, one-hot truths, columns unlike the others."""

import decimal

import numpy as np
import pyarrow as pa
import pytest

from softmax_cli.tables.column_values import (
    LEAST_ROWS,
    MOST_ROWS,
    FirstRows,
    find_ids,
    find_one_hot,
    in_class_order,
    is_nested_number,
    is_number,
    odd_columns,
)


def rows(**columns):
    return FirstRows(pa.RecordBatch.from_pydict(columns))


def test_a_look_is_at_few_rows_of_many_columns():
    assert rows(a=list(range(5000))).rows == MOST_ROWS
    assert FirstRows(pa.RecordBatch.from_pydict({f"c{i}": range(50) for i in range(2000)})).rows == LEAST_ROWS


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ([1, None, 3], [1, np.nan, 3]),
        (["1.5", "2,5", "x", "", None, "True"], [1.5, 2.5, np.nan, np.nan, np.nan, 1]),
        ([True, False], [1, 0]),
        ([decimal.Decimal("1.5")], [1.5]),
        (pa.array(["1", "2"]).dictionary_encode(), [1, 2]),
        ([[1.0]], [np.nan]),
    ],
)
def test_numbers(cells, numbers):
    np.testing.assert_array_equal(rows(a=cells).numbers("a"), numbers)


def test_what_a_column_holds():
    seen = rows(a=[1.5, 2.0], b=["1", "2"], c=["x", "x"], d=[[1, 2, 3], [4, 5, 6]], e=["[0.5, 1]", ""])
    assert [seen.has_fractions(name) for name in "abc"] == [True, False, False]
    assert [seen.is_text(name) for name in "abc"] == [False, False, True]
    assert [seen.is_written_whole(name) for name in "ab"] == [False, True]
    assert [seen.is_repeated(name) for name in "abc"] == [False, False, True]
    assert (seen.list_length("d"), seen.list_has_fractions("d")) == (3, False)
    assert (seen.list_length("e"), seen.list_has_fractions("e")) == (2, True)
    assert seen.texts("c") == ["x", "x"]
    assert seen.matrix(["a", "b"]).tolist() == [[1.5, 2.0], [1.0, 2.0]]


def test_types_of_numbers():
    assert [is_number(kind) for kind in (pa.int8(), pa.float16(), pa.decimal128(5, 2), pa.bool_(), pa.string())] == [
        True,
        True,
        True,
        False,
        False,
    ]
    nested = [
        pa.list_(pa.float32()),
        pa.list_(pa.int64(), 3),
        pa.struct([("a", pa.float64())]),
        pa.map_(pa.string(), pa.float64()),
    ]
    assert all(map(is_nested_number, nested))
    others = [pa.list_(pa.string()), pa.struct([("a", pa.string())]), pa.map_(pa.int8(), pa.float64()), pa.float64()]
    assert not any(map(is_nested_number, others))


FRACTIONS = [value + 0.5 for value in range(12)]


def test_ids_by_value():
    seen = rows(a=FRACTIONS, n=[value * 7 % 12 for value in range(12)], k=[1] * 12)
    assert find_ids(seen, ["a", "n", "k"], "a").sure == ("n",)
    assert find_ids(rows(n=[1, 2, 3], k=[4, 6, 5]), ["n", "k"], "n") == ((), ()), "no other column has fractions"


def test_few_rows_are_sure_of_a_first_column_in_order_only():
    seen = rows(n=[7, 8, 9], a=[0.5, 1.5, 2.5], b=[1.5, 0.5, 2.5])
    assert find_ids(seen, ["n", "a", "b"], "n") == (("n",), ())
    assert find_ids(seen, ["n", "a", "b"], "a") == ((), ("n",))


def test_one_hot():
    seen = rows(y_a=[1, 0], y_b=[0, 1], z_a=[1, 1], z_b=[0, 1])
    assert find_one_hot(seen, ["y_a", "y_b", "z_a", "z_b"], 2) == ("y_a", "y_b")
    assert find_one_hot(seen, ["z_a", "z_b"], 2) == ()
    both = rows(y_a=[1, 0], y_b=[0, 1], z_a=[1, 0], z_b=[0, 1])
    assert find_one_hot(both, ["y_a", "y_b", "z_a", "z_b"], 2) == (), "two sets: it is open which is meant"


def test_one_hot_columns_go_to_their_classes():
    assert in_class_order(["y_dog", "y_cat"], ["cat", "dog"]) == ("y_cat", "y_dog")
    assert in_class_order(["y_10", "y_0"], ["c0", "c10"]) == ("y_0", "y_10")
    assert in_class_order(["is_train", "is_test"], ["cat", "dog"]) == ()


def test_columns_unlike_the_others_are_named():
    seen = rows(a=[0.5, 1.5], b=[-1.0, 2.5], age=[31.5, 40.25])
    assert odd_columns(seen, ["a", "b", "age"]) == {"age": "holds 31.5 to 40.25, the others -1 to 2.5"}
    assert odd_columns(seen, ["a", "b"]) == {}
    whole = rows(a=FRACTIONS, b=FRACTIONS, n=list(range(12)))
    assert odd_columns(whole, ["a", "b", "n"]) == {"n": "holds whole numbers only, the others fractions"}
