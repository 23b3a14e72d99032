"""Check that two outputs agree: ``python -m tests.benchmarks.agreement OURS THEIRS RTOL``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

IDS = ("id", "name")
OUR_EXTRAS = ("prediction", "confidence")
TINY = 1e-30
"""Below this a float32 loses digits, and programs may round to 0 or not."""


def main() -> None:
    ours, theirs = Path(sys.argv[1]), Path(sys.argv[2])
    our_ids, our_probabilities = read(ours)
    their_ids, their_probabilities = read(theirs)
    if our_ids != their_ids:
        sys.exit(f"{theirs.name}: ids or names are not those of {ours.name}")
    np.testing.assert_allclose(
        their_probabilities, our_probabilities, rtol=float(sys.argv[3]), atol=TINY, err_msg=f"{theirs.name}"
    )


def read(path: Path) -> tuple[list[pa.ChunkedArray], NDArray[np.floating]]:
    """Return ids and names, and the probabilities, shape (rows, classes)."""
    if path.suffix == ".npy":
        return [], np.load(path)
    table = pc.read_csv(path) if path.suffix == ".csv" else pq.read_table(path)
    scores = [name for name in table.column_names if name not in (*IDS, *OUR_EXTRAS)]
    ids = [table[name].cast("string") for name in IDS]
    return ids, np.stack([table[name].to_numpy() for name in scores], axis=1)


if __name__ == "__main__":
    main()
