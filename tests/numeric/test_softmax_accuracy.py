"""The error of softmax against arithmetic of 60 digits and more."""

from __future__ import annotations

from typing import Any

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.numeric.softmax import log_softmax, softmax

temperatures = st.floats(1e-3, 1e3)

HARD_ROWS = (
    [3.0, 1.0, 0.2, -1.0],
    [1e308, -1e308, 0.0],
    [1e308, 1e308],
    [-1e308, -1e308, -1e308],
    [5e-324, -5e-324, 1e-310],
    [7.0] * 10,
    [0.0, -np.inf, 2.0],
    [-np.inf, -1e308],
    [600.0, -90.5, 599.3],
    [599.0, -85.25, 598.9],
    [800.1, 111.2, 799.7],
    [0.0, -690.7, -36.7, -37.1],
    [1e15 + 1, 1e15, 1e15 - 40],
)


def lists_of(elements: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    """Rows of up to twelve classes."""
    return st.lists(elements, min_size=1, max_size=12)


def exact(row: list[float], temperature: float = 1.0) -> list[Any]:
    """Probabilities of one row in 60 digits."""
    with mpmath.workdps(60):
        terms = [mpmath.exp((mpmath.mpf(z) - mpmath.mpf(max(row))) / mpmath.mpf(temperature)) for z in row]
        total = mpmath.fsum(terms)
        return [term / total for term in terms]


def assert_accurate(row: list[float], temperature: float, dtype: type[np.floating]) -> None:
    """The law: 4 + |z_i - max z|/T units in the last place."""
    limits = np.finfo(dtype)
    smallest = 1e-300 if dtype is np.float64 else float(limits.tiny)
    computed = softmax(np.array(row, dtype), temperature=temperature)
    for z, found, true in zip(row, computed.tolist(), exact(row, temperature), strict=True):
        if true < smallest:
            assert found <= 1.001 * smallest
            continue
        allowed = 4 + (max(row) - z) / temperature
        assert abs(found - true) / true <= allowed * float(limits.eps), (z, found, true)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 1.3, 7.0, 1e-3, 1e-310, 1e308])
@pytest.mark.parametrize("row", HARD_ROWS, ids=str)
def test_hard_rows_are_accurate(row: list[float], temperature: float) -> None:
    assert_accurate(row, temperature, np.float64)


@settings(deadline=None)  # 60 digits take their time
@given(lists_of(st.floats(-1e308, 1e308) | st.floats(-700, 700) | st.floats(-5, 5)), temperatures)
def test_every_row_is_accurate(row: list[float], temperature: float) -> None:
    assert_accurate(row, 1.0, np.float64)
    assert_accurate(row, temperature, np.float64)


@settings(deadline=None)  # 60 digits take their time
@given(lists_of(st.floats(-(2.0**127), 2.0**127, width=32) | st.floats(-80, 80, width=32)), temperatures)
def test_every_float32_row_is_accurate(row: list[float], temperature: float) -> None:
    assert_accurate(row, 1.0, np.float32)
    assert_accurate(row, temperature, np.float32)


@settings(deadline=None)  # 1000 digits take their time
@given(lists_of(st.floats(-700, 700) | st.floats(-5, 5)))
def test_log_probabilities_keep_their_relative_accuracy(row: list[float]) -> None:
    """Also where p is so close to 1 that its logarithm is below 1e-16."""
    with mpmath.workdps(1000):
        terms = [mpmath.exp(mpmath.mpf(z) - mpmath.mpf(max(row))) for z in row]
        true = [mpmath.log(term / mpmath.fsum(terms)) for term in terms]
        for found, expected in zip(log_softmax(row).tolist(), true, strict=True):
            allowed = (4 + max(row) - min(row)) * float(np.finfo(np.float64).eps)
            assert abs(found - expected) <= allowed * abs(expected) + 1e-307


@pytest.mark.parametrize("classes", [2, 37, 128, 129, 1000, 50_257])
@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-12), (np.float32, 2e-6)])
@pytest.mark.parametrize("spread", [0.0, 1.0, 8.0])
def test_sums_hold_at_any_number_of_classes(
    classes: int, dtype: type[np.floating], bound: float, spread: float
) -> None:
    z = spread * np.random.default_rng(1).normal(size=(3, classes))
    z[0, 1:] = z[0, 0] + np.log(np.finfo(dtype).eps / 2)
    assert np.abs(softmax(z.astype(dtype)).sum(axis=1, dtype=np.float64) - 1).max() <= bound
