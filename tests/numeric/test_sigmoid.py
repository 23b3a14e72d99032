"""Sigmoid: exact in both tails, and every class alone."""

from __future__ import annotations

import mpmath  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.numeric.activations import log_sigmoid_, scale_, sigmoid_

logits = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-750, 750), st.floats(-1, 1))


@settings(deadline=None)  # the first call imports scipy
@given(logits)
def test_a_sigmoid_is_accurate_in_both_tails(logit: float) -> None:
    with mpmath.workdps(700):
        true = 1 / (1 + mpmath.exp(-mpmath.mpf(max(logit, -1e4))))
        found = sigmoid_(np.array([[logit]]))[0, 0]
        assert abs(found - true) <= 4 * np.finfo(np.float64).eps * true + 1e-300
        if abs(logit) < 1e3:
            log_found = log_sigmoid_(np.array([[logit]]))[0, 0]
            assert abs(log_found - mpmath.log(true)) <= 4 * np.finfo(np.float64).eps * abs(mpmath.log(true)) + 1e-300


@given(st.lists(logits, min_size=1, max_size=5), st.lists(logits, min_size=1, max_size=5))
def test_classes_do_not_touch_each_other(left: list[float], right: list[float]) -> None:
    together = sigmoid_(scale_(np.array([left + right])))
    apart = [sigmoid_(scale_(np.array([part]))) for part in (left, right)]
    np.testing.assert_array_equal(together, np.concatenate(apart, axis=1))


def test_masked_is_0_and_undecided_one_half() -> None:
    scaled = scale_(np.array([[-np.inf, 0.0, 1e308]]))
    assert log_sigmoid_(scaled.copy())[0].tolist() == [-np.inf, pytest.approx(-np.log(2)), 0]
    assert sigmoid_(scaled)[0].tolist() == [0, 0.5, 1]


def test_temperature_divides_and_the_bias_comes_after() -> None:
    assert scale_(np.array([[2.0, -4.0]]), 2.0, np.array([0.5, 1.0])).tolist() == [[1.5, -1.0]]
    assert scale_(np.array([[2.0, -np.inf]]), np.inf, np.array([0.5, 1.0])).tolist() == [[0.5, -np.inf]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [5e-324, 1e-50, 0.5, 1.0, 1e50, np.inf])
def test_what_is_finite_stays_finite_and_what_is_masked_masked(temperature: float, dtype: type[np.floating]) -> None:
    largest = np.finfo(dtype).max
    scaled = scale_(np.array([[largest, -largest, 0, -np.inf, 1]], dtype), temperature, np.array([0, 0, 1, 0, -np.inf]))
    assert np.isfinite(scaled[0]).tolist() == [True, True, True, False, False]
    assert (scaled[0, 3:] == -np.inf).all()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, np.inf])
@pytest.mark.parametrize("bias", [None, [-np.inf, 0.0]])
def test_bad_rows_are_nan_throughout(temperature: float, bias: list[float] | None) -> None:
    z = np.array([[np.nan, 0], [np.inf, 0], [-np.inf, -np.inf], [0, 0]])
    added = None if bias is None else np.array(bias)
    assert np.isnan(scale_(z, temperature, added)).all(axis=1).tolist() == [True, True, True, False]


def test_a_row_that_the_weights_mask_whole_is_nan() -> None:
    assert np.isnan(scale_(np.array([[1.0, -np.inf]]), 1.0, np.array([-np.inf, 0.0]))).all()


def test_a_temperature_that_gives_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        scale_(np.zeros((1, 1)), 0.0)
