"""An exact sum is the rounded true sum, whatever the order and the cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.numeric import exact_sum
from softmax_cli.numeric.exact_sum import ExactSum, limbs_of

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
terms = st.lists(finite, max_size=30)


def total(values: list[float]) -> ExactSum:
    return ExactSum.of(np.array(values, np.float64))


@given(st.lists(st.floats(-1e307, 1e307), max_size=30))
def test_it_is_the_rounded_true_sum(values):
    """The same bits as the standard library's exact sum, subnormal numbers and cancellation included."""
    assert total(values).value == math.fsum(values)


@given(terms, terms, terms)
def test_parts_merge_in_any_order(first, second, third):
    a, b, c = total(first), total(second), total(third)
    whole = total(first + second + third).value
    assert a.plus(b).plus(c).value == whole
    assert c.plus(a.plus(b)).value == whole


@given(hnp.arrays(np.float64, st.integers(0, 40), elements=finite))
def test_the_limbs_are_the_numbers(values):
    """Put together again from the lowest up, in integers, they give every number back."""
    bottom, pieces = limbs_of(values)
    assert all((np.abs(piece) < 2**26).all() for piece in pieces)
    for column, value in enumerate(values.tolist()):
        whole = sum(int(piece[column]) << 26 * place for place, piece in enumerate(pieces))
        shift = 26 * bottom
        assert (whole << shift if shift > 0 else whole / (1 << -shift)) == value


@given(st.lists(st.tuples(st.floats(-1e300, 1e300), st.integers(0, 4)), max_size=40))
def test_every_group_is_a_sum_of_its_own(rows):
    values, group = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0), np.empty(0))
    sums = ExactSum.of(values.astype(np.float64), group.astype(np.int64), 5).values
    assert sums.tolist() == [math.fsum(value for value, its in rows if its == wanted) for wanted in range(5)]
    table = np.zeros((5, len(rows)))
    table[group.astype(np.int64), np.arange(len(rows))] = values
    assert ExactSum.of_rows(table).values.tolist() == sums.tolist()


def test_many_equal_terms_do_not_drift():
    """Three million tenths, more than one block: adding one after the other is wrong in the tenth digit."""
    assert ExactSum.of(np.full(3_000_000, 0.1)).value == math.fsum([0.1] * 3_000_000)


def test_a_sum_beyond_the_largest_number_is_infinite():
    assert total([1.7e308, 1.7e308]).value == math.inf
    assert total([-1.7e308, -1.7e308]).value == -math.inf
    assert total([1.7e308, 1.7e308, -1.7e308]).value == 1.7e308


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_has_no_sum_is_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        total([1.0, bad])


def test_other_groups_are_refused():
    with pytest.raises(ValueError, match="2 groups do not add up with 3"):
        ExactSum.zero(2).plus(ExactSum.zero(3))


def test_long_columns_are_added_up_block_by_block(monkeypatch):
    values, group = np.arange(11.0), np.arange(11) % 3
    whole = ExactSum.of(values, group, 3).values.tolist()
    monkeypatch.setattr(exact_sum, "_BLOCK", 4)
    assert ExactSum.of(values, group, 3).values.tolist() == whole == [18, 22, 15]
