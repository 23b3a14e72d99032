from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from scipy.special import log_softmax

from softmax_cli.numeric.metrics import auroc
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.auroc import Auroc, ScoreCells, cell_bits


def rows_of(count, classes, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, count)
    return log_softmax(rng.normal(size=(count, classes)) + 1.5 * np.eye(classes)[labels], axis=1), labels


def test_a_worked_ranking():
    """Class 0 with own rows at 0.9 and 0.5, others at 0.5 and 0.1: three pairs won, one equal, of four."""
    p = np.array([0.9, 0.5, 0.5, 0.1])
    found = Auroc.of(Rows(np.log(np.column_stack([p, 1 - p])), np.array([0, 0, 1, 1])))
    assert found.by_class.tolist() == [0.875, 0.875]


def test_classes_that_do_not_occur_are_left_out_and_counted():
    log_p, labels = rows_of(200, 3, 0)
    wider = np.column_stack([log_p, np.full((200, 2), -50.0)])
    assert Auroc.of(Rows(wider, labels)).value == Auroc.of(Rows(log_p, labels)).value
    assert Auroc.of(Rows(wider, labels)).absent == 2
    assert np.isnan(Auroc.of(Rows(log_p, np.zeros(200, int))).value)


def test_what_rounds_to_the_same_probability_is_told_apart():
    """P is 1 - 1e-18 and 1 - 1e-17: both 1 in binary."""
    log_p = np.array([[-1e-18, -41.4], [-1e-17, -39.1]])
    assert Auroc.of(Rows(log_p, np.array([0, 1]))).value == 1


def test_beyond_the_limit_counts_take_over_whatever_the_cut(monkeypatch):
    """The figure depends on how many rows there are, not on which part grew too large first; its bound holds."""
    log_p, labels = rows_of(400, 5, 1)
    exact = Auroc.of(Rows(log_p, labels))
    monkeypatch.setattr(auroc, "EXACT_SCORES", 600)
    whole = Auroc.of(Rows(log_p, labels))
    assert not whole.scores
    assert exact.error_bound == 0
    assert 0 < whole.error_bound < 1e-4
    assert abs(whole.value - exact.value) <= whole.error_bound
    for step in (30, 110, 130, 399):
        parts = [
            Auroc.of(Rows(log_p[start : start + step], labels[start : start + step])) for start in range(0, 400, step)
        ]
        merged = parts[0]
        for part in parts[1:]:
            merged = part.plus(merged)
        assert merged.value == whole.value
        assert merged.error_bound == whole.error_bound
        assert sum(block.size for block in merged.scores) <= 600


@pytest.mark.parametrize(("classes", "bits"), [(2, 12), (16, 12), (1000, 6), (10**6, 0)])
def test_all_classes_share_the_memory(classes, bits):
    assert cell_bits(classes) == bits
    assert classes * (32 << bits) <= max(1 << 21, 32 * classes)


def test_extreme_scores_find_a_cell():
    """Certain, masked, subnormal and huge: rows of the class above the others all the same."""
    own, other = [0.0, -5e-324, -1e-30], [-np.inf, -1e308, -300.0]
    log_p = np.array([[score, -1.0] for score in own + other])
    area, _ = ScoreCells.of(2, [(log_p, np.array([0, 0, 0, 1, 1, 1]))]).areas()
    assert area[0] == 1


def test_more_rows_than_32_bits_can_count():
    """The counts become as wide as they have to be; a long run would wrap around without a word."""
    one = ScoreCells.of(2, [(np.log([[0.9, 0.1], [0.2, 0.8], [0.2, 0.8]]), np.array([0, 1, 1]))])
    assert (one.rows, one.own.dtype, one.own.nbytes) == (3, np.uint32, 4 * 2 * (32 << 12))
    many = reduce(lambda cells, _: cells.plus(cells), range(31), one)
    assert many.rows == 3 << 31
    assert [held.max() for held in (many.own, many.others)] == [2 << 31, 2 << 31]
    assert many.areas()[0].tolist() == one.areas()[0].tolist()
    more = ScoreCells.of(2, [(np.log([[0.9, 0.1]]), np.array([0]))], many)
    assert (more.rows, more.own.sum()) == (many.rows + 1, many.own.sum() + 1)


def test_rows_of_one_cell_count_half_and_may_be_wrong_by_half():
    area, bound = ScoreCells.of(2, [(np.full((4, 2), np.log(0.5)), np.array([0, 0, 1, 1]))]).areas()
    assert area.tolist() == [0.5, 0.5]
    assert bound.tolist() == [0.5, 0.5]
