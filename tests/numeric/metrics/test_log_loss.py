from __future__ import annotations

import math

import numpy as np
import pytest

from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._rows import Rows, row_log_loss
from softmax_cli.numeric.metrics.log_loss import LogLoss


def test_a_ruled_out_truth_is_counted_and_not_hidden():
    with np.errstate(divide="ignore"):
        rows = Rows(np.log([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]]), np.array([0, 1, 1]))
    found = LogLoss.of(rows, Plan())
    assert found.value == math.inf
    assert found.impossible == 1
    clipped = LogLoss.of(rows, Plan(clip=1e-15))
    assert clipped.impossible == 0
    assert clipped.value == pytest.approx((math.log(2) + 15 * math.log(10) - math.log(0.75)) / 3)


def test_no_clip_is_needed_where_probabilities_vanish():
    """P = exp(-1000) is 0 in binary; its loss is 1000 nats all the same."""
    assert LogLoss.of(Rows(np.array([[-1000.0, 0.0]]), np.array([0])), Plan()).value == 1000


def test_a_certain_truth_costs_nothing():
    assert math.copysign(1, row_log_loss(Rows(np.array([[0.0, -np.inf]]), np.array([0])))[0]) == 1


@pytest.mark.parametrize("clip", [0, 0.5, -1, math.nan])
def test_clip_is_a_small_probability(clip):
    with pytest.raises(ValueError, match="clip"):
        Plan(clip=clip)
