"""pandas for the table, scipy for the softmax: the usual notebook."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import softmax

NEEDS = ("pandas", "scipy")
KINDS = ("csv-csv", "csv-parquet", "parquet-parquet", "npy-npy")


def run(source: Path, target: Path, digits: int, whole: bool) -> None:
    if source.suffix == ".npy":
        np.save(target, softmax(np.load(source), axis=1))
        return
    frame = pd.read_csv(source) if source.suffix == ".csv" else pd.read_parquet(source)
    classes = [name for name in frame.columns if name not in ("id", "name")]
    logits = frame[classes].to_numpy(np.float32 if digits == 9 else np.float64)
    p = softmax(logits, axis=1)
    kept = frame[["id", "name"]]
    if whole:
        kept = kept.assign(prediction=np.array(classes)[p.argmax(axis=1)], confidence=p.max(axis=1))
    scored = pd.concat([kept, pd.DataFrame(p, columns=classes)], axis=1)
    if target.suffix == ".csv":
        scored.to_csv(target, index=False)
    else:
        scored.to_parquet(target, index=False)
