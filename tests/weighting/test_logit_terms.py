"""Weights and priors as they are typed become terms; each multiplies the odds of two classes as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError, UsageError
from softmax_cli.weighting.logit_terms import (
    kept_share_term,
    logit_adjustment_term,
    prior_term,
    read_prior,
    weight_term,
)

CLASSES = ("cat", "dog", "cow")
positive = st.lists(st.floats(0.01, 100), min_size=3, max_size=3)


def odds(term):
    """What the odds of each class against the first are multiplied by."""
    return np.exp(term.values - term.values[0])


def typed(values):
    return ",".join(f"{name}={value!r}" for name, value in zip(CLASSES, values, strict=True))


@given(positive)
def test_weights_multiply_the_odds_and_undoing_them_divides(values):
    ratios = np.array(values) / values[0]
    np.testing.assert_allclose(odds(weight_term("-w", typed(values), CLASSES, [])), ratios, rtol=1e-9)
    np.testing.assert_allclose(odds(weight_term("-u", typed(values), CLASSES, [], undo=True)), 1 / ratios, rtol=1e-9)


def test_a_class_that_is_not_listed_weighs_1_and_is_named():
    notes = []
    term = weight_term("-w", "dog=4", CLASSES, notes)
    np.testing.assert_allclose(np.exp(term.values), [1, 4, 1])
    assert notes == ["-w: not listed, weight 1: cat, cow"]
    assert (term.formula, term.direction) == ("+ log w", "raises dog (x4)")


def test_a_weight_of_0_masks():
    assert weight_term("-w", "dog=0", CLASSES, []).values[1] == -np.inf


def test_balanced_weights_follow_the_counts(tmp_path):
    (tmp_path / "counts.csv").write_text("class,count\ncat,6\ndog,3\ncow,1\n")
    term = weight_term("-w", f"balanced:{tmp_path / 'counts.csv'}", CLASSES, [])
    np.testing.assert_allclose(np.exp(term.values), 10 / (3 * np.array([6, 3, 1])))
    with pytest.raises(DataError, match="no training example of owl; give weights for every class"):
        weight_term("-w", f"balanced:{tmp_path / 'counts.csv'}", (*CLASSES, "owl"), [])


@pytest.mark.parametrize(
    ("said", "undo", "words"),
    [
        ("dog=-1", False, "-w dog=-1: a weight is 0 .* or more"),
        ("dog=0", True, "a weight of 0 cannot be undone"),
        ("cat=0,dog=0,cow=0", False, "every class is masked"),
        ("owl=2", False, "owl"),
    ],
)
def test_weights_that_are_none(said, undo, words):
    with pytest.raises(UsageError, match=words):
        weight_term("-w", said, CLASSES, [], undo)


def test_a_prior_from_counts_shares_or_alike():
    notes = []
    np.testing.assert_allclose(read_prior("--p", "cat=6,dog=3,cow=1", CLASSES, notes), [0.6, 0.3, 0.1])
    assert notes == ["--p: 10 in all, as shares: cat 0.6, dog 0.3, cow 0.1"]
    np.testing.assert_allclose(read_prior("--p", "cat=0.5,dog=0.25,cow=0.25", CLASSES, notes), [0.5, 0.25, 0.25])
    np.testing.assert_allclose(read_prior("--p", "uniform", CLASSES, notes), [1 / 3] * 3)
    assert len(notes) == 1, "shares that sum to 1 need no word"


@pytest.mark.parametrize("said", ["cat=1,dog=1", "cat=1,dog=1,cow=0"])
def test_a_prior_is_of_every_class(said):
    with pytest.raises(UsageError, match="cow"):
        read_prior("--p", said, CLASSES, [])


@given(positive, positive)
def test_a_prior_shift_multiplies_the_odds_by_target_over_source(source, target):
    p, q = (np.array(values) / sum(values) for values in (source, target))
    ratio = q / p
    np.testing.assert_allclose(odds(prior_term("--t", p, q, CLASSES)), ratio / ratio[0], rtol=1e-9)


def test_a_kept_share_is_divided_out():
    np.testing.assert_allclose(odds(kept_share_term("--k", "dog=0.1", CLASSES)), [1, 10, 1])
    for said in ("dog=0", "dog=1.5"):
        with pytest.raises(UsageError, match="a share is above 0 and at most 1"):
            kept_share_term("--k", said, CLASSES)


@given(positive)
def test_a_logit_adjustment_of_1_equals_a_uniform_target(source):
    p = np.array(source) / sum(source)
    uniform = np.full(3, 1 / 3)
    adjusted = logit_adjustment_term("--a", p, 1.0, CLASSES)
    np.testing.assert_allclose(odds(adjusted), odds(prior_term("--t", p, uniform, CLASSES)), rtol=1e-9)


def test_a_logit_adjustment_is_a_number():
    with pytest.raises(UsageError, match="expected a finite number"):
        logit_adjustment_term("--a", np.full(3, 1 / 3), np.inf, CLASSES)
