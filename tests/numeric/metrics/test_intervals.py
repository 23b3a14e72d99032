"""Intervals: replicates are what resampling row by row gives, and the limits hold the truth as often as they should."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_softmax

from softmax_cli.numeric.bootstrap import weights
from softmax_cli.numeric.metrics.ece import Ece
from softmax_cli.numeric.metrics.intervals import EceInterval, MeanIntervals


def calibrated(rows, seed):
    """Rows whose labels are drawn from the probabilities."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, 3)) * 2
    return log_softmax(z, axis=1), (z + rng.gumbel(size=z.shape)).argmax(axis=1)


def test_a_replicate_is_the_weighted_mean():
    figure = np.random.default_rng(0).exponential(size=5000)
    found = MeanIntervals.of({"loss": figure}, first_row=3, seed=9, replicates=8)
    drawn = weights(9, 3, 5000, 8)
    assert found.rows.tolist() == drawn.sum(axis=0).tolist()
    expected = [math.fsum(np.repeat(figure, times)) / times.sum() for times in drawn.T]
    assert found.replicates("loss").tolist() == expected


def test_a_replicate_of_ece_is_the_ece_of_the_drawn_rows():
    log_p, labels = calibrated(9000, 1)
    found = EceInterval.of(log_p, labels, first_row=5, bins=7, seed=2, replicates=6)
    for replicate, times in enumerate(weights(2, 5, 9000, 6).T):
        drawn = Ece.of(np.repeat(log_p, times, axis=0), np.repeat(labels, times), bins=7).bins
        for norm in ("l1", "l2", "max"):
            assert found.replicates(norm)[replicate] == pytest.approx(drawn.error(norm), abs=1e-14)


def test_figures_are_drawn_together():
    figure = np.random.default_rng(0).random(100)
    found = MeanIntervals.of({"one": figure, "two": 2 * figure}, first_row=0)
    assert (found.replicates("two") == 2 * found.replicates("one")).all()
    assert found.value["two"] == tuple(2 * limit for limit in found.interval("one"))


def test_an_infinite_row_makes_the_replicates_that_drew_it_infinite():
    found = MeanIntervals.of({"loss": np.array([1.0, math.inf, 3.0])}, first_row=0, replicates=50)
    hit = weights(0, 0, 3, 50)[1] > 0
    empty = weights(0, 0, 3, 50).sum(axis=0) == 0
    assert np.array_equal(np.isinf(found.replicates("loss")), hit)
    assert np.array_equal(np.isnan(found.replicates("loss")), empty)


def test_limits_of_a_mean_are_as_wide_as_its_standard_error():
    """10,000 rows of a fair coin: 1.96 standard errors to each side are 0.0098."""
    coin = np.random.default_rng(1).integers(0, 2, 10_000).astype(float)
    low, high = MeanIntervals.of({"accuracy": coin}, first_row=0, replicates=400).interval("accuracy")
    assert (high - low) / 2 == pytest.approx(0.0098, rel=0.15)
    assert low < coin.mean() < high


def test_limits_of_ece_turn_its_bias_round():
    """Calibrated rows have ECE 0 but for noise, which replicates double: percentiles would exclude 0 and the figure."""
    log_p, labels = calibrated(3000, 4)
    found, figure = EceInterval.of(log_p, labels, first_row=0), Ece.of(log_p, labels)
    low, high = found.interval(figure)
    assert low < figure.value * 0.75
    assert low >= 0
    assert high < np.quantile(found.replicates(), 0.975)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="finite"):
        MeanIntervals.of({"loss": np.array([math.nan])}, first_row=0)
