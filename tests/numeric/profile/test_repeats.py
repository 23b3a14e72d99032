"""Repeated rows are counted exactly while they fit, and fairly when they do not."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.numeric.profile.row_figures import Repeats, row_hashes

few_rows = hnp.arrays(
    np.float32, st.tuples(st.integers(0, 40), st.just(2)), elements=st.sampled_from([0.0, -0.0, 1.0, 2.5])
)


@given(few_rows)
def test_counts_are_those_of_a_dictionary(rows):
    """With 0 and -0 the same."""
    truth = Counter(map(tuple, (rows + 0.0).tolist()))
    repeats = Repeats.of(row_hashes(rows), np.arange(len(rows)))
    assert repeats.exact
    assert repeats.extra == len(rows) - len(truth)
    assert repeats.groups == sum(count > 1 for count in truth.values())
    most = repeats.commonest(1)
    assert [count for _, count in most] == [count for _, count in truth.most_common(1) if count > 1]
    for row, count in most:
        assert (rows == rows[row]).all(axis=1).sum() == count
        assert not (rows[:row] == rows[row]).all(axis=1).any()


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(0, 60), st.integers(1, 8))
def test_bounded_parts_add_up_to_the_bounded_whole(hashes, place, kept):
    """Also when most hashes are dropped: which are kept depends on the set of all rows alone."""
    array = np.array(hashes, np.uint64)
    first, second = array[:place], array[place:]
    whole = Repeats.of(array, np.arange(len(array)), kept)
    added = Repeats.of(first, np.arange(len(first)), kept).plus(
        Repeats.of(second, np.arange(len(second)), kept), len(first)
    )
    assert added.hashes.tolist() == whole.hashes.tolist()
    assert added.counts.tolist() == whole.counts.tolist()
    assert added.first.tolist() == whole.first.tolist()


def test_an_estimate_is_near_when_only_a_sample_is_kept():
    """20,000 different rows of which 5,000 stand twice, 2,000 kept: about 500 in the sample, 4.5 % standard error."""
    rows = np.random.default_rng(0).normal(size=(20_000, 3))
    repeats = Repeats.of(row_hashes(np.concatenate([rows, rows[:5000]])), np.arange(25_000), kept=2000)
    assert not repeats.exact
    assert repeats.extra == pytest.approx(5000, rel=0.15)
    assert repeats.groups == pytest.approx(5000, rel=0.15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_hashes_of_different_rows_differ(dtype):
    """Whole numbers in float64 have 50 zero bits each, the hardest case; and columns may not be exchanged."""
    grid = np.stack(np.meshgrid(np.arange(300), np.arange(300)), axis=-1).reshape(-1, 2).astype(dtype)
    assert len(np.unique(row_hashes(grid))) == len(grid)
