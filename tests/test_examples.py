"""The examples: each walk runs, and prints figures that were worked out here by other means."""

from __future__ import annotations

import io
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

EXAMPLES = Path(__file__).parents[1] / "examples"


def logits_of(table: pd.DataFrame) -> pd.DataFrame:
    return table.filter(like="logit_").rename(columns=lambda name: name.removeprefix("logit_"))


@pytest.fixture(scope="module")
def walk(program_env):
    @cache
    def run(name: str) -> str:
        done = subprocess.run(
            ["bash", EXAMPLES / f"{name}.sh"], capture_output=True, text=True, env=program_env, timeout=100, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return run


def test_first_steps_print_the_mean_confidence(walk):
    printed = walk("walk_first_steps")
    logits = logits_of(pd.read_csv(EXAMPLES / "digits.csv")).to_numpy()
    for temperature in (1, 2):
        assert f"T={temperature} {softmax(logits / temperature, axis=1).max(axis=1).mean():.4f}" in printed


def test_first_steps_list_the_three_best_classes_of_three_scans(walk):
    printed = walk("walk_first_steps").splitlines()
    first = next(number for number, line in enumerate(printed) if "label_1,prob_1" in line)
    listed = pd.read_csv(io.StringIO("\n".join(printed[first : first + 4])))
    logits = logits_of(pd.read_csv(EXAMPLES / "digits.csv", nrows=3))
    assert listed["label_1"].tolist() == logits.idxmax(axis=1).tolist()
    assert listed["prob_1"].tolist() == softmax(logits.to_numpy(), axis=1).max(axis=1).round(3).tolist()


def test_imbalance_moves_the_accuracy_as_the_counts_say(walk):
    """The three vocabularies are one correction: argmax of logits less the log of the training counts."""
    printed = walk("walk_imbalance")
    table = pd.read_csv(EXAMPLES / "digits_imbalanced.csv")
    counts = pd.read_csv(EXAMPLES / "training_counts.csv", index_col="class")["count"]
    before = (logits_of(table).idxmax(axis=1) == table["label"]).mean()
    after = ((logits_of(table) - np.log(counts)).idxmax(axis=1) == table["label"]).mean()
    assert after > before + 0.05
    assert printed.count(f"{before:.4f}  (") == 1
    assert printed.count(f"{after:.4f}  (") == 3


def test_formats_lose_no_row_and_no_digit(walk):
    printed = walk("walk_formats")
    assert "rows: 600\n" in printed
    assert "\nidentical\n" in printed


def test_every_walk_is_a_test():
    assert {path.stem for path in EXAMPLES.glob("*.sh")} == {"walk_first_steps", "walk_imbalance", "walk_formats"}


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
