"""Softmax: the laws, the error against arithmetic of 60 digits, and independence of everything but the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from softmax_cli.numeric.exponents import adjust_
from softmax_cli.numeric.softmax import exp_normalize_, log_normalize_, log_softmax, softmax

Array = NDArray[np.floating]
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=8)
moderate = hnp.arrays(np.float64, SHAPES, elements=st.integers(-2000, 2000).map(lambda k: k / 64))
"""Multiples of 1/64: shifts by whole numbers are exact, so that laws hold without a tolerance of their own."""
finite = hnp.arrays(np.float64, SHAPES, elements=st.floats(allow_nan=False, allow_infinity=False))
masked = hnp.arrays(np.float64, SHAPES, elements=st.one_of(st.floats(-1000, 1000), st.just(-np.inf)))
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


@given(st.lists(st.floats(-1e308, 1e308) | st.floats(-700, 700) | st.floats(-5, 5), min_size=1, max_size=12), temperatures)
def test_every_row_is_accurate(row: list[float], temperature: float) -> None:
    assert_accurate(row, 1.0, np.float64)
    assert_accurate(row, temperature, np.float64)


@given(st.lists(st.floats(-3e38, 3e38, width=32) | st.floats(-80, 80, width=32), min_size=1, max_size=12), temperatures)
def test_every_float32_row_is_accurate(row: list[float], temperature: float) -> None:
    assert_accurate(row, 1.0, np.float32)
    assert_accurate(row, temperature, np.float32)


@given(st.lists(st.floats(-700, 700) | st.floats(-5, 5), min_size=1, max_size=12))
def test_log_probabilities_keep_their_relative_accuracy(row: list[float]) -> None:
    """Also where p is so close to 1 that its logarithm is below 1e-16."""
    with mpmath.workdps(1000):
        terms = [mpmath.exp(mpmath.mpf(z) - mpmath.mpf(max(row))) for z in row]
        true = [mpmath.log(term / mpmath.fsum(terms)) for term in terms]
        for found, expected in zip(log_softmax(row).tolist(), true, strict=True):
            allowed = (4 + max(row) - min(row)) * float(np.finfo(np.float64).eps)
            assert abs(found - expected) <= allowed * abs(expected) + 1e-307


@given(finite, temperatures | st.sampled_from([5e-324, 1e308, np.inf]))
def test_finite_rows_give_distributions(z: Array, temperature: float) -> None:
    p = softmax(z, temperature=temperature)
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("classes", [2, 37, 128, 129, 1000, 50_257])
@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-12), (np.float32, 2e-6)])
@pytest.mark.parametrize("spread", [0.0, 1.0, 8.0])
def test_sums_hold_at_any_number_of_classes(
    classes: int, dtype: type[np.floating], bound: float, spread: float
) -> None:
    z = spread * np.random.default_rng(1).normal(size=(3, classes))
    z[0, 1:] = z[0, 0] + np.log(np.finfo(dtype).eps / 2)
    assert np.abs(softmax(z.astype(dtype)).sum(axis=1, dtype=np.float64) - 1).max() <= bound


@given(moderate, st.integers(-(2**30), 2**30))
def test_a_shift_changes_nothing(z: Array, shift: int) -> None:
    np.testing.assert_allclose(softmax(z + shift), softmax(z), rtol=1e-13)


@given(masked, st.randoms(use_true_random=False))
def test_a_permutation_of_the_classes_permutes_the_probabilities(z: Array, random: Any) -> None:
    order = random.sample(range(z.shape[1]), z.shape[1])
    np.testing.assert_allclose(softmax(z[:, order]), softmax(z)[:, order], rtol=1e-13)


@given(masked)
def test_masked_classes_are_as_good_as_absent(z: Array) -> None:
    for row, p in zip(z, softmax(z), strict=True):
        here = row > -np.inf
        if not here.any():
            assert np.isnan(p).all()
            continue
        assert (p[~here] == 0).all()
        np.testing.assert_allclose(p[here], softmax(row[here]), rtol=1e-13)


@given(masked.filter(lambda z: bool((z > -np.inf).any(axis=1).all())))
def test_the_limits_of_the_temperature(z: Array) -> None:
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


@pytest.mark.parametrize("kernel", [exp_normalize_, log_normalize_])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [1, 2, 3, 10, 37, 128, 129, 1000, 50_257])
@pytest.mark.parametrize(("temperature", "weighted"), [(1.0, False), (1.3, False), (2.0, True)])
def test_a_row_gives_the_same_bits_alone_and_anywhere(
    kernel: Callable[[Array], Array], dtype: type[np.floating], classes: int, temperature: float, weighted: bool
) -> None:
    """Among mild, wild, masked and bad neighbours, at every offset, in blocks of every size, in both memory orders."""
    generator = np.random.default_rng(classes)
    table = (generator.normal(size=(7, classes)) * np.array([1, 1e3, 5, 1, 50, 1e30, 2])[:, None]).astype(dtype)
    table[3, ::2] = -np.inf
    table[5, -1] = np.nan
    bias = generator.normal(size=classes) if weighted else None

    def scored(rows: Array) -> Array:
        return kernel(adjust_(rows, temperature, bias))

    alone = np.array([scored(row[None].copy())[0] for row in table])
    assert np.isnan(alone).any(axis=1).tolist() == [False] * 3 + [classes == 1] + [False, True, False]
    for order in ("C", "F"):
        for block in (1, 2, 3, 7):
            whole = np.array(table, order=order)  # type: ignore[call-overload]
            for start in range(0, len(whole), block):
                scored(whole[start : start + block])
            assert whole.tobytes() == alone.tobytes()
        for offset in range(1, 7):
            rolled = np.array(np.roll(table, offset, axis=0), order=order)  # type: ignore[call-overload]
            assert np.roll(scored(rolled), -offset, axis=0).tobytes() == alone.tobytes()


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


def test_what_is_not_a_table_of_real_numbers_is_refused() -> None:
    for wrong in ([1 + 2j], ["1"], [None, 1]):
        with pytest.raises(ValueError, match="real numbers are wanted"):
            softmax(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one weight for each of 2 classes"):
        softmax([1, 2], class_weights=[1, 2, 3])
    with pytest.raises(ValueError, match="finite numbers from 0 up"):
        softmax([1, 2], class_weights=[1, -2])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_slice_is_nan_and_the_others_are_not(bad: float) -> None:
    p = softmax([[0, bad], [0, 0], [-np.inf, -np.inf]])
    assert np.isnan(p).tolist() == [[True, True], [False, False], [True, True]]
