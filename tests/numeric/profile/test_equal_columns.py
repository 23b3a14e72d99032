"""Equal columns, found without comparing all pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.numeric.profile.class_columns import equal_columns, plus

tables = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 8), st.integers(1, 6)), elements=st.sampled_from([0.0, 1.0, np.nan])
)


def slow(table):
    """Compare every pair."""
    columns = range(table.shape[1])
    return [next(j for j in columns if np.array_equal(table[:, i], table[:, j], equal_nan=True)) for i in columns]


@given(tables, st.integers(0, 8))
def test_twins_are_those_of_all_pairs_whatever_the_cut(table, place):
    assert equal_columns(table).tolist() == slow(table)
    assert plus(equal_columns(table[:place]), equal_columns(table[place:])).tolist() == slow(table)


def test_a_difference_far_down_parts_twins():
    table = np.repeat(np.random.default_rng(0).normal(size=(500, 1)), 3, axis=1)
    table[499, 1] += 1
    assert equal_columns(table).tolist() == [0, 1, 0]


def test_positions_are_whole_numbers_also_of_no_rows():
    assert equal_columns(np.zeros((0, 3))).dtype == equal_columns(np.zeros((2, 3))).dtype == np.int64
