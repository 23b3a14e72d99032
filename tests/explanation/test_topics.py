"""The worked topics say what is so."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax

from softmax_cli.errors import UsageError
from softmax_cli.explanation.topics import TOPICS, TRAINING_COUNTS, Figures, read_scans, read_topic

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def example():
    table = pd.read_csv(EXAMPLES / "digits_imbalanced.csv")
    return table[table["split"] == "valid"]


def test_the_rows_in_the_package_are_those_of_the_examples(example):
    scans = read_scans()
    assert list(scans.ids) == example["id"].tolist()
    assert [scans.classes[label] for label in scans.labels] == example["label"].tolist()
    np.testing.assert_allclose(scans.logits, example.filter(like="logit_"), atol=0.5e-3 + 1e-9)
    counts = pd.read_csv(EXAMPLES / "training_counts.csv")
    assert tuple(counts["count"]) == TRAINING_COUNTS
    assert tuple(counts["class"]) == scans.classes


def test_the_correction_of_the_prior(example):
    z = example.filter(like="logit_").to_numpy()
    names = [column.removeprefix("logit_") for column in example.filter(like="logit_")]
    at = np.array([names.index(label) for label in example["label"]])
    expected = []
    for scores in (z, z - np.log(TRAINING_COUNTS)):
        log_p = log_softmax(scores, axis=1)
        expected.append(((log_p.argmax(axis=1) == at).mean(), -log_p[np.arange(len(at)), at].mean()))
    by_digit, in_all, one = (part for part in read_topic("imbalance").parts if isinstance(part, Figures))
    assert [name for name, *_ in in_all.rows] == ["before", "after"]
    np.testing.assert_allclose([figures for _, *figures in in_all.rows], expected, atol=1e-3)
    assert sum(row[2] for row in by_digit.rows) == len(at)
    assert one.rows[0][4] > one.rows[0][3]


def test_the_temperature_changes_no_prediction():
    (figures,) = (part for part in read_topic("temperature").parts if isinstance(part, Figures))
    _, confidence, accuracy, _ = zip(*figures.rows, strict=True)
    assert len(set(accuracy)) == 1
    assert sorted(confidence, reverse=True) == list(confidence)


def test_there_are_the_topics_of_the_help():
    assert sorted(TOPICS) == ["imbalance", "temperature"]
    with pytest.raises(UsageError, match="imbalance, temperature"):
        read_topic("entropy")
