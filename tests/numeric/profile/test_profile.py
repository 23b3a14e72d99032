"""A table's figures do not depend on where it was cut: parts add up to the whole, grouped either way."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.numeric.profile.profile import Profile, make_ruler

usual = st.floats(-100, 100, width=32)
cells = st.one_of(usual, usual, st.sampled_from([np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-38, 1e6, -70000.0, 0.0]))


@st.composite
def tables(draw):
    classes = draw(st.integers(1, 5))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return draw(hnp.arrays(dtype, st.tuples(st.integers(0, 30), st.just(classes)), elements=cells))


def values_of(part):
    """Every number of a part, by name."""
    if is_dataclass(part):
        return {f.name: values_of(getattr(part, f.name)) for f in fields(part)}
    if isinstance(part, tuple):
        return [values_of(item) for item in part]
    return part


def cut(table, places):
    return np.split(table, sorted(min(place, len(table)) for place in places))


@settings(max_examples=150, deadline=None)
@given(tables(), st.lists(st.integers(0, 30), max_size=4), st.booleans())
def test_parts_add_up_whatever_the_cut(table, places, from_the_right):
    """Exactly, in every field, and grouped either way."""
    head = np.random.default_rng(0).normal(0, 20, (30, table.shape[1])).astype(table.dtype)
    ruler = make_ruler(head, 2.0)
    whole = Profile.of(ruler, table, table)
    parts = [Profile.of(ruler, part, part) for part in cut(table, places)]
    if from_the_right:
        total = parts.pop()
        while parts:
            total = parts.pop().plus(total)
    else:
        total = parts.pop(0)
        while parts:
            total = total.plus(parts.pop(0))
    np.testing.assert_equal(values_of(total), values_of(whole))


def test_memory_order_changes_nothing():
    """A matrix that runs down its columns has the same figures as one along its rows."""
    table = np.random.default_rng(0).normal(0, 3, (500, 7)).astype(np.float32)
    across, down = np.ascontiguousarray(table), np.asfortranarray(table)
    ruler = make_ruler(table[:100], 6)
    first, second = Profile.of(ruler, across, across), Profile.of(ruler, down, down)
    np.testing.assert_equal(values_of(first), values_of(second))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_are_those_of_the_cells(dtype):
    """Rounding on the way takes less than a float sum does; a class of one number has that number for its mean."""
    table = np.random.default_rng(0).normal([-2, 1e-3, 1e6], [3, 1e-5, 1], (5000, 3)).astype(dtype)
    table[:, 1] = table[0, 1]
    found = Profile.of(make_ruler(table[:100], 6), table, table).cells.mean
    assert found == pytest.approx(table.mean(axis=0, dtype=np.float64), rel=1e-13)


def test_the_size_of_a_part_does_not_depend_on_its_rows():
    """Ten times the rows, the same arrays (until repeats are sampled, a bounded number of hashes)."""
    table = np.random.default_rng(0).normal(0, 3, (3000, 4))
    ruler = make_ruler(table, 6)
    small, large = Profile.of(ruler, table[:300], table[:300]), Profile.of(ruler, table, table)
    assert small.values.counts.nbytes == large.values.counts.nbytes
    assert len(large.missing.places) <= 5
    assert len(large.extremes) <= 3 * 2 * 4


def test_cells_are_counted_for_what_they_are():
    """By hand: two classes, four rows."""
    table = np.array([[1.0, np.nan], [np.inf, 2.0], [3.0, -np.inf], [-1.0, 70000.0]])
    profile = Profile.of(make_ruler(table, 6), table, table)
    cells = profile.cells
    assert cells.finite.tolist() == [3, 2]
    assert (cells.missing.tolist(), cells.above.tolist(), cells.masked.tolist()) == ([0, 1], [1, 0], [0, 1])
    assert (cells.lowest.tolist(), cells.highest.tolist()) == ([-1, 2], [3, 70000])
    assert cells.mean.tolist() == [1, 35001]
    assert (cells.overflowing.tolist(), cells.overflowing.dtype) == ([0, 1], np.int64)
    assert profile.missing.places == ((0, 1),)
    assert profile.above.places == ((1, 0),)
    assert profile.masked.places == ((2, 1),)
    assert profile.bad.places == ((0, -1), (1, -1))
