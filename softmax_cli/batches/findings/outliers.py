"""Logits far beyond what is usual in their class, and rows that such a cell decides alone."""

from __future__ import annotations

import math

import numpy as np

from softmax_cli.batches.evidence import SCALE_RATIO, Evidence, Finding, counted, share
from softmax_cli.numeric.profile.extremes import Extreme

SURE = 0.999
"""Probability from which one cell is said to hold the whole row."""
_NAMED = 5


def find(evidence: Evidence) -> list[Finding]:
    """Name outlying cells, and what p would be without those that decide their rows."""
    under, over = evidence.outside
    total = int((under + over).sum())
    if not total:
        return []
    cells = int(evidence.profile.cells.finite.sum())
    hit = np.argsort(-(under + over), kind="stable")[: int(((under + over) > 0).sum())].tolist()
    named = evidence.outliers[:_NAMED]
    how = "clip the logits (or --winsorize Q)" + ("; --rows-out FILE names every one" if len(named) < total else "")
    found = [
        Finding(
            "outlier-cells",
            "warning" if over.any() else "note",  # one far under the others only makes its class a little less likely
            f"{counted(total, 'cell')} ({share(total, cells)}) in {counted(len(hit), 'class')} "
            f"({evidence.names(hit)}) beyond {evidence.limit:g} robust deviations",
            tuple(_cell(evidence, one) for one in named),
            f"see where they come from; to score with them, {how}",
            f"--clip-logits={_bounds(evidence)}",
        )
    ]
    held = [told for one in evidence.outliers if (told := without(evidence, one))]
    if held:
        found.append(
            Finding(
                "rows-held-by-an-outlier",
                "problem",
                f"{counted(len(held), 'row')} with over {SURE:.1%} of the mass on a class only because of such a cell",
                tuple(held[:_NAMED]),
                "without it: the cell put at the median of its class; clipping bounds what one cell can do",
                f"--clip-logits={_bounds(evidence)}",
            )
        )
    return found


def without(evidence: Evidence, cell: Extreme) -> str:
    """Say what p would be with the cell at the median of its class; "" where the cell does not decide its row alone."""
    if not cell.share > SURE:
        return ""
    winner, p = cell.without(float(evidence.fences.median[cell.position]))
    if winner == cell.position and p > SURE:
        return ""
    name, other = evidence.classes[cell.position], evidence.classes[winner]
    return f"{evidence.spot(cell.row)}: {name} {_above(cell.share)}; without it {other} {p:.3f}"


def _above(p: float) -> str:
    return "1.000" if p == 1 else f"{min(p, 0.9999):.4f}"


def _cell(evidence: Evidence, cell: Extreme) -> str:
    position = cell.position
    return (
        f"{evidence.spot(cell.row)}: {evidence.classes[position]} = {cell.value:.6g} "
        f"(median {evidence.fences.median[position]:.3g}, robust z {evidence.robust_z(cell):+.3g})"
    )


def _bounds(evidence: Evidence) -> str:
    """Bounds that the cells within their own fences are within, rounded outwards; classes on another scale aside."""
    grid, fences = evidence.profile.values.grid, evidence.fences
    edges = grid.edges()
    ratio = evidence.relative_spread
    usual = (fences.high < grid.bins) & (ratio <= SCALE_RATIO) & (ratio >= 1 / SCALE_RATIO)
    low = grid.centre + grid.spread * edges[fences.low.clip(1)]
    high = grid.centre + grid.spread * edges[(fences.high + 1).clip(0, grid.bins - 1)]
    return f"{math.floor(low[usual].min())},{math.ceil(high[usual].max())}"
