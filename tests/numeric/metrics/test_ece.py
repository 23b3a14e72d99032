from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._bins import WidthBins, norm_of, width_bin, width_edges
from softmax_cli.numeric.metrics._rows import Rows


def two_classes(confidence, correct):
    """Rows that predict class 0 with such a confidence, rightly or not."""
    p = np.array(confidence)
    with np.errstate(divide="ignore"):
        log_p = np.log(np.column_stack([p, 1 - p]))
    return Rows(log_p, np.where(correct, 0, 1))


def test_a_worked_diagram():
    """Two bins: (0.5, 1] holds 0.6 right, 0.8 wrong, 1 right; a confidence of exactly 0.5 is in the lower bin."""
    found = WidthBins.of(two_classes([0.5, 0.6, 0.8, 1.0], [True, True, False, True]), Plan(bins=2))
    assert found.bins.count.tolist() == [1, 3]
    assert found.bins.confidence == pytest.approx([0.5, 0.8])
    assert found.bins.accuracy == pytest.approx([1, 2 / 3])
    assert found.bins.gap == pytest.approx([0.5, -2 / 15])
    assert found.bins.error() == pytest.approx(0.25 * 0.5 + 0.75 * 2 / 15)
    assert found.bins.error("l2") == pytest.approx(math.sqrt(0.25 * 0.5**2 + 0.75 * (2 / 15) ** 2))
    assert found.bins.error("max") == pytest.approx(0.5)


def test_empty_bins_are_unknown_and_do_not_count():
    found = WidthBins.of(two_classes([0.95], [True]), Plan(bins=10))
    assert np.isnan(found.bins.accuracy).sum() == 9
    assert found.bins.error() == pytest.approx(0.05)


@given(st.floats(0, 1), st.integers(1, 40))
def test_a_bin_holds_its_upper_edge(p, bins):
    edges = width_edges(bins)
    (place,) = width_bin(np.array([p]), edges)
    assert edges[place] < p <= edges[place + 1] or (p == 0 and place == 0)


@given(st.lists(st.tuples(st.floats(0.5, 1), st.booleans()), min_size=1, max_size=40))
def test_the_norms_are_in_order(rows):
    """A mean is at most the root of the mean square, and that at most the largest."""
    bins = WidthBins.of(two_classes(*zip(*rows, strict=True)), Plan()).bins
    assert bins.error("l1") <= bins.error("l2") + 1e-15
    assert bins.error("l2") <= bins.error("max") + 1e-15


def test_what_there_is_not_is_refused():
    with pytest.raises(ValueError, match="'l3': expected one of l1, l2, max"):
        norm_of("l3")
    with pytest.raises(ValueError, match="0 bins"):
        width_edges(0)
