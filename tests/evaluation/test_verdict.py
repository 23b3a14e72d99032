"""The sentences in front of the figures say what the figures say."""

from __future__ import annotations

import json

import numpy as np
import pytest


@pytest.fixture
def verdict(softmax_cli, tmp_path):
    """Evaluate predictions of a given confidence of which a given share is right."""

    def of(confidence: float, right: float, rows: int = 1000) -> list[str]:
        z = np.log(confidence / (1 - confidence))
        lines = [f"{z:.6f},0,{'a' if row < right * rows else 'b'}" for row in range(rows)]
        (tmp_path / "x.csv").write_text("\n".join(["logit_a,logit_b,label", *lines]) + "\n")
        done = softmax_cli("evaluate", "x.csv", "--bootstrap", "0", "--json", "-q")
        assert done.code == 0, done.err
        return json.loads(done.text)["verdict"]

    return of


@pytest.mark.parametrize(
    ("confidence", "right", "sentence"),
    [
        (0.9, 0.9, "Confidence fits: 90.0% on average, within chance of that."),
        (0.9, 0.6, "Over-confident by 30.0 points (90.0% on average)"),
        (0.6, 0.9, "Under-confident by 30.0 points (60.0% on average)"),
        (0.91, 0.9, "Confidence fits: 91.0% on average"),
    ],
)
def test_confidence_is_compared_with_accuracy(verdict, confidence, right, sentence):
    found = verdict(confidence, right)
    assert found[0] == f"{right:.1%} right."
    assert found[1].startswith(sentence)


def test_few_rows_decide_little(verdict):
    """Seven of ten right at 0.9 may be chance; 700 of 1,000 are not."""
    assert verdict(0.9, 0.7, rows=10)[1].startswith("Confidence fits")
    assert verdict(0.9, 0.7, rows=1000)[1].startswith("Over-confident")


def test_classes_that_are_never_predicted_are_named(verdict):
    assert verdict(0.9, 0.9)[2] == "1 of 2 classes is never predicted: b."


def test_the_screen_and_the_json_say_the_same(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("logit_a,logit_b,label\n2,0,a\n0,2,b\n")
    sentences = json.loads(softmax_cli("evaluate", "x.csv", "--json").text)["verdict"]
    shown = " ".join(softmax_cli("evaluate", "x.csv").text.split())
    assert all(sentence in shown for sentence in sentences)


def test_no_row_has_no_verdict(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("logit_a,logit_b,label\n")
    assert json.loads(softmax_cli("evaluate", "x.csv", "--json").text)["verdict"] == []
