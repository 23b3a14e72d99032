"""Rows that a report flags, each with its reasons: found on a second pass, when medians and repeats are known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.evidence import Evidence
from softmax_cli.batches.findings.outliers import without
from softmax_cli.batches.profile import scores_of, spot_of
from softmax_cli.batches.table import Decoded
from softmax_cli.numeric.profile.extremes import cell_of
from softmax_cli.numeric.profile.repeats import row_hashes


@dataclass(frozen=True, slots=True)
class Flag:
    """One reason for one row."""

    row: int
    """Within the batch."""
    where: str
    id: str
    reason: str
    class_name: str
    value: str
    detail: str


def flags_of(decoded: Decoded, evidence: Evidence) -> list[Flag]:
    """Every reason for every flagged row of a batch, in the order of the rows."""
    columns = evidence.columns
    scores = scores_of(decoded, columns, evidence.dtype)
    grid = evidence.profile.values.grid
    codes = grid.codes(scores.raw)
    outside = evidence.fences.outside(codes, grid.unfit)
    top = scores.z.max(axis=1, initial=-np.inf)
    bad = ~np.isfinite(top)
    flat = ~bad & (scores.z.min(axis=1, initial=np.inf) == top)
    repeated = ~bad & np.isin(row_hashes(scores.raw), evidence.profile.repeats.repeated, kind="sort")
    found: list[Flag] = []
    for row in np.flatnonzero(outside.any(axis=1) | bad | flat | repeated).tolist():
        spot = spot_of(decoded, row, columns, bool(bad[row]))
        marks = {"bad": bad[row], "flat": flat[row], "repeated": repeated[row]}
        found += [
            Flag(row, spot.where, spot.id or "", reason, "", "", spot.problem if reason == "bad" else "")
            for reason, is_so in marks.items()
            if is_so
        ]
        found += [
            Flag(row, spot.where, spot.id or "", "outlier", name, value, detail)
            for name, value, detail in _outliers(evidence, scores.z[row], codes[row], outside[row])
        ]
    return found


def _outliers(
    evidence: Evidence, z: NDArray[np.floating], codes: NDArray[np.uint16], outside: NDArray[np.bool_]
) -> Iterator[tuple[str, str, str]]:
    for position in np.flatnonzero(outside).tolist():
        cell = cell_of(z, 0, position, int(codes[position]), evidence.profile.values.grid)
        held = without(evidence, cell).partition(": ")[2]
        detail = f"robust z {evidence.robust_z(cell):+.4g}" + (f"; holds the row: {held}" if held else "")
        yield evidence.classes[position], f"{cell.value:.9g}", detail
