"""pandas for the table, torch for the softmax."""

from pathlib import Path

import numpy as np
import torch

NEEDS = ("torch", "pandas")
KINDS = ("csv-csv", "csv-parquet", "parquet-parquet", "npy-npy")


def run(source: Path, target: Path, digits: int, whole: bool) -> None:
    if source.suffix == ".npy":
        np.save(target, torch.softmax(torch.from_numpy(np.load(source)), 1).numpy())
        return
    import pandas as pd  # not for npy, which needs none

    frame = pd.read_csv(source) if source.suffix == ".csv" else pd.read_parquet(source)
    classes = [name for name in frame.columns if name not in ("id", "name")]
    logits = torch.tensor(frame[classes].to_numpy(np.float32 if digits == 9 else np.float64))
    p = torch.softmax(logits, 1).numpy()
    kept = frame[["id", "name"]]
    if whole:
        kept = kept.assign(prediction=np.array(classes)[p.argmax(axis=1)], confidence=p.max(axis=1))
    scored = pd.concat([kept, pd.DataFrame(p, columns=classes)], axis=1)
    if target.suffix == ".csv":
        scored.to_csv(target, index=False)
    else:
        scored.to_parquet(target, index=False)
