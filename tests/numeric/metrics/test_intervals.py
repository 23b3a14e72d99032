"""Intervals: replicates are what resampling row by row gives, and the limits hold the truth as often as they should."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_softmax

from softmax_cli.numeric.bootstrap import weights
from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._bins import WidthBins
from softmax_cli.numeric.metrics._replicates import BinReplicates, MeanReplicates
from softmax_cli.numeric.metrics._rows import Rows


def calibrated(rows, seed):
    """Rows whose labels are drawn from the probabilities."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, 3)) * 2
    return Rows(log_softmax(z, axis=1), (z + rng.gumbel(size=z.shape)).argmax(axis=1))


class Given(MeanReplicates):
    """Replicates of a figure that stands in the first column."""

    @staticmethod
    def figure(rows, plan):
        return rows.log_p[:, 0]


def drawn(kind, rows, first_row=0, seed=0, replicates=200, **plan):
    weight = weights(seed, first_row, len(rows), replicates)
    return kind.of(rows, Plan(**plan), weight.astype(np.float64)), weight


def replicates_of(figure, **draw):
    figure = np.asarray(figure, np.float64)
    return drawn(Given, Rows(figure[:, None], np.zeros(len(figure), int)), **draw)


def test_a_replicate_is_the_weighted_mean():
    figure = np.random.default_rng(0).exponential(size=5000)
    found, weight = replicates_of(figure, first_row=3, seed=9, replicates=8)
    assert found.rows.tolist() == weight.sum(axis=0).tolist()
    expected = [math.fsum(np.repeat(figure, times)) / times.sum() for times in weight.T]
    assert found.replicates.tolist() == expected


def test_a_replicate_of_ece_is_the_ece_of_the_drawn_rows():
    rows = calibrated(9000, 1)
    found, weight = drawn(BinReplicates, rows, first_row=5, seed=2, replicates=6, bins=7)
    for replicate, times in enumerate(weight.T):
        again = WidthBins.of(rows.take(np.repeat(np.arange(9000), times)), Plan(bins=7)).bins
        for norm in ("l1", "l2", "max"):
            assert found.replicates(norm)[replicate] == pytest.approx(again.error(norm), abs=1e-14)


def test_an_infinite_row_makes_the_replicates_that_drew_it_infinite():
    found, weight = replicates_of([1.0, math.inf, 3.0], replicates=50)
    assert np.array_equal(np.isinf(found.replicates), weight[1] > 0)
    assert np.array_equal(np.isnan(found.replicates), weight.sum(axis=0) == 0)


def test_limits_of_a_mean_are_as_wide_as_its_standard_error():
    """10,000 rows of a fair coin: 1.96 standard errors to each side are 0.0098."""
    coin = np.random.default_rng(1).integers(0, 2, 10_000).astype(float)
    low, high = replicates_of(coin, replicates=400)[0].limits
    assert (high - low) / 2 == pytest.approx(0.0098, rel=0.15)
    assert low < coin.mean() < high


def test_limits_of_ece_turn_its_bias_round():
    """Calibrated rows have ECE 0 but for noise, which replicates double: percentiles would exclude 0 and the figure."""
    rows = calibrated(3000, 4)
    found, figure = drawn(BinReplicates, rows)[0], WidthBins.of(rows, Plan())
    low, high = found.limits(figure)
    assert low < figure.bins.error() * 0.75
    assert high < np.quantile(found.replicates(), 0.975)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="finite"):
        replicates_of([math.nan])
