"""Write a table of random logits: ``python -m tests.benchmarks.inputs FILE ROWS CLASSES REPEATS``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

SPREAD = 4.0
"""Standard deviation of the logits: a trained network's are about as wide."""
ROW_GROUP = 128 * 1024


def main() -> None:
    path, rows, classes, repeats = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    logits = np.random.default_rng(0).standard_normal((rows, classes), dtype=np.float32) * np.float32(SPREAD)
    rows_of = labelled_table if path.name.startswith("labelled") else table
    unfinished = path.with_name(f"unfinished_{path.name}")
    WRITERS[path.suffix](unfinished, logits, repeats, rows_of)
    unfinished.rename(path)


def table(logits: NDArray[np.float32]) -> pa.Table:
    rows, classes = logits.shape
    ids = {"id": np.arange(rows), "name": [f"item-{row:07d}" for row in range(rows)]}
    return pa.table(ids | {f"c{k}": np.ascontiguousarray(logits[:, k]) for k in range(classes)})


def labelled_table(logits: NDArray[np.float32]) -> pa.Table:
    """With true classes drawn from the probabilities at T = 2: the logits are over-confident."""
    noise = np.random.default_rng(1).gumbel(size=logits.shape)
    truth = (logits / 2 + noise).argmax(axis=1)
    return table(logits).append_column("label", pa.array([f"c{k}" for k in truth.tolist()]))


Rows = Callable[[NDArray[np.float32]], pa.Table]


def write_csv(path: Path, logits: NDArray[np.float32], repeats: int, rows_of: Rows) -> None:
    rows = rows_of(logits)
    with pc.CSVWriter(path, rows.schema) as writer:
        for _ in range(repeats):
            writer.write_table(rows)


def write_parquet(path: Path, logits: NDArray[np.float32], repeats: int, rows_of: Rows) -> None:
    rows = rows_of(logits)
    with pq.ParquetWriter(path, rows.schema) as writer:
        for _ in range(repeats):
            writer.write_table(rows, row_group_size=ROW_GROUP)


def write_npy(path: Path, logits: NDArray[np.float32], repeats: int, rows_of: Rows) -> None:
    np.save(path, np.tile(logits, (repeats, 1)))


WRITERS: dict[str, Callable[[Path, NDArray[np.float32], int, Rows], None]] = {
    ".csv": write_csv,
    ".parquet": write_parquet,
    ".npy": write_npy,
}


if __name__ == "__main__":
    main()
