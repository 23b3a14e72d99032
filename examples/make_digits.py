"""Make the tables of this folder: logits of two small classifiers on real scans of handwritten digits.

Run from a checkout with the test extra installed: ``python examples/make_digits.py``. Seeds are fixed; another version
of scikit-learn may still move the last digits.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler

HERE = Path(__file__).parent
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
KEPT = (1.0, 0.7, 0.5, 0.36, 0.25, 0.18, 0.13, 0.1, 0.07, 0.05)
"""Share of the training scans of each digit that the imbalanced classifier sees."""


def main() -> None:
    pixels, digits = load_digits(return_X_y=True)
    rows = np.arange(len(digits))
    train, held_out = train_test_split(rows, test_size=600, stratify=digits, random_state=0)
    valid, test = train_test_split(held_out, test_size=400, stratify=digits[held_out], random_state=0)
    split = np.full(len(digits), "train", dtype=object)
    split[valid], split[test] = "valid", "test"

    network = make_pipeline(MinMaxScaler(), MLPClassifier((32,), max_iter=1000, random_state=0))
    network.fit(pixels[train], digits[train])
    balanced = table(network_logits(network, pixels[held_out]), digits, split, held_out)
    balanced.to_csv(HERE / "digits.csv", index=False, lineterminator="\n")
    balanced.to_parquet(HERE / "digits.parquet", index=False)

    few = imbalanced_rows(train, digits)
    linear = make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=1000))
    linear.fit(pixels[few], digits[few])
    imbalanced = table(linear.decision_function(pixels[held_out]), digits, split, held_out)
    imbalanced.to_csv(HERE / "digits_imbalanced.csv", index=False, lineterminator="\n")
    counts = pd.DataFrame({"class": NAMES, "count": np.bincount(digits[few], minlength=10)})
    counts.to_csv(HERE / "training_counts.csv", index=False, lineterminator="\n")


def imbalanced_rows(train: NDArray[np.intp], digits: NDArray[np.intp]) -> NDArray[np.intp]:
    """Keep so many of the training rows of each digit as `KEPT` says."""
    pick = np.random.default_rng(0)
    of_digit = [train[digits[train] == digit] for digit in range(10)]
    return np.concatenate(
        [pick.choice(rows, round(len(rows) * kept), replace=False) for rows, kept in zip(of_digit, KEPT, strict=True)]
    )


def network_logits(network: Pipeline, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the last layer gives before its softmax, which scikit-learn does not offer itself.

    Taking the logarithm of its probabilities instead would lose every class below 1e-308.
    """
    scaler, layers = network[0], network[1]
    (into_hidden, into_logits), (hidden_bias, logit_bias) = layers.coefs_, layers.intercepts_
    hidden = np.maximum(scaler.transform(pixels) @ into_hidden + hidden_bias, 0)
    return hidden @ into_logits + logit_bias


def table(
    logits: NDArray[np.float64], digits: NDArray[np.intp], split: NDArray[np.object_], rows: NDArray[np.intp]
) -> pd.DataFrame:
    """Lay logits, shape (rows, 10), out as a table; 9 significant digits hold a float32."""
    columns = {f"logit_{name}": logits[:, k].astype(np.float32) for k, name in enumerate(NAMES)}
    ids = [f"scan-{row:04d}" for row in rows]
    labels = [NAMES[digit] for digit in digits[rows]]
    return pd.DataFrame({"id": ids, **columns, "label": labels, "split": split[rows]})


if __name__ == "__main__":
    main()
