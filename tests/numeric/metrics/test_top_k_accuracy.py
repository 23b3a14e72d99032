from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.numeric.metrics.accuracy import Accuracy, TopKAccuracy


def test_a_model_that_cannot_tell_classes_apart_cannot_pass():
    """All classes equal: the truth is surely nowhere and possibly everywhere; by column it is where the label says."""
    log_p, labels = np.full((4, 4), np.log(0.25)), np.arange(4)
    found = TopKAccuracy.of(log_p, labels, k=2)
    assert found.bounds == (0, 1)
    assert found.value == 0.5


def test_top_1_is_accuracy():
    rng = np.random.default_rng(0)
    log_p, labels = rng.integers(-3, 0, (500, 3)).astype(float), rng.integers(0, 3, 500)
    assert TopKAccuracy.of(log_p, labels, k=1).value == Accuracy.of(log_p, labels).value


def test_k_beyond_the_classes_is_certain():
    assert TopKAccuracy.of(np.zeros((2, 3)), np.array([0, 2]), k=5).bounds == (1, 1)


def test_k_counts_classes():
    with pytest.raises(ValueError, match="k 0"):
        TopKAccuracy.of(np.zeros((1, 2)), np.array([0]), k=0)


def test_without_ties_nothing_is_open():
    """The true class is the first, the second and the third of three: top-2 holds two of the three rows."""
    found = TopKAccuracy.of(np.tile([-1.0, -2.0, -3.0], (3, 1)), np.arange(3), k=2)
    assert found.bounds == (2 / 3, 2 / 3)
    assert found.value == 2 / 3
