"""Truncation: the smallest head of the distribution that does, in the order top-k, top-p, min-p."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from softmax_cli.numeric.distributions.truncation import truncate_
from softmax_cli.numeric.softmax import adjust_, softmax

Array = NDArray[np.floating]
ORDERS = pytest.mark.parametrize("order", ["C", "F"])
rows = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 30)),
    elements=st.floats(-20, 20) | st.sampled_from([0.0, 1.0, 1.0]),
)
shares = st.floats(1e-6, 1)


def kept(a: Array, **bounds: Any) -> NDArray[np.bool_]:
    """Which classes stay."""
    return truncate_(adjust_(a.copy()), **bounds) > -np.inf


@given(rows, st.integers(1, 40))
def test_top_k_keeps_the_k_best_and_of_equals_the_earlier(a: Array, k: int) -> None:
    best = np.argsort(-a, axis=1, kind="stable")[:, :k]
    expected = np.zeros(a.shape, bool)
    np.put_along_axis(expected, best, True, axis=1)
    np.testing.assert_array_equal(kept(a, top_k=k), expected)


@given(rows, shares)
def test_top_p_keeps_the_smallest_set_that_reaches_p(a: Array, top_p: float) -> None:
    for row, stays in zip(a, kept(a, top_p=top_p), strict=True):
        order = np.argsort(-row, kind="stable")
        count = stays.sum()
        assert count >= 1
        assert stays[order[:count]].all()
        p = softmax(row)[order]
        assert p[:count].sum() >= top_p - 1e-12
        assert p[: count - 1].sum() < top_p + 1e-12


@given(rows, shares)
def test_min_p_keeps_what_is_near_enough_to_the_best(a: Array, min_p: float) -> None:
    p = softmax(a)
    ratio = p / p.max(axis=1)[:, None]
    stays = kept(a, min_p=min_p)
    assert stays[ratio >= min_p * (1 + 1e-12)].all()
    assert not stays[ratio < min_p * (1 - 1e-12)].any()
    assert stays.any(axis=1).all()


@given(rows, st.integers(1, 10), shares, shares)
def test_the_cuts_follow_each_other_and_only_take_away(a: Array, top_k: int, top_p: float, min_p: float) -> None:
    """Each sees what the one before has left, renormalised."""
    together = truncate_(a.copy(), top_k=top_k, top_p=top_p, min_p=min_p)
    one_by_one = truncate_(truncate_(truncate_(a.copy(), top_k=top_k), top_p=top_p), min_p=min_p)
    np.testing.assert_array_equal(together, one_by_one)
    stays = together > -np.inf
    np.testing.assert_array_equal(together[stays], a[stays])
    assert (kept(a, top_p=top_p) >= kept(a, top_p=top_p / 2)).all()
    assert (kept(a, min_p=min_p / 2) >= kept(a, min_p=min_p)).all()


def test_figures_by_hand() -> None:
    """Of 0.5, 0.3, 0.15, 0.05: 0.7 is crossed by the second; after top-2 the first is 0.625 and enough for 0.6."""
    a = np.log([[0.3, 0.5, 0.05, 0.15]])
    assert kept(a, top_p=0.7).tolist() == [[True, True, False, False]]
    assert kept(a, top_p=0.6).tolist() == [[True, True, False, False]]
    assert kept(a, top_k=2, top_p=0.6).tolist() == [[False, True, False, False]]
    assert kept(a, min_p=0.25).tolist() == [[True, True, False, True]]


def test_ties_with_top_p() -> None:
    assert kept(np.zeros((1, 4)), top_p=0.5).tolist() == [[True, True, False, False]]
    assert kept(np.zeros((1, 4)), min_p=1).tolist() == [[True] * 4]


@ORDERS
def test_masked_classes_bad_rows_and_both_memory_orders(order: str) -> None:
    generator = np.random.default_rng(3)
    a = generator.normal(size=(5, 40))
    a[0] = np.nan
    a[1, 1:] = -np.inf
    bounds = {"top_k": 20, "top_p": 0.8, "min_p": 0.05}
    matrix = truncate_(np.array(a, order=order), **bounds)  # type: ignore[call-overload, arg-type]
    assert np.isnan(matrix[0]).all()
    assert np.flatnonzero(matrix[1] > -np.inf).tolist() == [0]
    for row, alone in zip(matrix, a, strict=True):
        np.testing.assert_array_equal(truncate_(alone[None].copy(), **bounds)[0], row)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bound", "value"), [*itertools.product(("top_p", "min_p"), (-0.1, 1.1, np.nan)), ("top_p", 0.0), ("top_k", 0)]
)
def test_a_bound_out_of_range_is_refused(bound: str, value: Any) -> None:
    with pytest.raises(ValueError, match=bound):
        truncate_(np.zeros((1, 2)), **{bound: value})


def test_the_ends_of_min_p():
    """0 leaves everything, 1 leaves what is as probable as the best."""
    a = np.array([[1.0, 0.0, 1.0, -50.0]])
    assert kept(a, min_p=0.0).tolist() == [[True] * 4]
    assert kept(a, min_p=1.0).tolist() == [[True, False, True, False]]
