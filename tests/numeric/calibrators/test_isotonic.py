"""Isotonic regression: monotone, least squares, and scikit-learn's curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.isotonic import IsotonicRegression

from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators.isotonic import Isotonic

log_odds = hnp.arrays(float, 30, elements=st.integers(-6, 6))
"""Of two classes; few distinct values, hence many equal probabilities and none that are almost equal."""


def two_classes(log_odds):
    return np.column_stack([np.zeros_like(log_odds), log_odds])


@given(odds=log_odds, weights=hnp.arrays(float, 30, elements=st.integers(1, 5)))
@settings(deadline=None, max_examples=60)
def test_curve_of_a_class_is_that_of_scikit_learn(odds, weights):
    labels = np.arange(30) % 2
    fitted = Isotonic.fit(Examples.checked(two_classes(odds), labels, weights))
    theirs = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1)
    theirs.fit(1 / (1 + np.exp(-odds)), labels, sample_weight=weights)
    knots, levels = fitted.knots[1], fitted.levels[1]
    wanted = theirs.predict(knots)
    wanted[wanted < 1e-12], wanted[wanted > 1 - 1e-12] = 0, 1  # its sums are rounded
    inside = (wanted > 0) & (wanted < 1)
    np.testing.assert_allclose(levels[inside], wanted[inside], atol=1e-9)
    assert ((levels > 0) & (levels < 1)).all()
    assert (levels[wanted == 0] <= levels[wanted > 0].min(initial=1)).all()
    assert (levels[wanted == 1] >= levels[wanted < 1].max(initial=0)).all()


@given(odds=log_odds)
@settings(deadline=None, max_examples=40)
def test_curves_never_fall_and_knots_rise(odds):
    fitted = Isotonic.fit(Examples.checked(two_classes(odds), np.arange(30) % 2))
    for knots, levels in zip(fitted.knots, fitted.levels, strict=True):
        assert (np.diff(knots) > 0).all()
        assert (np.diff(levels) >= 0).all()


def test_violators_are_pooled():
    """P of the second class 0.1, 0.2, 0.3, 0.4 with truths 0, 1, 0, 1: the middle two share one half.

    The first and the last stand alone, and would get 0 and 1: with one more row, half true, they get 1/4 and 3/4.
    """
    p = np.array([0.1, 0.2, 0.3, 0.4])
    fitted = Isotonic.fit(Examples.checked(np.log(np.column_stack([1 - p, p])), np.array([0, 1, 0, 1])))
    np.testing.assert_allclose(fitted.knots[1], p, rtol=1e-12)
    assert fitted.levels[1].tolist() == [0.25, 0.5, 0.5, 0.75]
    np.testing.assert_allclose(np.exp(fitted.log_p(np.log([[0.75, 0.25]]))), [[0.5, 0.5]], rtol=1e-12)
    np.testing.assert_allclose(np.exp(fitted.log_p(np.log([[0.05, 0.95]]))), [[0.25, 0.75]], rtol=1e-12)


def test_certain_ends_count_one_row_half_of_it_true_whatever_the_share_of_the_class():
    p = np.array([0.1, 0.2, 0.3, 0.4])
    fitted = Isotonic.fit(Examples.checked(np.log(np.column_stack([1 - p, p])), np.array([0, 0, 0, 1])))
    assert fitted.levels[1].tolist() == [0.5 / 4, 0.5 / 4, 1.5 / 2]


def test_row_that_every_curve_gives_0_stays_as_it_was():
    curve = (np.array([0.4, 0.5]), np.array([0.0, 1.0]))
    fitted = Isotonic((curve[0],) * 3, (curve[1],) * 3)
    z = np.log([[0.3, 0.35, 0.35], [0.45, 0.3, 0.25]])
    np.testing.assert_allclose(np.exp(fitted.log_p(z)), [[0.3, 0.35, 0.35], [1, 0, 0]], rtol=1e-12)


@pytest.mark.parametrize(
    ("knots", "levels", "message"),
    [
        ([0.1, 0.1], [0.0, 1.0], "must rise"),
        ([0.1, 0.2], [1.0, 0.0], "never falls"),
        ([0.1, 0.2], [0.0, 1.5], "expected probabilities"),
        ([0.1, 0.2], [0.5], "differ in length"),
        ([], [], "expected"),
    ],
)
def test_edited_files_with_impossible_curves_are_refused(knots, levels, message):
    sound = [[0.1, 0.9], [0.0, 1.0]]
    with pytest.raises(ValueError, match=message):
        Isotonic.from_parameters({"knots": [sound[0], knots], "levels": [sound[1], levels]})
