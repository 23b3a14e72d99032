"""Sparsemax and 1.5-entmax: they solve the problems that define them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from softmax_cli.numeric.activations import entmax15_, log_, sparsemax_
from softmax_cli.numeric.softmax import adjust_

Array = NDArray[np.floating]
Kernel = Callable[[Array], Array]
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9)
close = hnp.arrays(np.float64, SHAPES, elements=st.floats(-2, 2) | st.sampled_from([-1.0, 0.0, 0.25]))
"""Near enough to each other that the supports have every size, ties included."""
KERNELS = pytest.mark.parametrize("kernel", [sparsemax_, entmax15_])


@given(close)
def test_sparsemax_is_the_projection_onto_the_simplex(a: Array) -> None:
    """The conditions of Karush, Kuhn and Tucker: a - p is one number on the support, and a is at most that off it."""
    for row, p in zip(a, sparsemax_(a.copy()), strict=True):
        tau = (row - p)[p > 0]
        np.testing.assert_allclose(tau, tau[0], atol=1e-14)
        assert (row[p == 0] <= tau[0] + 1e-14).all()
        assert p.sum() == pytest.approx(1, abs=1e-14)


@given(close)
def test_entmax_meets_its_condition_of_optimality(a: Array) -> None:
    """sqrt(p) = a/2 - tau on the support, and a/2 <= tau off it: what maximises p.a + the 1.5-Tsallis entropy."""
    for row, p in zip(a, entmax15_(a.copy()), strict=True):
        tau = (row / 2 - np.sqrt(p))[p > 0]
        np.testing.assert_allclose(tau, tau[0], atol=1e-13)
        assert (row[p == 0] / 2 <= tau[0] + 1e-13).all()
        assert p.sum() == pytest.approx(1, abs=1e-14)


def test_figures_by_hand() -> None:
    np.testing.assert_allclose(sparsemax_(np.array([[1.0, 0.5, -1.0]])), [[0.75, 0.25, 0]], atol=1e-15)
    # Two classes d apart: x + y = sqrt(2 - d^2/4) and x - y = d/2 for the roots; d = 1.
    roots = (np.sqrt(1.75) + np.array([0.5, -0.5])) / 2
    np.testing.assert_allclose(entmax15_(np.array([[1.0, 0.0, -5.0]])), [[*roots**2, 0]], atol=1e-15)


@KERNELS
def test_far_and_masked_classes_are_exactly_0(kernel: Kernel) -> None:
    z = np.array([[0, -np.inf, 0, -1e308, -3], [1e308, -1e308, 0, -np.inf, 1e307]])
    assert kernel(adjust_(z)).tolist() == [[0.5, 0, 0.5, 0, 0], [1, 0, 0, 0, 0]]


@KERNELS
def test_bad_rows_stay_nan(kernel: Kernel) -> None:
    p = kernel(adjust_(np.array([[np.nan, 1], [0, 0]])))
    assert np.isnan(p).tolist() == [[True, True], [False, False]]


@KERNELS
@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-12), (np.float32, 2e-6)])
@pytest.mark.parametrize("classes", [1, 3, 1000, 50_257])
def test_sums_hold_and_bits_are_equal_anywhere(
    kernel: Kernel, dtype: type[np.floating], bound: float, classes: int
) -> None:
    spread = np.array([[1], [0.001], [20]])
    a = (spread * np.random.default_rng(classes).normal(size=(3, classes))).astype(dtype)
    alone = np.array([kernel(row[None].copy())[0] for row in a])
    assert np.abs(alone.sum(axis=1, dtype=np.float64) - 1).max() <= bound
    columnar = np.array(a, order="F")
    for start in range(3):
        kernel(columnar[start : start + 1])
    for matrix in (columnar, kernel(np.array(a, order="F")), kernel(a)):
        assert matrix.tobytes() == alone.tobytes()


def test_the_logarithm_of_a_class_that_is_left_out() -> None:
    assert log_(np.array([[1.0, 0.0]])).tolist() == [[0, -np.inf]]


@KERNELS
@pytest.mark.parametrize("spread", [1e-4, 1e-2])
def test_float32_finds_the_same_threshold_among_many_classes(kernel: Kernel, spread: float) -> None:
    """Sums of 50,000 float32 terms would be off by 1e-4 of the largest probability."""
    a = (spread * np.random.default_rng(0).normal(size=(1, 50_257))).astype(np.float32)
    precise = kernel(a.astype(np.float64))
    np.testing.assert_allclose(kernel(a.copy()), precise, rtol=0, atol=5e-7 * precise.max())
