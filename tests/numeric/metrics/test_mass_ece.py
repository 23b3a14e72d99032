from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.numeric.metrics import Plan, _class_bins
from softmax_cli.numeric.metrics._bins import mass_bins
from softmax_cli.numeric.metrics._class_bins import ClassRankings
from softmax_cli.numeric.metrics._ranking import Ranking
from softmax_cli.numeric.metrics._rows import Rows


def ranking(rows):
    confidence, correct = zip(*rows, strict=True)
    return Ranking((np.array(confidence),), (np.array(correct, bool),))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60), st.integers(1, 20))
def test_bins_hold_equal_counts_and_lose_no_row(rows, bins):
    found = mass_bins(ranking(rows), bins)
    assert found.count.sum() == len(rows)
    assert found.count.max() - found.count.min() <= 1
    assert len(found.count) == min(bins, len(rows))
    assert (found.count * found.accuracy).sum() == pytest.approx(sum(right for _, right in rows))
    assert (found.count * found.confidence).sum() == pytest.approx(sum(confidence for confidence, _ in rows))


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60, unique_by=lambda row: row[0]))
def test_without_ties_it_is_a_plain_split(rows):
    """Sorted rows cut by numpy's own array_split, as the reference does."""
    gaps = [
        abs(sum(confidence - right for confidence, right in held))
        for held in np.array_split(np.array(sorted(rows), dtype=object).reshape(-1, 2), 7)
    ]
    assert mass_bins(ranking(rows), 7).error() == pytest.approx(sum(gaps) / len(rows), abs=1e-12)


def test_a_cut_through_equals_does_not_sort_them_by_luck():
    """Four rows at 0.75, two of them right: both halves are right by half, whatever the order of the rows."""
    found = mass_bins(ranking([(0.75, True), (0.75, False), (0.75, True), (0.75, False)]), 2)
    assert found.accuracy.tolist() == [0.5, 0.5]
    assert found.error() == 0.25


def test_classes_one_by_one():
    """Each class alone, in order of its own probability, by the definition."""
    rng = np.random.default_rng(3)
    p, labels = rng.dirichlet(np.ones(3), 50), rng.integers(0, 3, 50)
    found = ClassRankings.of(Rows(np.log(p), labels), Plan(bins=4))
    for column in range(3):
        order = np.argsort(p[:, column])
        gaps = [abs((p[held, column] - (labels[held] == column)).sum()) for held in np.array_split(order, 4)]
        assert found.by_class()[column] == pytest.approx(sum(gaps) / 50)
    assert found.error() == pytest.approx(found.by_class().mean())


def test_too_much_to_keep_is_refused(monkeypatch):
    monkeypatch.setattr(_class_bins, "LIMIT", 30)
    part = ClassRankings.of(Rows(np.zeros((5, 4)), np.zeros(5, int)), Plan())
    with pytest.raises(ValueError, match="40 probabilities are too many"):
        part.plus(part)


def test_there_is_a_bin_at_least():
    with pytest.raises(ValueError, match="0 bins"):
        Plan(bins=0)


def test_no_rows_are_one_empty_bin():
    bins = mass_bins(Ranking((np.empty(0),), (np.empty(0, bool),)))
    assert (bins.lower.tolist(), bins.upper.tolist(), bins.count.tolist()) == ([0.0], [1.0], [0])
