"""torchmetrics, one call for each metric that it has, on tensors that pandas has read.

Without the AUROC and the intervals that our program has.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torchmetrics.functional import classification

NEEDS = ("torch", "torchmetrics", "pandas")
KINDS = ("evaluate",)


def run(source: Path, target: Path, digits: int, whole: bool) -> None:
    frame = pd.read_parquet(source)
    classes = [name for name in frame.columns if name not in ("id", "name", "label")]
    logits = torch.tensor(frame[classes].to_numpy(np.float64))
    labels = torch.tensor(frame["label"].map({name: number for number, name in enumerate(classes)}).to_numpy())
    p, count = logits.softmax(dim=1), len(classes)
    k = min(5, count - 1)
    figures = {
        "accuracy": classification.multiclass_accuracy(p, labels, count, average="micro"),
        "log_loss": torch.nn.functional.cross_entropy(logits, labels),
        "brier": ((p - torch.nn.functional.one_hot(labels, count)) ** 2).sum(dim=1).mean(),
        "ece": classification.multiclass_calibration_error(p, labels, count, n_bins=15),
        "macro_f1": classification.multiclass_f1_score(p, labels, count, average="macro"),
        "top_5_accuracy": classification.multiclass_accuracy(p, labels, count, top_k=k, average="micro"),
        "confusion": classification.multiclass_confusion_matrix(p, labels, count).sum(),
    }
    target.write_text(json.dumps({name: float(value) for name, value in figures.items()}))
