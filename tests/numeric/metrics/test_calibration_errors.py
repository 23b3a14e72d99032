"""Calibration errors beside ECE: debiased, without bins, and by direction; figures from the authors' own code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.numeric.metrics import Parts, Plan
from softmax_cli.numeric.metrics._bins import WidthBins
from softmax_cli.numeric.metrics._class_bins import ClassBins, ClassRankings
from softmax_cli.numeric.metrics._ranking import Ranking
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.classwise_ece import columns
from softmax_cli.numeric.metrics.confidence_error import overconfidence, underconfidence
from softmax_cli.numeric.metrics.debiased_ece import debiased_error
from softmax_cli.numeric.metrics.ks_error import ks_error


def drawn(rows=3000, seed=0, factor=1.0):
    """Rows whose truths are drawn from softmax(z), and the probabilities of factor z."""
    random = np.random.default_rng(seed)
    z = 2 * random.normal(size=(rows, 4))
    labels = (z + random.gumbel(size=z.shape)).argmax(axis=1)
    return log_softmax(factor * z, axis=1), labels


def parts_of(kinds, log_p, labels, plan=None):
    plan = plan or Plan()
    return Parts({kind: kind.of(Rows(log_p, labels), plan) for kind in kinds})


def test_debiased_error_is_that_of_its_authors():
    """Of uncertainty-calibration 0.1.4, ``get_calibration_error(..., p=2, debias=True)``, top label, 15 equal bins."""
    found = [debiased_error(parts_of([Ranking], *drawn(factor=factor)), 15) for factor in (1.0, 2.0)]
    assert found == pytest.approx([0.0175906208, 0.1430220100], abs=1e-9)


def test_noise_is_no_error():
    """Of 20 perfect models the debiased figure is often 0; the plain root mean square never is."""
    found = [debiased_error(parts_of([Ranking], *drawn(rows=300, seed=seed)), 15) for seed in range(20)]
    assert sum(figure == 0 for figure in found) >= 5
    assert np.mean(found) < 0.06


@given(
    confidence=hnp.arrays(float, 12, elements=st.sampled_from([0.55, 0.7, 0.7, 0.9])),
    correct=hnp.arrays(bool, 12),
)
def test_largest_gap_of_the_sums(confidence, correct):
    """By definition: over every confidence, the rows up to it."""
    log_p = np.log(np.column_stack([confidence, 1 - confidence]))
    p = np.exp(log_p[:, 0])
    gaps = [abs((p - correct)[p <= level].sum()) / 12 for level in p]
    parts = parts_of([Ranking], log_p, np.where(correct, 0, 1))
    assert ks_error(parts) == pytest.approx(max(gaps), abs=1e-12)


def test_largest_gap_of_an_overconfident_model_is_its_mean_gap():
    """All of its gaps have one sign, so that the sums grow to the end."""
    log_p, labels = drawn(factor=3.0)
    p, correct = np.exp(log_p.max(axis=1)), log_p.argmax(axis=1) == labels
    assert ks_error(parts_of([Ranking], log_p, labels)) == pytest.approx(p.mean() - correct.mean(), abs=2e-3)


def test_direction_of_the_gaps():
    """Ten rows of confidence 0.9, six of them right; ten of 0.6, eight of them right."""
    p = np.repeat([0.9, 0.6], 10)
    right = np.concatenate([np.arange(10) < 6, np.arange(10) < 8])
    parts = parts_of([WidthBins], np.log(np.column_stack([p, 1 - p])), np.where(right, 0, 1))
    assert overconfidence(parts) == pytest.approx(0.5 * 0.9 * 0.3)
    assert underconfidence(parts) == pytest.approx(0.5 * 0.4 * 0.2)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_errors_of_the_classes_heed_the_norm_and_the_scheme(norm):
    log_p, labels = drawn(factor=2.0)
    width = Plan(norm=norm)
    (column,) = columns(width)
    parts = parts_of([ClassBins], log_p, labels, width)
    np.testing.assert_array_equal(column.values(parts), parts[ClassBins].by_class(norm))
    for mass in (Plan(kind="classwise", scheme="mass", norm=norm), Plan(of_classes=True, scheme="mass", norm=norm)):
        (column,) = columns(mass)
        parts = parts_of([ClassBins, ClassRankings], log_p, labels, mass)
        np.testing.assert_array_equal(column.values(parts), parts[ClassRankings].by_class(norm))
