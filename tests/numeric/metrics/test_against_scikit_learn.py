"""The same figures as scikit-learn's, on rows of any kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax
from sklearn import metrics

from softmax_cli.numeric.metrics import Parts, Plan
from softmax_cli.numeric.metrics._bins import WidthBins
from softmax_cli.numeric.metrics._counts import ClassCounts, Confusion
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.agreement import kappa, mcc
from softmax_cli.numeric.metrics.auroc import Auroc, ScoreCells
from softmax_cli.numeric.metrics.balanced_accuracy import figures
from softmax_cli.numeric.metrics.brier import Brier
from softmax_cli.numeric.metrics.log_loss import LogLoss
from softmax_cli.numeric.metrics.pairwise_auroc import average_precision, one_vs_one
from softmax_cli.numeric.metrics.top_k_accuracy import TopK

CLASSES = 4
EVERY = list(range(CLASSES))


@st.composite
def tables(draw):
    """Log-probabilities and labels; few distinct logits, so that probabilities tie."""
    rows = draw(st.integers(5, 60))
    z = draw(hnp.arrays(np.float64, (rows, CLASSES), elements=st.integers(-3, 3) | st.floats(-20, 20)))
    labels = draw(hnp.arrays(np.int64, rows, elements=st.integers(0, CLASSES - 1)))
    return log_softmax(z, axis=1), labels


def renormalised(log_p):
    p = np.exp(log_p)
    return p / p.sum(axis=1, keepdims=True)


@given(tables())
def test_log_loss(table):
    log_p, labels = table
    p, eps = renormalised(log_p), np.finfo(np.float64).eps
    assert LogLoss.of(Rows(log_p, labels), Plan(clip=eps)).value == pytest.approx(
        metrics.log_loss(labels, p, labels=EVERY), abs=1e-9
    )


@given(tables())
def test_brier(table):
    """scikit-learn scores one class against the rest; added up over the classes that is the multi-class score."""
    log_p, labels = table
    p = renormalised(log_p)
    each = [metrics.brier_score_loss(labels == column, p[:, column]) for column in EVERY]
    assert Brier.of(Rows(log_p, labels)).value == pytest.approx(sum(each), abs=1e-12)


@given(tables())
def test_auroc(table):
    log_p, labels = table
    assume(len(set(labels.tolist())) == CLASSES)
    # scikit-learn is given the very scores, since exp merges some of those that differ.
    each = [metrics.roc_auc_score(labels == column, log_p[:, column]) for column in EVERY]
    found = Auroc.of(Rows(log_p, labels))
    assert found.by_class == pytest.approx(each, abs=1e-12)
    assert found.value == pytest.approx(np.mean(each), abs=1e-12)


@given(tables())
def test_cells_keep_their_bound(table):
    """The figure from counts is off from the exact one by no more than it says."""
    log_p, labels = table
    area, bound = ScoreCells.of(log_p.shape[1], [(log_p, labels)]).areas()
    exact = Auroc.of(Rows(log_p, labels)).by_class
    assert np.array_equal(np.isnan(area), np.isnan(exact))
    assert (np.abs(area - exact)[~np.isnan(exact)] <= bound[~np.isnan(exact)] + 1e-12).all()


def test_macro_auroc_of_the_probabilities():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, CLASSES, 2000)
    log_p = log_softmax(rng.normal(size=(2000, CLASSES)) + 2 * np.eye(CLASSES)[labels], axis=1)
    expected = metrics.roc_auc_score(labels, renormalised(log_p), multi_class="ovr", average="macro")
    assert Auroc.of(Rows(log_p, labels)).value == pytest.approx(expected, abs=1e-12)


@given(tables(), st.integers(1, CLASSES - 1))
def test_top_k_accuracy(table, k):
    """Whatever order scikit-learn gives to ties, its figure lies between ours."""
    log_p, labels = table
    found = TopK.of(Rows(log_p, labels), Plan(top_k=(k,)))
    low, high = found.bounds(k)
    assert low - 1e-12 <= metrics.top_k_accuracy_score(labels, log_p, k=k, labels=EVERY) <= high + 1e-12
    assert low <= found.value(k) <= high


@given(tables())
def test_confusion_and_the_classes(table):
    log_p, labels = table
    predicted = log_p.argmax(axis=1)
    assert np.array_equal(
        Confusion.of(Rows(log_p, labels)).value, metrics.confusion_matrix(labels, predicted, labels=EVERY)
    )
    found = ClassCounts.of(Rows(log_p, labels))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, predicted, labels=EVERY, zero_division=np.nan
    )
    assert found.precision == pytest.approx(precision, nan_ok=True)
    assert found.recall == pytest.approx(recall, nan_ok=True)
    assert found.f1 == pytest.approx(f1, nan_ok=True)
    assert found.support.tolist() == support.tolist()
    occurring = np.unique(labels)
    mean_recall = metrics.recall_score(labels, predicted, labels=occurring, average="macro", zero_division=np.nan)
    (balanced, _) = figures(Plan())
    assert balanced.value(Parts({ClassCounts: found})) == pytest.approx(mean_recall)


@given(tables(), st.integers(1, 20))
def test_ece_row_by_row(table, bins):
    """No library here has it: the definition itself, one row and one bin at a time."""
    log_p, labels = table
    rows = [[] for _ in range(bins)]
    for scores, label in zip(np.minimum(np.exp(log_p), 1).tolist(), labels.tolist(), strict=True):
        confidence = max(scores)
        place = next(number for number in range(bins) if confidence <= (number + 1) / bins)
        rows[place].append((confidence, scores.index(confidence) == label))
    gaps = [abs(sum(c for c, _ in held) - sum(right for _, right in held)) for held in rows]
    assert WidthBins.of(Rows(log_p, labels), Plan(bins=bins)).bins.error() == pytest.approx(
        sum(gaps) / len(labels), abs=1e-12
    )


def parts_of(kind, log_p, labels):
    return Parts({kind: kind.of(Rows(log_p, labels), Plan())})


@given(tables())
def test_agreement_beyond_chance(table):
    """scikit-learn gives 0, or nan, where one side has a single class: nothing is known there."""
    log_p, labels = table
    predicted = log_p.argmax(axis=1)
    parts = parts_of(ClassCounts, log_p, labels)
    if len(np.unique(labels)) > 1 and len(np.unique(predicted)) > 1:
        assert mcc(parts) == pytest.approx(metrics.matthews_corrcoef(labels, predicted), abs=1e-12)
        assert kappa(parts) == pytest.approx(metrics.cohen_kappa_score(labels, predicted), abs=1e-12)
    else:
        assert np.isnan(mcc(parts))


@given(tables())
def test_one_vs_one_auroc_and_average_precision(table):
    log_p, labels = table
    parts = parts_of(Auroc, log_p, labels)
    occur = np.unique(labels)
    each = [metrics.average_precision_score(labels == column, log_p[:, column]) for column in occur]
    assert average_precision(parts) == pytest.approx(np.mean(each), abs=1e-12)
    pairs = [
        metrics.roc_auc_score(labels[both] == one, log_p[both, one])
        for one in occur
        for other in occur
        if one != other
        for both in [np.isin(labels, (one, other))]
    ]
    assert one_vs_one(parts) == pytest.approx(np.mean(pairs) if pairs else np.nan, abs=1e-12, nan_ok=True)


def test_rankings_of_scores_that_were_not_kept_are_unknown():
    log_p = log_softmax(np.random.default_rng(0).normal(size=(60, CLASSES)), axis=1)
    whole = Auroc.of(Rows(log_p, np.arange(60) % CLASSES))
    counted = Parts({Auroc: Auroc(CLASSES, 60, (), (), ScoreCells.of(CLASSES, [(log_p, np.arange(60) % CLASSES)]))})
    assert whole.cells is None
    assert np.isnan([one_vs_one(counted), average_precision(counted)]).all()
