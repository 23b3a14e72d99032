"""Exponents: what is shifted, divided and masked, in which order, at the ends of the number range."""

from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.numeric.softmax import adjust_, divide_

MASKED = -np.inf


@pytest.mark.parametrize("temperature", [0.0, -1.0, -np.inf, np.nan])
def test_a_temperature_that_gives_no_distribution_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        adjust_(np.zeros((1, 2)), temperature)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [5e-324, 1e-310, 1e-50, 1e-3, 1, 1.3, 1e50, 1e308, np.inf])
def test_no_temperature_turns_a_finite_row_into_nan(temperature: float, dtype: type[np.floating]) -> None:
    huge = float(np.finfo(dtype).max)
    rows = np.array([[huge, -huge, 0, MASKED], [1, 1, -1, 0], [-huge, -huge, MASKED, -huge]], dtype)
    exponents = adjust_(rows.copy(), temperature)
    assert (exponents.max(axis=1) <= 1).all()
    assert (exponents[rows == MASKED] == MASKED).all()
    assert exponents[1, 0] == exponents[1, 1]


def test_the_infinite_temperature_makes_all_but_masked_classes_equal() -> None:
    row = adjust_(np.array([[1e308, -1e308, MASKED]]), np.inf)
    assert row.tolist() == [[0, 0, MASKED]]


def test_differences_beyond_the_largest_float_count_at_a_temperature_of_that_size() -> None:
    assert adjust_(np.array([[1e308, -1e308]]), 1e308).tolist() == [[0, -2]]


@pytest.mark.parametrize("temperature", [1.3, 1e-3, 1e-50, 1e50])
def test_float32_is_divided_by_the_temperature_that_was_said(temperature: float) -> None:
    """Not by the float32 nearest to it: each quotient is rounded once."""
    given = np.array([[1e-40, 0.1, 7, 1e30, MASKED]], np.float32)
    with np.errstate(over="ignore"):
        exact = (given.astype(np.float64) / temperature).astype(np.float32)
    assert (divide_(given.copy(), temperature) == exact).all()


@pytest.mark.parametrize("bad", [[np.nan, 0], [np.inf, 0], [MASKED, MASKED], [np.inf, np.nan]])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("temperature", [1, 3, np.inf])
@pytest.mark.parametrize("bias", [None, [0.5, 0], [MASKED, 0]])
def test_rows_without_a_distribution_are_nan_throughout(
    bad: list[float], order: str, temperature: float, bias: list[float] | None
) -> None:
    z = np.array([[0, 1], bad, [2, 0]], order=order)  # type: ignore[call-overload]
    added = None if bias is None else np.array(bias)
    assert np.isnan(adjust_(z, temperature, added)).all(axis=1).tolist() == [False, True, False]


def test_a_row_that_the_weights_mask_whole_is_nan() -> None:
    assert np.isnan(adjust_(np.array([[1, MASKED, 2]]), 1, np.array([MASKED, 0, MASKED]))).all()


@pytest.mark.parametrize(("row", "temperature"), [([1e308, -1e308], 1), ([10, 0], 1e-320)])
def test_a_masked_class_does_not_push_the_others_out_of_sight(row: list[float], temperature: float) -> None:
    assert adjust_(np.array([row], float), temperature, np.array([MASKED, 0])).tolist() == [[MASKED, 0]]


def test_a_class_that_is_masked_by_its_weight_still_shows_a_bad_row() -> None:
    assert np.isnan(adjust_(np.array([[np.nan, 0], [np.inf, 0]]), 1, np.array([MASKED, 0]))).all()


def test_moderate_rows_are_not_shifted_whatever_stands_beside_them() -> None:
    moderate = [1.5, -2.5]
    assert adjust_(np.array([moderate, [1e9, 0], [0, MASKED]]))[0].tolist() == moderate


@pytest.mark.parametrize("temperature", [0.5, 1, 3])
def test_the_largest_exponent_is_0_after_a_bias(temperature: float) -> None:
    exponents = adjust_(np.array([[1.0, 2.0], [5.0, MASKED]]), temperature, np.array([50.0, -50.0]))
    assert exponents.max(axis=1).tolist() == [0, 0]
