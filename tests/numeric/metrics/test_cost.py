"""Cost of decisions: what a plain loop says, and where the truth is drawn from the model what was expected."""

import numpy as np
from scipy.special import log_softmax

from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.cost import Cost

COSTS = np.array([[0, 1, 0.4], [5, 0, 0.4]])


def test_the_mean_of_a_loop():
    log_p = log_softmax(np.random.default_rng(0).normal(size=(50, 2), scale=2), axis=1)
    labels = np.arange(50) % 2
    came, promised = [], []
    for row, label in zip(np.exp(log_p), labels, strict=True):
        expected = [row @ COSTS[:, decision] for decision in range(3)]
        came.append(COSTS[label, int(np.argmin(expected))])
        promised.append(min(expected))
    found = Cost.of(Rows(log_p, labels), Plan(costs=COSTS))
    np.testing.assert_allclose(found.means, (np.mean(came), np.mean(promised)), rtol=1e-12)


def test_a_calibrated_model_keeps_its_promise():
    generator = np.random.default_rng(1)
    log_p = log_softmax(generator.normal(size=(200_000, 2), scale=2), axis=1)
    labels = (generator.random(len(log_p)) < np.exp(log_p[:, 1])).astype(int)
    came, promised = Cost.of(Rows(log_p, labels), Plan(costs=COSTS)).means
    assert abs(came - promised) < 0.005
