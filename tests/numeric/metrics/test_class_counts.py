from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet
import pytest

from softmax_cli.numeric.metrics import Parts, Plan
from softmax_cli.numeric.metrics._counts import ClassCounts, ConfidenceHistogram, Confusion
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.balanced_accuracy import figures


def means(counts):
    parts = Parts({ClassCounts: counts})
    return {figure.name: figure.value(parts) for figure in figures(Plan())}


def test_unknown_is_not_zero():
    """Class 1 never occurs, class 2 is never predicted: its precision is unknown, its recall and F1 are 0."""
    found = ClassCounts.of(Rows(np.eye(3)[[0, 0, 1]], np.array([0, 2, 0])))
    assert found.recall.tolist() == pytest.approx([0.5, np.nan, 0], nan_ok=True)
    assert found.precision.tolist() == pytest.approx([0.5, 0, np.nan], nan_ok=True)
    assert found.f1.tolist() == [0.5, 0, 0]
    assert means(found) == {"balanced_accuracy": 0.25, "macro_f1": pytest.approx(1 / 6)}


def test_real_imbalance(real_data):
    """Balanced test rows, a model trained on imbalanced ones: macro recall as the source computed it."""
    expected = json.loads(real_data("digits/reference_metrics.json").read_text())["digits_imb"]
    table = pyarrow.parquet.read_table(real_data("digits/digits_imbalanced_logreg_logits.parquet")).to_pydict()
    test = np.array(table["split"]) == "test"
    z = np.column_stack([table[f"digit_{digit}"] for digit in range(10)])[test]
    labels = np.array([int(name.removeprefix("digit_")) for name in table["label"]])[test]
    found = means(ClassCounts.of(Rows(z, labels)))
    assert found["balanced_accuracy"] == pytest.approx(expected["macro_recall"], abs=1e-12)


def test_a_matrix_of_true_and_predicted():
    labels, predicted = np.array([0, 0, 0, 1, 1, 2, 2, 2]), np.array([0, 1, 1, 1, 2, 1, 1, 0])
    assert Confusion.of(Rows(np.eye(3)[predicted], labels)).value.tolist() == [[1, 2, 0], [0, 1, 1], [1, 2, 0]]


def test_many_classes_take_no_matrix():
    """100,000 classes: 80 GB as a matrix, three numbers as pairs."""
    log_p = np.zeros((3, 100_000))
    log_p[[0, 1, 2], [5, 99_999, 5]] = 1
    found = Confusion.of(Rows(log_p, np.array([5, 0, 6])))
    assert found.pairs.tolist() == [99_999, 5 * 100_000 + 5, 6 * 100_000 + 5]
    assert found.counts.tolist() == [1, 1, 1]


def test_right_and_wrong_confidences_apart():
    """0.5 is the upper edge of the tenth of twenty bins; 1 that of the last."""
    with np.errstate(divide="ignore"):
        log_p = np.log([[0.5, 0.5], [0.4, 0.6], [1.0, 0.0]])
    found = ConfidenceHistogram.of(Rows(log_p, np.array([0, 0, 0])))
    assert np.flatnonzero(found.right).tolist() == [9, 19]
    assert np.flatnonzero(found.wrong).tolist() == [11]
    assert found.value.sum() == 3
    assert found.edges.tolist() == pytest.approx(np.linspace(0, 1, 21).tolist())
