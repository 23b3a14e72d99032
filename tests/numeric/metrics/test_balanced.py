from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet
import pytest

from softmax_cli.numeric.metrics.accuracy import Balanced


def test_unknown_is_not_zero():
    """Class 1 never occurs, class 2 is never predicted: its precision is unknown, its recall and F1 are 0."""
    found = Balanced.of(np.eye(3)[[0, 0, 1]], np.array([0, 2, 0]))
    assert found.recall.tolist() == pytest.approx([0.5, np.nan, 0], nan_ok=True)
    assert found.precision.tolist() == pytest.approx([0.5, 0, np.nan], nan_ok=True)
    assert found.f1.tolist() == [0.5, 0, 0]
    assert found.value == 0.25
    assert found.macro_f1 == pytest.approx(1 / 6)


def test_real_imbalance(real_data):
    """Balanced test rows, a model trained on imbalanced ones: macro recall as the source computed it."""
    expected = json.loads(real_data("digits/reference_metrics.json").read_text())["digits_imb"]
    table = pyarrow.parquet.read_table(real_data("digits/digits_imbalanced_logreg_logits.parquet")).to_pydict()
    test = np.array(table["split"]) == "test"
    z = np.column_stack([table[f"digit_{digit}"] for digit in range(10)])[test]
    labels = np.array([int(name.removeprefix("digit_")) for name in table["label"]])[test]
    assert Balanced.of(z, labels).value == pytest.approx(expected["macro_recall"], abs=1e-12)
