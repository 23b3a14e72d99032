from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import norm

from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.smooth_ece import SmoothEce


def tables(rows, scale, seed):
    """Rows whose labels are drawn from the very probabilities, which are then sharpened by `scale`."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, 3)) * 2
    labels = (z + rng.gumbel(size=z.shape)).argmax(axis=1)
    return Rows(log_softmax(z * scale, axis=1), labels)


@pytest.mark.parametrize(("scale", "seed"), [(1.0, 0), (2.0, 1), (0.5, 2)])
def test_the_definition_without_a_grid(scale, seed):
    """Every row has a Gaussian of its own, with mirror images at both ends; the integral by fine trapezia."""
    rows = tables(400, scale, seed)
    found = SmoothEce.of(rows)
    at = np.linspace(0, 1, 4001)[:, None]
    density = sum(
        norm.pdf(at, sign * rows.confidence + shift, found.value) for sign in (1, -1) for shift in range(-4, 5, 2)
    ) @ (rows.correct - rows.confidence)
    mean_size = np.trapezoid(np.abs(density), at[:, 0]) / len(rows)
    assert found.value == pytest.approx(mean_size, rel=1e-4)


def test_calibrated_rows_score_lower_than_sharpened_ones():
    good, sharp = (SmoothEce.of(tables(20_000, scale, 7)).value for scale in (1.0, 2.0))
    assert good < 0.01
    assert sharp > 0.1


def test_all_right_and_certain_is_perfect():
    assert SmoothEce.of(Rows(np.tile([0.0, -np.inf], (10, 1)), np.zeros(10, int))).value < 1e-8


def test_a_confidence_across_an_edge_changes_little():
    """Fifteen bins have an edge at 0.6; rows on it and just over it differ in smooth error by no more than in p."""
    values = []
    for p in (0.6, 0.6 + 1e-9):
        log_p = np.log(np.tile([p, 1 - p], (10, 1)))
        values.append(SmoothEce.of(Rows(log_p, np.arange(10) % 2)).value)
    assert values[0] == pytest.approx(values[1], abs=3e-9)


def test_at_the_ends_nothing_leaks_out():
    """Certain rows of which half are wrong: what a Gaussian would put beyond 1 comes back, so all of the gap stays."""
    log_p = np.tile([0.0, -np.inf], (10, 1))
    assert SmoothEce.of(Rows(log_p, np.arange(10) % 2)).value == pytest.approx(0.5, abs=1e-8)
