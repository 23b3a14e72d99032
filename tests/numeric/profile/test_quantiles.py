"""Quantiles from bins are as near to the true ones as the bins are narrow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.numeric.profile.quantiles import CORE, Histogram, make_grid


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400),
    st.floats(-1e4, 1e4),
    st.floats(1e-2, 1e3),
    st.sampled_from(["normal", "laplace", "uniform"]),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32),
)
def test_a_quantile_is_within_a_bin_of_the_value_at_its_rank(rows, centre, spread, law, share, seed):
    """The bound that the module promises, for any place and scale; the first rows are as good as any others."""
    values = centre + spread * getattr(np.random.default_rng(seed), law)(size=(rows, 1))
    grid = make_grid(values[:50])
    found = Histogram.of(grid, grid.codes(values)).quantile(share)[0]
    rank = max(int(np.ceil(share * rows)), 1)
    true = np.sort(values[:, 0])[rank - 1]
    width = max(grid.relative_error * abs(true - grid.centre[0]), 2.0 ** (CORE + 1) * grid.spread[0])
    assert abs(found - true) <= width * 1.01 + 1e-9 * abs(centre)


def test_every_bin_holds_the_values_between_its_edges():
    """Codes and edges are two ways to say the same; float32 rounding may move a value that lies on an edge."""
    grid = make_grid(np.array([[0.0], [1.0], [2.0]]))
    values = np.concatenate([np.random.default_rng(0).normal(1, 10.0**p, 400) for p in range(-4, 6)])
    codes = grid.codes(values[:, None])[:, 0].astype(int)
    edges = grid.edges()
    u = values - 1
    slack = 1e-6 * np.abs(u) + 1e-12
    assert (u >= edges[codes] - slack).all()
    assert (u <= edges[codes + 1] + slack).all()
    assert len(np.unique(codes)) > 500


def test_the_scale_of_a_normal_distribution_is_its_standard_deviation():
    values = np.random.default_rng(1).normal(5, 2, (200_000, 1))
    grid = make_grid(values[:1000])
    histogram = Histogram.of(grid, grid.codes(values))
    median = histogram.quantile(0.5)
    assert median[0] == pytest.approx(5, abs=0.02)
    assert histogram.scale(median)[0] == pytest.approx(2, rel=0.01)


def test_a_class_that_hardly_varies_has_no_scale_and_one_with_many_ties_the_mean_deviation():
    values = np.column_stack([np.full(100, 3.0), np.where(np.arange(100) < 60, 3.0, 13.0)])
    grid = make_grid(values)
    histogram = Histogram.of(grid, grid.codes(values))
    scale = histogram.scale(np.array([3.0, 3.0]))
    assert scale[0] == 0
    assert scale[1] == pytest.approx(1.2533 * 4, rel=0.01)


@pytest.mark.parametrize("classes", [1, 10, 214, 1000, 20_000])
def test_many_classes_get_wider_bins_in_the_same_memory(classes):
    grid = make_grid(np.zeros((1, classes)))
    assert classes * grid.bins <= 2_200_000
    assert grid.relative_error <= (2**-7 if classes <= 214 else 1 / 2)


def test_a_class_that_does_not_vary_has_bins_as_wide_as_its_rounding():
    grid = make_grid(np.full((3, 2), [2.0**30, 1.0]))
    assert grid.spread[0] == 2.0**10
    assert 0 < grid.spread[1] < 1


def test_values_beyond_all_bins_count_as_the_edge_of_the_last():
    values = np.array([[-1e300], [-1.0], [0.0], [1.0], [1e300]])
    grid = make_grid(values[1:4])
    histogram = Histogram.of(grid, grid.codes(values))
    edges = grid.centre[0] + grid.spread[0] * grid.edges()
    assert histogram.quantile(1.0)[0] == edges[-2]
    assert histogram.quantile(1e-9)[0] == edges[1]
