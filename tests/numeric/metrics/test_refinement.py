from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.log_loss import LogLoss
from softmax_cli.numeric.metrics.refinement import Refinement


def sharpened(rows, classes, scale, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, classes)) * 2
    labels = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
    return log_softmax(z * scale, axis=1), labels


@given(st.floats(-2.5, 2.5), st.integers(2, 12), st.integers(0, 100))
def test_it_is_the_loss_at_the_best_temperature(magnitude, classes, seed):
    """A search over log T finds the same minimum to 1e-6 nats, however far off it is; the parts add up to the loss."""
    log_p, labels = sharpened(200, classes, 10**magnitude, seed)

    def loss(u):
        return LogLoss.of(Rows(log_softmax(log_p * math.exp(u), axis=1), labels), Plan()).value

    best = minimize_scalar(loss, bounds=(-math.log(2000), math.log(2000)), method="bounded", options={"xatol": 1e-9})
    found = Refinement.of(Rows(log_p, labels))
    assert found.value == pytest.approx(best.fun, abs=1e-6)
    assert found.temperature == pytest.approx(math.exp(-best.x), rel=0.001)
    assert found.calibration >= 0
    assert found.value + found.calibration == pytest.approx(LogLoss.of(Rows(log_p, labels), Plan()).value, rel=1e-12)


def test_rescaling_moves_calibration_and_leaves_refinement():
    """Doubling every logit changes what a temperature mends, and nothing else: 2^1 lies on the grid."""
    once, twice = (Refinement.of(Rows(*sharpened(2000, 5, scale))) for scale in (1.0, 2.0))
    assert twice.value == pytest.approx(once.value, abs=1e-12)
    assert once.calibration < 1e-3
    assert twice.calibration > 0.1


def test_an_impossible_truth_cannot_be_mended():
    found = Refinement.of(Rows(np.array([[0.0, -np.inf], [math.log(0.5)] * 2]), np.array([1, 0])))
    assert (found.value, found.impossible) == (math.inf, 1)
    assert math.isnan(found.calibration)


@pytest.mark.parametrize("scale", [1e-2, 1, 1e3])
def test_where_no_temperature_is_the_best_the_limit_is_left(scale):
    """All rows right: the loss falls for ever as T falls. All wrong: it falls to that of the uniform distribution."""
    log_p = log_softmax(scale * np.eye(3), axis=1)
    right = Refinement.of(Rows(log_p, np.arange(3)))
    assert (right.temperature, right.value) == (0, pytest.approx(0, abs=1e-3))
    wrong = Refinement.of(Rows(log_p, (np.arange(3) + 1) % 3))
    assert (wrong.temperature, wrong.value) == (math.inf, pytest.approx(math.log(3), rel=1e-6))


def test_rows_without_a_preference_stay_as_they_are():
    found = Refinement.of(Rows(np.full((4, 3), -math.log(3)), np.array([0, 1, 2, 0])))
    assert (found.temperature, found.value) == (1, pytest.approx(math.log(3)))


@given(st.integers(0, 200), st.integers(2, 9), st.integers(0, 50))
def test_parts_add_up_to_the_same_bits(cut, classes, seed):
    log_p, labels = sharpened(200, classes, 3.0, seed)
    whole = Refinement.of(Rows(log_p, labels))
    parts = Refinement.of(Rows(log_p[:cut], labels[:cut])).plus(Refinement.of(Rows(log_p[cut:], labels[cut:])))
    assert (parts.value, parts.temperature) == (whole.value, whole.temperature)


def test_masked_classes_and_huge_logits_are_no_trouble():
    log_p = np.array([[0.0, -np.inf, -1e300], [math.log(0.5), math.log(0.5), -np.inf]])
    found = Refinement.of(Rows(log_p, np.array([0, 1])))
    assert found.value == pytest.approx(math.log(2) / 2)


@pytest.mark.parametrize("name", ["cifar10_resnet50_brier", "cifar10_wideresnet2610_flsd53"])
def test_real_networks(real_data, name):
    """The temperature that minimises the loss of the validation rows, found to 1 % without a second pass."""
    table = np.load(real_data(f"{name}/{name}.npz"))
    best = json.loads(real_data("reference_metrics.json").read_text())[name]["T_nll"]
    log_p = log_softmax(table["val_logits"].astype(float), axis=1)
    found = Refinement.of(Rows(log_p, table["val_labels"]))
    loss = LogLoss.of(Rows(log_softmax(log_p / best, axis=1), table["val_labels"]), Plan()).value
    assert found.temperature == pytest.approx(best, rel=0.01)
    assert found.value == pytest.approx(loss, abs=5e-6)
