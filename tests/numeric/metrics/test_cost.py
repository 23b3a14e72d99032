"""Cost of decisions: what a plain loop says, and where the truth is drawn from the model what was expected."""

import numpy as np
from scipy.special import log_softmax

from softmax_cli.numeric.bootstrap import weights
from softmax_cli.numeric.metrics import Parts, Plan
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.cost import Cost, CostReplicates, figures

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


def test_the_interval_is_that_of_the_mean_also_where_costs_are_gains():
    generator = np.random.default_rng(2)
    log_p = log_softmax(generator.normal(size=(400, 2), scale=2), axis=1)
    rows, plan = Rows(log_p, generator.integers(0, 2, 400)), Plan(costs=COSTS - 3, replicates=300)
    parts = Parts({Cost: Cost.of(rows, plan)})
    draws = Parts({CostReplicates: CostReplicates.of(rows, plan, weights(0, 0, 400, 300).astype(float))})
    cost = next(figures(plan))
    low, high = cost.interval.limits(draws, parts)
    assert -3 < low < cost.value(parts) < high < 2
    assert high - low < 0.6
