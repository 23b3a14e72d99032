"""Histogram binning: shares counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.numeric.calibrators._examples import Examples, log_softmax_rows
from softmax_cli.numeric.calibrators.histogram import BINS, Histogram


def two_classes(p):
    """Logits of rows whose second class has probability p."""
    return np.log(np.column_stack([1 - np.asarray(p), p]))


@given(st.lists(st.floats(0.001, 0.999), min_size=2, max_size=60), st.randoms(use_true_random=False))
def test_no_bin_is_empty_and_levels_are_shares_with_one_more_row(p, random):
    labels = np.array([0, 1, *(random.randrange(2) for _ in p[2:])])
    fitted = Histogram.fit(Examples.checked(two_classes(p), labels))
    probability = np.exp(log_softmax_rows(two_classes(p)))[:, 1]
    of_row = np.searchsorted(fitted.edges[1], probability)
    rows, true = np.bincount(of_row), np.bincount(of_row, labels)
    assert rows.all()
    assert len(rows) == len(fitted.levels[1]) <= BINS
    np.testing.assert_allclose(fitted.levels[1], (true + labels.mean()) / (rows + 1), rtol=1e-9)


def test_small_probabilities_are_parted_by_their_number_and_large_ones_by_their_size():
    """Those below 1/8 stand in threes, an eighth of all; the one row of each eighth above is alone in its bin."""
    p = np.concatenate([np.linspace(0.001, 0.1, 16), np.arange(1, 8) / 8 + 0.05])
    edges = Histogram.fit(Examples.checked(two_classes(p), np.arange(23) % 2)).edges[1]
    assert np.bincount(np.searchsorted(edges, p)).tolist() == [3, 3, 3, 3, 3, 1, *[1] * 7]


def test_no_bin_is_certain_and_the_class_share_decides():
    """Ten rows at 0.2, one of them true, twenty at 0.9, all true: m-estimates with the class share 21/30."""
    p = np.repeat([0.2, 0.9], [10, 20])
    labels = np.repeat([1, 0, 1], [1, 9, 20])
    fitted = Histogram.fit(Examples.checked(two_classes(p), labels))
    np.testing.assert_allclose(fitted.levels[1], [(1 + 0.7) / 11, (20 + 0.7) / 21], rtol=1e-12)
    np.testing.assert_allclose(fitted.edges[1], [0.55], rtol=1e-12)
    second = np.exp(fitted.log_p(two_classes([0.1, 0.54, 0.56, 0.99])))[:, 1]
    np.testing.assert_allclose(second, np.repeat([1.7 / 11, 20.7 / 21], 2), rtol=1e-12)


def test_equal_probabilities_share_one_bin():
    fitted = Histogram.fit(Examples.checked(two_classes(np.full(20, 0.5)), np.arange(20) % 2))
    assert [len(edges) for edges in fitted.edges] == [0, 0]
    assert Histogram.from_parameters(fitted.parameters()).parameters() == fitted.parameters()


def test_levels_and_edges_must_match():
    with pytest.raises(ValueError, match="one level more than edges"):
        Histogram.from_parameters({"edges": [[0.5], [0.5]], "levels": [[0.1, 0.9], [0.1]]})
