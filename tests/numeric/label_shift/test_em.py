"""EM finds the prior that the rows were drawn under."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.numeric.label_shift.em import estimate_prior

CENTRES = np.array([0.0, 1.5, 3.0, 4.5])


def posteriors(labels, prior, rng):
    """Draw a normal score around the centre of each row's class; Bayes' rule gives exact probabilities."""
    x = rng.normal(CENTRES[labels])
    joint = prior * np.exp(-((x[:, None] - CENTRES) ** 2) / 2)
    return joint / joint.sum(axis=1, keepdims=True)


def blocks(p, size=1000):
    return lambda: (p[i : i + size].copy() for i in range(0, len(p), size))


def log_likelihood(p, source, prior):
    return np.log((p * (prior / source)).sum(axis=1)).sum()


@settings(max_examples=15)
@given(st.lists(st.integers(1, 20), min_size=4, max_size=4), st.lists(st.integers(1, 20), min_size=4, max_size=4))
def test_a_planted_prior_is_found(source, target):
    source, target = (np.array(prior) / sum(prior) for prior in (source, target))
    rng = np.random.default_rng(3)
    labels = rng.choice(4, size=20_000, p=target)
    found = estimate_prior(blocks(posteriors(labels, source, rng)), source)
    assert found.converged
    assert found.rows == 20_000
    shares = np.bincount(labels, minlength=4) / len(labels)
    assert np.abs(found.prior - shares).sum() < 0.06


def test_no_other_prior_is_more_likely():
    rng = np.random.default_rng(0)
    source = np.array([0.4, 0.3, 0.2, 0.1])
    p = posteriors(rng.choice(4, size=3000, p=[0.1, 0.2, 0.3, 0.4]), source, rng)
    found = estimate_prior(blocks(p), source)
    best = log_likelihood(p, source, found.prior)
    assert best > log_likelihood(p, source, source) + 100
    for other in rng.dirichlet(found.prior * 1000, size=200):
        assert log_likelihood(p, source, other) <= best + 1e-3


def test_standard_errors_are_the_spread_over_samples():
    source, target = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.2, 0.3, 0.4])
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        found.append(estimate_prior(blocks(posteriors(rng.choice(4, 1000, p=target), source, rng)), source))
    spread = np.std([one.prior for one in found], axis=0)
    np.testing.assert_allclose(np.mean([one.error for one in found], axis=0), spread, rtol=0.25)


def test_classes_that_no_row_tells_apart_have_no_standard_error():
    p = np.array([[0.25, 0.25, 0.5], [0.4, 0.4, 0.2]])
    assert estimate_prior(blocks(p), np.full(3, 1 / 3)).error is None


def test_the_prior_of_the_rows_themselves_stays():
    """Where the mean of p is the source prior, EM is at its fixed point at once."""
    p = np.array([[0.9, 0.1], [0.3, 0.7]])
    found = estimate_prior(blocks(p), p.mean(axis=0))
    assert found.iterations == 1
    np.testing.assert_allclose(found.prior, p.mean(axis=0), rtol=1e-15)
    assert found.changed == 0


def test_one_iteration_by_hand():
    found = estimate_prior(blocks(np.array([[0.8, 0.2], [0.6, 0.4]])), np.array([0.5, 0.5]), most_iterations=1)
    np.testing.assert_allclose(found.prior, [0.7, 0.3], rtol=1e-15)
    assert found.distance == 1
    assert not found.converged


def under(p, prior, source):
    joint = p * (prior / source)
    return joint / joint.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("classes", "scale"), [(2, 0.2), (4, 0.3), (4, 1.0), (10, 2.0)])
def test_probabilities_are_those_of_em_without_an_end(classes, scale):
    """Against the definition, repeated until nothing moves: classes that overlap take it hundreds of steps."""
    rng = np.random.default_rng(0)
    z = scale * rng.normal(size=(2000, classes))
    z[np.arange(2000), rng.choice(classes, 2000, p=rng.dirichlet(np.ones(classes)))] += 1.5 * scale
    p, source = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), rng.dirichlet(5 * np.ones(classes))
    prior, before = source, np.zeros(classes)
    while np.abs(prior - before).sum() > 1e-14:
        prior, before = under(p, prior, source).mean(axis=0), prior
    found = estimate_prior(blocks(p), source)
    assert found.converged
    assert found.iterations < 200
    np.testing.assert_allclose(under(p, found.prior, source), under(p, prior, source), atol=1e-6, rtol=0)


def test_rows_that_change_class_are_counted():
    p = np.array([[0.9, 0.1]] * 9 + [[0.45, 0.55]])
    found = estimate_prior(blocks(p), np.array([0.5, 0.5]))
    assert found.prior[0] > 0.9
    assert found.changed == 1


def test_a_row_changes_by_the_ratio_and_not_by_the_prior():
    """Half of the rows are certain of each class, so q = 1/2: a ratio of 0.625 : 2.5 against the source."""
    p = np.array([[1.0, 0.0]] * 100 + [[0.0, 1.0]] * 100 + [[0.7, 0.3]])
    found = estimate_prior(blocks(p), np.array([0.8, 0.2]))
    assert np.abs(found.prior - 0.5).max() < 0.01
    assert found.changed == 1


def test_a_class_that_no_row_can_be_of_gets_nothing():
    found = estimate_prior(blocks(np.array([[0.5, 0.5, 0.0], [0.2, 0.8, 0.0]])), np.ones(3))
    assert found.prior[2] == 0
    assert found.prior.sum() == pytest.approx(1)


def test_no_rows():
    with pytest.raises(ValueError, match="no row"):
        estimate_prior(lambda: iter(()), np.ones(2))
