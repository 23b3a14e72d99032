"""Figures of rows against softmax itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import entropy

from softmax_cli.numeric.profile.row_figures import BINS, RowFigures, measure_rows


def table(rows=400, classes=6):
    return np.random.default_rng(0).normal(0, 4, (rows, classes))


def test_confidence_entropy_and_winners_are_those_of_softmax():
    z = table()
    figures = measure_rows(z, z).figures
    p = softmax(z, axis=1)
    assert figures.predicted.tolist() == np.bincount(p.argmax(axis=1), minlength=6).tolist()
    edges = np.arange(BINS + 1) / BINS
    assert figures.confidence.tolist() == np.histogram(p.max(axis=1), edges)[0].tolist()
    assert figures.entropy.tolist() == np.histogram(entropy(p, axis=1) / np.log(6), edges)[0].tolist()


def test_saturation_is_a_confidence_of_exactly_one_in_the_given_precision():
    """1 - p = exp(-gap): below half an ulp of 1 it rounds away, at 17 in float32 and at 37 in float64."""
    z = np.array([[gap, 0.0] for gap in (10.0, 16.0, 18.0, 36.0, 38.0)])
    figures = measure_rows(z, z).figures
    exact = [float(1 / (1 + np.exp(-np.float64(gap)))) for gap in z[:, 0]]
    assert figures.saturated64 == sum(p == 1 for p in exact) == 1
    assert figures.saturated32 == sum(np.float32(p) == 1 for p in exact) == 3


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_rows_that_look_like_probabilities_or_their_logarithms(shift):
    p = softmax(table(), axis=1) + shift
    figures = measure_rows(p, p).figures
    assert (figures.like_probabilities, figures.like_log_probabilities) == ((0, 0) if shift else (400, 0))
    log_p = np.log(softmax(table(), axis=1)) + shift
    figures = measure_rows(log_p, log_p).figures
    assert (figures.like_probabilities, figures.like_log_probabilities) == ((0, 0) if shift else (0, 400))


def test_bad_masked_and_flat_rows():
    z = np.array([[1.0, 1.0], [np.nan, 1.0], [np.inf, 0.0], [-np.inf, -np.inf], [-np.inf, 2.0]])
    measured = measure_rows(z, z)
    assert measured.good.tolist() == [True, False, False, False, True]
    assert measured.flat.tolist() == [True, False, False, False, False]
    assert (measured.figures.scored, measured.figures.bad) == (2, 3)
    assert measured.figures.predicted.tolist() == [1, 1]
    assert measured.figures.confidence.sum() == measured.figures.entropy.sum() == 2


def test_rows_within_zero_and_one_and_what_is_counted_is_whole():
    z = np.array([[-0.1, 0.5], [0.0, 1.0], [0.2, 0.4], [0.5, 1.1], [0.0, 0.0]])
    figures = measure_rows(z, z).figures
    assert figures.within_unit == 3
    assert {array.dtype for array in (figures.predicted, figures.confidence, figures.entropy)} == {np.dtype(np.int64)}
    for none in (measure_rows(z[:0], z[:0]).figures, RowFigures.none(2)):
        assert {array.dtype for array in (none.predicted, none.confidence, none.entropy)} == {np.dtype(np.int64)}
