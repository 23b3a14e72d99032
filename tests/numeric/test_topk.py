"""The best classes: what a stable sort gives, by every way of getting there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import argmax
from softmax_cli.numeric.topk import top_k

Array = NDArray[np.floating]
tied = hnp.arrays(
    st.sampled_from([np.float32, np.float64]),
    st.tuples(st.integers(1, 4), st.integers(1, 60)),
    elements=st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 1.0, 2.0, 3.0]),
)
ORDERS = pytest.mark.parametrize("order", ["C", "F"])


def ranked(a: Array) -> NDArray[np.intp]:
    """Columns from the largest down, the earlier of equals first."""
    return np.argsort(-a, axis=1, kind="stable")


@ORDERS
@given(a=tied, data=st.data())
def test_top_k_is_the_head_of_a_stable_sort(order: str, a: Array, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, a.shape[1]))
    found = top_k(np.array(a, order=order), k)  # type: ignore[call-overload]
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, ranked(a)[:, :k])


@ORDERS
@pytest.mark.parametrize("classes", [1, 2, 16, 17, 128, 129, 1000, 50_257])
@pytest.mark.parametrize("k", [1, 5, 8, 9, 64])
def test_many_classes_few_of_them_different(order: str, classes: int, k: int) -> None:
    generator = np.random.default_rng(classes)
    a = np.array(generator.integers(0, 50, (3, classes)), float, order=order)  # type: ignore[call-overload]
    a[1, generator.random(classes) < 0.999] = -np.inf
    k = min(k, classes)
    np.testing.assert_array_equal(top_k(a, k), ranked(a)[:, :k])


@ORDERS
@pytest.mark.parametrize("classes", [3, 20, 300])
@pytest.mark.parametrize("k", [1, 3, 8, 15, 200])
def test_a_row_of_nan_gives_the_first_columns_and_leaves_the_others(order: str, classes: int, k: int) -> None:
    k = min(k, classes)
    a = np.array(np.random.default_rng(0).normal(size=(3, classes)), order=order)  # type: ignore[call-overload]
    a[1] = np.nan
    found = top_k(a, k)
    assert found[1].tolist() == list(range(k))
    np.testing.assert_array_equal(found[::2], ranked(a)[::2, :k])
    assert argmax(a)[1] == 0


@ORDERS
@given(a=tied, copies=st.sampled_from([1, 3000]))
def test_argmax_is_the_first_of_the_largest(order: str, a: Array, copies: int) -> None:
    """Also in blocks tall enough to be searched column by column."""
    tall = np.array(np.tile(a, (copies, 1)), order=order)  # type: ignore[call-overload]
    found = argmax(tall)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, np.tile(ranked(a)[:, 0], copies))


def test_argmax_counts_beyond_255_columns() -> None:
    a = np.zeros((3000, 300), order="F")
    a[:, 299] = 1
    a[7] = np.nan
    found = argmax(a)
    assert found[7] == 0
    assert (np.delete(found, 7) == 299).all()
