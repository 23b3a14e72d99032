from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.top_k_accuracy import TopK


def top(k, log_p, labels):
    return TopK.of(Rows(log_p, labels), Plan(top_k=(k,)))


def test_a_model_that_cannot_tell_classes_apart_cannot_pass():
    """All classes equal: the truth is surely nowhere and possibly everywhere; by column it is where the label says."""
    found = top(2, np.full((4, 4), np.log(0.25)), np.arange(4))
    assert found.bounds(2) == (0, 1)
    assert found.value(2) == 0.5


def test_top_1_is_accuracy():
    rng = np.random.default_rng(0)
    log_p, labels = rng.integers(-3, 0, (500, 3)).astype(float), rng.integers(0, 3, 500)
    assert top(1, log_p, labels).value(1) == Rows(log_p, labels).correct.mean()


def test_k_beyond_the_classes_is_certain():
    assert top(5, np.zeros((2, 3)), np.array([0, 2])).bounds(5) == (1, 1)


def test_k_counts_classes():
    with pytest.raises(ValueError, match="k 0"):
        Plan(top_k=(3, 0))


def test_without_ties_nothing_is_open():
    """The true class is the first, the second and the third of three: top-2 holds two of the three rows."""
    found = top(2, np.tile([-1.0, -2.0, -3.0], (3, 1)), np.arange(3))
    assert found.bounds(2) == (2 / 3, 2 / 3)
    assert found.value(2) == 2 / 3
