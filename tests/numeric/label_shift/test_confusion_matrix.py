"""BBSE and RLLS find the prior of new rows from the confusion matrix of labelled ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.numeric.label_shift.confusion_matrix import bbse, rlls

CONFUSION = np.array([[40, 9, 3], [8, 25, 6], [2, 6, 11]])
PREDICTED = np.array([60, 70, 170])
REFERENCE = [5.70547724e-02, 0.0, 9.42945227e-01]


@given(st.integers(2, 8), st.integers(0, 1000), st.floats(0, 0.6))
def test_shares_that_explain_the_predictions_exactly_are_found(classes, seed, confused):
    rng = np.random.default_rng(seed)
    rows = rng.integers(1, 50, classes)
    noise = rng.multinomial(100_000, np.full(classes, 1 / classes), classes).T
    confusion = np.round(confused * noise).astype(np.int64) + np.diag(np.full(classes, 100_000))
    predicted = ((confusion / confusion.sum(axis=0)) @ rows * 10**9).astype(np.int64)
    for method in (bbse, rlls):
        found = method(confusion, predicted)
        np.testing.assert_allclose(found.share, rows / rows.sum(), atol=1e-5)
        assert found.share.sum() == pytest.approx(1)


@pytest.mark.parametrize("method", [bbse, rlls])
def test_standard_errors_are_the_spread_over_samples(method):
    a = np.array([[0.7, 0.1, 0.1], [0.2, 0.8, 0.2], [0.1, 0.1, 0.7]])
    labelled, q, rng = (300, 200, 100), np.array([0.2, 0.3, 0.5]), np.random.default_rng(0)
    found = [
        method(np.stack([rng.multinomial(n, a[:, j]) for j, n in enumerate(labelled)], axis=1), new)
        for new in rng.multinomial(500, a @ q, size=400)
    ]
    spread = np.std([one.share for one in found], axis=0)
    np.testing.assert_allclose(np.mean([one.error for one in found], axis=0), spread, rtol=0.12)


def test_a_share_below_nothing_is_cut_off_and_told():
    """Solved by hand: A^-1 mu with NumPy; RLLS by cvxpy's Clarabel, from the program of the authors."""
    found = bbse(CONFUSION, PREDICTED)
    solution = np.linalg.solve(CONFUSION / CONFUSION.sum(axis=0), PREDICTED / 300)
    assert solution.min() < 0
    np.testing.assert_allclose(found.negative, np.minimum(solution, 0))
    np.testing.assert_allclose(found.share, np.maximum(solution, 0) / np.maximum(solution, 0).sum())
    np.testing.assert_allclose(rlls(CONFUSION, PREDICTED).share, REFERENCE, atol=2e-6)


def test_classes_that_are_not_told_apart_have_no_inverse_and_rlls_leaves_them():
    alike = np.array([[50, 50, 0], [50, 50, 0], [0, 0, 100]])
    with pytest.raises(ValueError, match="no inverse"):
        bbse(alike, PREDICTED)
    share = rlls(alike, np.array([100, 100, 100])).share
    np.testing.assert_allclose(share, 1 / 3, atol=1e-6)


def test_without_a_labelled_row_of_a_class_nothing_is_known():
    with pytest.raises(ValueError, match=r"no labelled row of the classes at \[1\]"):
        rlls(np.array([[3, 0], [1, 0]]), np.array([2, 2]))
    with pytest.raises(ValueError, match="no row to estimate"):
        bbse(CONFUSION, np.zeros(3, np.int64))
