"""Figures of single rows, beside scipy's and the plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import entropy as scipy_entropy

from softmax_cli.numeric.distributions.uncertainty import energy, entropy, expected_costs, margin, rank_of
from softmax_cli.numeric.softmax import log_softmax
from softmax_cli.numeric.topk import top_k

Z = np.random.default_rng(0).normal(scale=4, size=(200, 7))
LOG_P = log_softmax(Z)


def test_entropy_is_scipys():
    np.testing.assert_allclose(entropy(LOG_P), scipy_entropy(np.exp(LOG_P), axis=1))


def test_entropy_of_a_certain_and_of_an_even_row():
    certain = entropy(np.array([[0.0, -np.inf]]))
    assert certain[0] == 0
    assert not np.signbit(certain[0])
    assert entropy(np.log(np.full((1, 4), 0.25)))[0] == pytest.approx(np.log(4))
    assert np.isnan(entropy(np.full((1, 2), np.nan)))[0]


def test_margin_is_the_gap_of_the_two_best():
    ordered = np.sort(np.exp(LOG_P), axis=1)
    np.testing.assert_array_equal(margin(np.exp(LOG_P)), ordered[:, -1] - ordered[:, -2])
    assert margin(np.ones((2, 1))).tolist() == [1, 1]


@pytest.mark.parametrize("temperature", [0.1, 1.0, 25.0])
def test_energy_is_the_free_energy(temperature):
    np.testing.assert_allclose(energy(Z, temperature), -temperature * logsumexp(Z / temperature, axis=1))


def test_energy_does_not_overflow_and_heeds_masks():
    assert energy(np.array([[1000.0, -np.inf]]))[0] == -1000
    assert energy(np.array([[1000.0, 1000.0]], np.float32))[0] == pytest.approx(-1000 - np.log(2))


def test_expected_costs_are_the_matrix_product():
    costs = np.random.default_rng(1).normal(size=(7, 9))
    np.testing.assert_allclose(expected_costs(np.exp(LOG_P), costs), np.exp(LOG_P) @ costs, atol=1e-12)


def test_expected_costs_of_the_worked_example():
    """A cancer overlooked costs ten times a healthy patient called back: p = 0.23 is enough to call back."""
    costs = np.array([[0.0, 1.0], [10.0, 0.0]])
    found = expected_costs(np.array([[0.77, 0.23], [0.95, 0.05]]), costs)
    np.testing.assert_allclose(found, [[2.3, 0.77], [0.5, 0.95]])


def test_expected_costs_of_a_row_do_not_depend_on_its_neighbours():
    p, costs = np.exp(LOG_P), np.random.default_rng(2).normal(size=(7, 3))
    np.testing.assert_array_equal(expected_costs(p, costs)[50:51], expected_costs(p[50:51], costs))


@given(data=st.data(), classes=st.integers(1, 12))
def test_the_rank_of_the_truth_is_its_place_among_the_best(data, classes):
    row = st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.0]), min_size=classes, max_size=classes)
    z = np.array(data.draw(st.lists(row, min_size=1, max_size=5)))
    labels = np.array(data.draw(st.lists(st.integers(0, classes - 1), min_size=len(z), max_size=len(z))))
    places = np.argmax(top_k(z, classes) == labels[:, None], axis=1) + 1
    np.testing.assert_array_equal(rank_of(z, labels), places)
