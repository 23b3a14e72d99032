"""The figures of a run do not depend on where it was cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.batches.tally import Tally

CLASSES = 4
rows_of_classes = st.lists(st.integers(0, CLASSES - 1), max_size=30)


def tally_of(predicted: list[int], bad: int = 0) -> Tally:
    counts = np.bincount(np.array(predicted, np.int64), minlength=CLASSES)
    return Tally(len(predicted) + bad, bad, "skip", counts, 0.5 * len(predicted))


@given(rows_of_classes, rows_of_classes, st.integers(0, 5), st.integers(0, 5))
def test_two_halves_add_up_to_the_whole(first, second, bad_first, bad_second):
    """Halves (0.5 is exact in binary) give every figure of the whole."""
    whole = tally_of(first + second, bad_first + bad_second)
    added = tally_of(first, bad_first).plus(tally_of(second, bad_second))
    assert (added.rows, added.bad_rows, added.scored) == (whole.rows, whole.bad_rows, whole.scored)
    assert added.counts.tolist() == whole.counts.tolist()
    assert added.mean_confidence == whole.mean_confidence


def test_the_mean_is_over_the_scored_rows():
    """Three rows, one of them bad: (0.9 + 0.6) / 2."""
    assert Tally(3, 1, "null", np.array([1, 1]), 1.5).mean_confidence == 0.75
    assert Tally(1, 1, "null", np.array([0, 0]), 0.0).mean_confidence is None


def test_figures_that_contradict_each_other_are_refused():
    """Every scored row is counted once; parts of different runs do not add up to anything."""
    with pytest.raises(ValueError, match="2 rows were scored"):
        Tally(3, 1, "skip", np.array([1, 0]), 1.0)
    with pytest.raises(ValueError, match="4 classes"):
        tally_of([0]).plus(Tally(1, 0, "skip", np.array([1]), 0.5))
    with pytest.raises(ValueError, match="skip"):
        tally_of([0]).plus(Tally(1, 0, "error", np.array([1, 0, 0, 0]), 0.5))
