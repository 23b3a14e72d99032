"""The figures of a run do not depend on where it was cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.prediction.transform import CONFIDENCE_UNIT, Tally, confidence_units

CLASSES = 4
scored_rows = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.floats(0, 1)), max_size=30)


def tally_of(predicted: list[tuple[int, float]], bad: int = 0) -> Tally:
    counts = np.bincount(np.array([one for one, _ in predicted], np.int64), minlength=CLASSES)
    confidence = confidence_units(np.array([one for _, one in predicted]))
    return Tally(len(predicted) + bad, bad, "skip", counts, confidence)


@given(scored_rows, scored_rows, scored_rows, st.integers(0, 5), st.integers(0, 5))
def test_parts_add_up_to_the_whole(first, second, third, bad_first, bad_second):
    """To the last bit, the mean confidence too, in whatever order and grouping they come."""
    whole = tally_of(first + second + third, bad_first + bad_second)
    one, two, three = tally_of(first, bad_first), tally_of(second, bad_second), tally_of(third)
    for added in (one.plus(two).plus(three), one.plus(two.plus(three)), three.plus(two.plus(one))):
        assert (added.rows, added.bad_rows, added.scored) == (whole.rows, whole.bad_rows, whole.scored)
        assert added.counts.tolist() == whole.counts.tolist()
        assert added.mean_confidence == whole.mean_confidence


@given(st.lists(st.floats(0, 1), min_size=1))
def test_the_mean_confidence_is_that_of_the_rows(confidence):
    tally = tally_of([(0, one) for one in confidence])
    assert tally.mean_confidence == pytest.approx(np.mean(confidence), rel=0, abs=CONFIDENCE_UNIT)


def test_the_mean_is_over_the_scored_rows():
    """Three rows, one of them bad: (0.9 + 0.6) / 2."""
    two = confidence_units(np.array([0.9, 0.6]))
    assert Tally(3, 1, "null", np.array([1, 1]), two).mean_confidence == pytest.approx(0.75, abs=1e-9)
    assert Tally(1, 1, "null", np.array([0, 0]), 0).mean_confidence is None


def test_accuracy_is_of_the_judged_rows_and_unknown_where_a_part_leaves_it_open():
    part = Tally(4, 0, "skip", np.array([4, 0]), 0, abstained=1, judged=3, right=2)
    both = part.plus(Tally(2, 0, "skip", np.array([2, 0]), 0, abstained=0, judged=1, right=1))
    assert (both.abstained, both.judged, both.right, both.accuracy) == (1, 4, 3, 0.75)
    left_open = Tally(1, 0, "skip", np.array([1, 0]), 0, judged=None)
    assert part.plus(left_open).accuracy is left_open.plus(part).accuracy is None
    assert Tally(1, 0, "skip", np.array([1, 0]), 0).accuracy is None


def test_figures_that_contradict_each_other_are_refused():
    """Every scored row is counted once; parts of different runs do not add up to anything."""
    with pytest.raises(ValueError, match="2 rows were scored"):
        Tally(3, 1, "skip", np.array([1, 0]), 0)
    with pytest.raises(ValueError, match="4 classes"):
        tally_of([(0, 0.5)]).plus(Tally(1, 0, "skip", np.array([1]), 0))
    with pytest.raises(ValueError, match="skip"):
        tally_of([(0, 0.5)]).plus(Tally(1, 0, "error", np.array([1, 0, 0, 0]), 0))
