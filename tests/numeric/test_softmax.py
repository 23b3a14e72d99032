"""Softmax: the laws, figures known from outside, and what the array functions take and refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import log_softmax, softmax

Array = NDArray[np.floating]
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=8)
moderate = hnp.arrays(np.float64, SHAPES, elements=st.integers(-2000, 2000).map(lambda k: k / 64))
"""Multiples of 1/64: shifts by whole numbers are exact, so that laws hold without a tolerance of their own."""
finite = hnp.arrays(np.float64, SHAPES, elements=st.floats(allow_nan=False, allow_infinity=False))
masked = hnp.arrays(np.float64, SHAPES, elements=st.one_of(st.floats(-1000, 1000), st.just(-np.inf)))
temperatures = st.floats(1e-3, 1e3)
TINY = 1e-300
"""Below, subnormal numbers have fewer and fewer digits."""


@given(finite, temperatures | st.sampled_from([5e-324, 1e308, np.inf]))
def test_finite_rows_give_distributions(z: Array, temperature: float) -> None:
    p = softmax(z, temperature=temperature)
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=1e-12)


@given(moderate, st.integers(-(2**30), 2**30))
def test_a_shift_changes_nothing(z: Array, shift: int) -> None:
    np.testing.assert_allclose(softmax(z + shift), softmax(z), rtol=1e-13, atol=TINY)


@given(masked, st.randoms(use_true_random=False))
def test_a_permutation_of_the_classes_permutes_the_probabilities(z: Array, random: Any) -> None:
    order = random.sample(range(z.shape[1]), z.shape[1])
    np.testing.assert_allclose(softmax(z[:, order]), softmax(z)[:, order], rtol=1e-13, atol=TINY)


@given(masked)
def test_masked_classes_are_as_good_as_absent(z: Array) -> None:
    for row, p in zip(z, softmax(z), strict=True):
        here = row > -np.inf
        if not here.any():
            assert np.isnan(p).all()
            continue
        assert (p[~here] == 0).all()
        np.testing.assert_allclose(p[here], softmax(row[here]), rtol=1e-13, atol=TINY)


@given(masked.filter(lambda z: bool((z > -np.inf).any(axis=1).all())))
def test_the_limits_of_the_temperature(z: Array) -> None:
    z = np.round(z, 3)  # of logits closer than the least temperature neither would win
    here = z > -np.inf
    np.testing.assert_array_equal(softmax(z, temperature=np.inf), here / here.sum(axis=1)[:, None])
    best = z == z.max(axis=1)[:, None]
    np.testing.assert_array_equal(softmax(z, temperature=5e-324), best / best.sum(axis=1)[:, None])


@given(moderate, temperatures, st.data())
def test_weights_multiply_and_renormalise(z: Array, temperature: float, data: st.DataObject) -> None:
    weights = data.draw(hnp.arrays(np.float64, z.shape[1], elements=st.floats(1e-3, 1e3)))
    weighted = weights * softmax(z, temperature=temperature)
    expected = weighted / weighted.sum(axis=1)[:, None]
    found = softmax(z, temperature=temperature, class_weights=weights)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-300)


def test_known_figures_of_weights() -> None:
    found = softmax([2, 1, -1], temperature=2, class_weights=[1, 4, 1])
    np.testing.assert_allclose(found, [0.274029, 0.664827, 0.061144], atol=5e-7)
    np.testing.assert_allclose(softmax([-1, -2], class_weights=[1, 4]), [0.405, 0.595], atol=5e-4)


def test_a_weight_of_0_masks() -> None:
    assert softmax([1e308, -1e308, 0], class_weights=[0, 1, 0]).tolist() == [0, 1, 0]


@pytest.mark.parametrize("function", [softmax, log_softmax])
def test_axes_shapes_and_types(function: Callable[..., Array]) -> None:
    z = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in range(-3, 3):
        along = np.moveaxis(np.apply_along_axis(function, -1, np.moveaxis(z, axis, -1)), -1, axis)
        np.testing.assert_array_equal(function(z, axis=axis), along)
    assert function([1, 2]).dtype == np.float64
    assert function(z.astype(np.float16)).dtype == function(z.astype(np.float32)).dtype == np.float32
    for empty in ((0, 3), (3, 0), (0,)):
        assert function(np.zeros(empty)).shape == empty


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_input_is_left_alone(order: str) -> None:
    z = np.array([[1.0, 2.0], [3.0, 5.0]], order=order)  # type: ignore[call-overload]
    before = z.copy()
    softmax(z, temperature=2, class_weights=[0, 1])
    np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("wrong", [[1 + 2j], ["1"], [None, 1]], ids=str)
def test_what_is_not_a_real_number_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="expected real numbers"):
        softmax(wrong)


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="one weight for each of 2 classes"):
        softmax([1, 2], class_weights=[1, 2, 3])
    with pytest.raises(ValueError, match="finite numbers from 0 up"):
        softmax([1, 2], class_weights=[1, -2])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_slice_is_nan_and_the_others_are_not(bad: float) -> None:
    p = softmax(np.array([[0, bad], [0, 0], [-np.inf, -np.inf]]))
    assert np.isnan(p).tolist() == [[True, True], [False, False], [True, True]]


def test_weights_that_exceed_the_number_range_together() -> None:
    np.testing.assert_allclose(softmax(np.zeros(20), class_weights=np.full(20, 1e308)), 1 / 20, rtol=1e-13)
