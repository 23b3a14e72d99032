"""Outliers are cells that no group of their class explains."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from softmax_cli.numeric.profile.outliers import KEPT, _pooled, cell_of, extremes_of, make_fences, plus
from softmax_cli.numeric.profile.profile import Profile, make_ruler
from softmax_cli.numeric.profile.quantiles import Histogram, make_grid


def confident_table(rows=2000, classes=10, seed=0):
    """A trained network: the true class far above the others, its own distribution around 12."""
    rng = np.random.default_rng(seed)
    z = rng.normal(-2, 1, (rows, classes))
    z[np.arange(rows), rng.integers(0, classes, rows)] = rng.normal(12, 1.5, rows)
    return z


def outside(z, limit=6.0):
    profile = Profile.of(make_ruler(z[:1000], limit), z, z)
    fences = profile.fences(limit)
    low, high = profile.values.outside(fences.low, fences.high)
    return profile, fences, int(low.sum()), int(high.sum())


def test_a_confident_prediction_is_no_outlier():
    """Median and MAD of a class alone would flag one cell in ten of this table."""
    z = confident_table()
    median = np.median(z, axis=0)
    naive = np.abs(z - median) > 6 * 1.4826 * np.median(np.abs(z - median), axis=0)
    assert naive.mean() > 0.09
    assert outside(z)[2:] == (0, 0)


def test_a_class_that_wins_seldom_is_judged_by_the_winners_of_all_classes():
    """Three wins tell nothing about the class, but 12 is what a win looks like in this table, and 100 is not."""
    z = np.column_stack([confident_table(classes=3), np.random.default_rng(1).normal(-2, 1, 2000)])
    z[:3] = [-2, -2, -2, 12]
    assert outside(z)[2:] == (0, 0)
    z[3] = [-2, -2, -2, 100]
    assert outside(z)[2:] == (0, 1)


def test_a_class_on_a_larger_scale_is_judged_by_its_own_winners():
    """A class ten times as large wins by 120: strange (another finding), but no cell is unlike the others."""
    z = confident_table(classes=4)
    z[:, 3] *= 10
    assert outside(z)[2:] == (0, 0)


@pytest.mark.parametrize(("value", "expected"), [(300.0, (0, 1)), (-300.0, (1, 0)), (1e30, (0, 1))])
def test_a_planted_cell_is_found_on_its_side(value, expected):
    z = confident_table()
    z[1500, 3] = value
    profile, fences, *counts = outside(z)
    assert tuple(counts) == expected
    beyond = [
        one for one in profile.extremes if one.code < fences.low[one.position] or one.code > fences.high[one.position]
    ]
    assert [(one.row, one.position) for one in beyond] == [(1500, 3)]
    assert beyond[0].value == pytest.approx(value)


def test_counting_and_marking_agree():
    """The fence lies on the edge of a bin, so the count of the sketch is that of the cells marked one by one."""
    z = np.random.default_rng(3).standard_t(2, (3000, 5))
    profile, fences, low, high = outside(z, 5.0)
    marked = fences.outside(profile.values.grid.codes(z), profile.values.grid.unfit)
    assert low + high == marked.sum() > 0


def test_an_outlier_row_without_its_cell():
    """By hand: logits 100, 2, 1; with 0 in place of the 100, p = softmax(0, 2, 1) = .0900, .6652, .2447."""
    z = np.vstack([np.random.default_rng(0).normal(0, 1, (50, 3)), [[100.0, 2.0, 1.0]]])
    profile = Profile.of(make_ruler(z[:50], 6), z, z)
    (cell,) = [one for one in profile.extremes if one.row == 50]
    assert cell.share == 1
    winner, p = cell.without(0.0)
    assert winner == 1
    assert p == pytest.approx(0.66524096, abs=1e-8)
    winner, p = cell.without(3.0)
    assert winner == 0
    assert p == pytest.approx(np.exp(3) / np.exp([3.0, 2.0, 1.0]).sum())


def test_few_cells_and_constant_ones_are_not_judged():
    assert outside(np.array([[0.0, 1.0]] * 5 + [[1000.0, 1.0]]))[2:] == (0, 0)
    assert outside(np.ones((100, 3)))[2:] == (0, 0)


def extremes(z):
    grid = make_ruler(z, 6.0).grid
    return extremes_of(z, grid.codes(z), np.abs(z) > 20, grid), grid


def test_the_farthest_cells_of_each_class_and_side_are_kept():
    z = confident_table(classes=3)
    z[100:110, 1] = np.arange(100, 110)
    z[200:205, 1] = -np.arange(100, 105)
    found, _ = extremes(z)
    assert [(one.row, one.value) for one in found] == [
        (204, -104), (203, -103), (202, -102), (109, 109), (108, 108), (107, 107)
    ]  # fmt: skip


def test_parts_keep_what_the_whole_keeps():
    z = confident_table(classes=3)
    z[::50] *= 20
    whole, grid = extremes(z)
    codes, watched = grid.codes(z), np.abs(z) > 20
    parts = [extremes_of(z[a:b], codes[a:b], watched[a:b], grid) for a, b in ((0, 700), (700, 1500), (1500, 2000))]
    assert plus(plus(parts[0], parts[1], 700), parts[2], 1500) == whole
    assert len(whole) <= 3 * 2 * KEPT


def test_a_cell_tells_p_of_its_row_with_and_without_it():
    z = np.array([[1.0, 30.0, 0.5], [1.0, 2.0, 0.5]])
    grid = make_ruler(z, 6.0).grid
    cell = cell_of(z[0], 7, 1, 0, grid)
    assert (cell.row, cell.position, cell.rival) == (7, 1, 0)
    assert cell.share == pytest.approx(softmax(z[0])[1])
    for value in (-5.0, 0.9, 1.1, 30.0):
        p = softmax(np.array([1.0, value, 0.5]))
        assert cell.without(value) == (p.argmax(), pytest.approx(p.max()))


def test_a_row_that_cannot_be_scored_has_no_others():
    z = np.array([[-np.inf, 30.0]])
    assert np.isnan(cell_of(z[0], 0, 1, 0, make_ruler(np.ones((3, 2)), 6.0).grid).others)


def test_without_a_limit_or_without_rows_nothing_is_outside():
    ruler = make_ruler(confident_table(classes=3), 6.0)
    for z, limit in ((confident_table(classes=3), np.inf), (np.empty((0, 3)), 6.0)):
        profile = Profile.of(ruler, z, z)
        fences = make_fences(profile.values, profile.wins, limit)
        codes = ruler.grid.codes(np.full((1, 3), 1e6))
        assert not fences.outside(codes, ruler.grid.unfit).any()


@pytest.mark.parametrize("value", [-1e30, -3.0, 7.0, 1e30])
def test_winners_that_are_all_alike_make_a_fence_in_the_middle_of_their_bin(value):
    grid = make_grid(np.array([[0.0], [1.0], [2.0]]))
    codes = grid.codes(np.full((5, 1), value))
    edges = grid.edges()
    low, high = edges[codes[0, 0]], edges[codes[0, 0] + 1]
    middle = (np.clip(low, edges[1], None) + np.clip(high, None, edges[-2])) / 2
    assert _pooled(Histogram.of(grid, codes), 6.0) == grid.centre[0] + grid.spread[0] * middle
