"""The examples: what the recipes print was worked out here by other means."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

EXAMPLES = Path(__file__).parents[1] / "examples"


def logits_of(table: pd.DataFrame) -> pd.DataFrame:
    return table.filter(like="logit_").rename(columns=lambda name: name.removeprefix("logit_"))


def shown(page: str, command: str) -> list[str]:
    """Return the lines that a recipe shows under a command; they are compared with the program's own elsewhere."""
    _, _, after = (EXAMPLES / page).read_text("utf-8").partition(f"$ {command}\n")
    assert after, f"{page} has no {command}"
    return list(itertools.takewhile(lambda line: not line.startswith(("$", "```")), after.splitlines()))


def test_a_temperature_lowers_the_confidence_as_softmax_has_it():
    logits = logits_of(pd.read_csv(EXAMPLES / "digits.csv", nrows=2)).to_numpy()
    for options, temperature in (("-q", 1), ("-q -T 2", 2)):
        lines = shown(
            "first_steps.md", f"softmax-cli predict examples/digits.csv {options} --only-predictions | head -3"
        )
        printed = [float(line.rpartition(",")[2]) for line in lines[1:]]
        np.testing.assert_allclose(printed, softmax(logits / temperature, axis=1).max(axis=1), rtol=1e-8)


def test_the_three_best_classes_are_the_three_largest_logits():
    lines = shown(
        "first_steps.md", "head -4 examples/digits.csv | softmax-cli predict - -q --top-k 3 --decimals 3 --format csv"
    )
    listed = pd.read_csv(io.StringIO("\n".join(lines)))
    logits = logits_of(pd.read_csv(EXAMPLES / "digits.csv", nrows=3))
    assert listed["label_1"].tolist() == logits.idxmax(axis=1).tolist()
    assert listed["prob_1"].tolist() == softmax(logits.to_numpy(), axis=1).max(axis=1).round(3).tolist()


def test_imbalance_moves_the_accuracy_as_the_counts_say():
    """The three vocabularies are one correction: argmax of logits less the log of the training counts."""
    table = pd.read_csv(EXAMPLES / "digits_imbalanced.csv")
    counts = pd.read_csv(EXAMPLES / "training_counts.csv", index_col="class")["count"]
    before = (logits_of(table).idxmax(axis=1) == table["label"]).mean()
    after = ((logits_of(table) - np.log(counts)).idxmax(axis=1) == table["label"]).mean()
    page = (EXAMPLES / "imbalanced_classes.md").read_text("utf-8")
    assert after > before + 0.05
    assert page.count(f'"value": {before}') == 1
    assert page.count(f'"value": {after}') == 3


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_small_and_described(path):
    assert path.stat().st_size < 200_000
    assert path.name == "README.md" or f"`{path.name}`" in (EXAMPLES / "README.md").read_text()


def test_the_parquet_table_is_the_csv_table():
    """9 significant digits bring a float32 back: the two files hold the same numbers."""
    text = pd.read_csv(EXAMPLES / "digits.csv", dtype={f"logit_{name}": np.float32 for name in ("zero", "nine")})
    binary = pd.read_parquet(EXAMPLES / "digits.parquet")
    assert binary["logit_zero"].dtype == np.float32
    for column in ("id", "label", "split", "logit_zero", "logit_nine"):
        assert text[column].tolist() == binary[column].tolist()


def test_no_class_of_the_counts_is_unknown_to_the_tables():
    counts = pd.read_csv(EXAMPLES / "training_counts.csv")
    for name in ("digits.csv", "digits_imbalanced.csv"):
        assert list(logits_of(pd.read_csv(EXAMPLES / name)).columns) == counts["class"].tolist()
