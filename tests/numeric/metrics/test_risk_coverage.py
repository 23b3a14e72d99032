from __future__ import annotations

import tracemalloc
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.numeric.metrics import Parts
from softmax_cli.numeric.metrics._ranking import Ranking
from softmax_cli.numeric.metrics.answered import answered
from softmax_cli.numeric.metrics.debiased_ece import debiased_error
from softmax_cli.numeric.metrics.ks_error import ks_error
from softmax_cli.numeric.metrics.risk_coverage import aurc, excess


def of_rows(rows):
    confidence, correct = zip(*rows, strict=True)
    return Ranking((np.array(confidence),), (np.array(correct, bool),))


def area(right):
    """Mean of the error rate among the first 1, 2, ... rows."""
    return np.mean([1 - np.mean(right[:count]) for count in range(1, len(right) + 1)])


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.5, 0.8]), st.booleans()), min_size=1, max_size=5))
def test_equals_count_as_the_mean_of_all_orders(rows):
    orders = [sorted(order, key=lambda row: -row[0]) for order in permutations(rows)]
    expected = np.mean([area([right for _, right in order]) for order in orders])
    assert aurc(of_rows(rows)) == pytest.approx(expected)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_the_best_order_has_no_excess(rows):
    """Confidence 1 where right and 0 where wrong cannot be beaten; any other order lies above."""
    assert excess(of_rows(rows)) >= -1e-12
    assert excess(of_rows([(float(right), right) for _, right in rows])) == pytest.approx(0, abs=1e-12)


def test_the_curve_has_one_point_for_each_threshold():
    """Three rows at 0.9, one of them wrong, then one at 0.6, wrong."""
    found = of_rows([(0.9, True), (0.6, False), (0.9, False), (0.9, True)]).curve
    assert found.threshold.tolist() == [0.9, 0.6]
    assert found.coverage.tolist() == [0.75, 1]
    assert found.risk == pytest.approx([1 / 3, 1 / 2])


@pytest.mark.parametrize(
    ("least", "share", "error"), [(0.0, 1.0, 0.6), (0.5, 0.8, 0.5), (0.6, 0.4, 0.0), (0.95, 0.0, np.nan)]
)
def test_what_is_answered_and_how_much_of_it_is_wrong(least, share, error):
    """A row as sure as the threshold is answered."""
    ranking = Ranking((np.array([0.9, 0.2, 0.5, 0.8, 0.5]),), (np.array([True, False, False, True, False]),))
    np.testing.assert_array_equal(answered(ranking, least), (share, error))


def test_a_ranking_is_held_once():
    """Kept are 9 bytes a row, and where runs of equals begin; the figures go over them in blocks."""
    rows = 1 << 20
    drawn = np.random.default_rng(0).random(rows)
    tracemalloc.start()
    ranking = Ranking(tuple(drawn.copy().reshape(16, -1)), tuple((drawn < 0.7).reshape(16, -1)))
    parts = Parts({Ranking: ranking})
    for figure in (debiased_error(parts, 15), ks_error(parts), aurc(ranking), excess(ranking)):
        assert 0 <= figure <= 1
    assert len(ranking.curve_at([0.1, 0.5, 1.0]).risk) == 3
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 * rows
