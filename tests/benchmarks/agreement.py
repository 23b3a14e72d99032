"""Check that two outputs agree: ``python -m tests.benchmarks.agreement OURS THEIRS RTOL``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

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
    if theirs.suffix == ".json":
        compare_figures(json.loads(ours.read_text()), json.loads(theirs.read_text()), float(sys.argv[3]))
        return
    our_ids, our_probabilities = read(ours)
    their_ids, their_probabilities = read(theirs)
    if our_ids != their_ids:
        sys.exit(f"{theirs.name}: ids or names are not those of {ours.name}")
    np.testing.assert_allclose(
        their_probabilities, our_probabilities, rtol=float(sys.argv[3]), atol=TINY, err_msg=f"{theirs.name}"
    )


def compare_figures(ours: dict[str, Any], theirs: dict[str, Any], rtol: float) -> None:
    """Compare the figures that both have: those of an evaluation, or a fitted temperature."""
    known, others = named_figures(ours), named_figures(theirs)
    for name in known.keys() & others.keys():
        np.testing.assert_allclose(others[name], known[name], rtol=rtol, err_msg=name)
    if not known.keys() & others.keys():
        sys.exit("no figure is in both")


def named_figures(report: dict[str, Any]) -> dict[str, float]:
    """Return the figures by name, of our reports or of a peer's."""
    if "figures" in report:
        return {name: one["value"] for name, one in report["figures"].items() if one["value"] is not None}
    found: dict[str, float] = report.get("parameters", report)
    return found


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
