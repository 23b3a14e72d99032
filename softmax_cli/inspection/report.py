"""What ``inspect`` reports, as plain values: the same for a screen and for a program."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.inspection.evidence import Evidence, Finding, scores_of, spot_of
from softmax_cli.inspection.findings import find_all, without
from softmax_cli.numeric.profile.outliers import cell_of
from softmax_cli.numeric.profile.row_figures import BINS, row_hashes
from softmax_cli.tables.table import Decoded
from softmax_cli.version import __version__

FORMAT = 1
"""Version of the JSON report; a new one only where a program that reads the old one would go wrong."""


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class, in the unit of the file's scores; None where there is no finite value."""

    name: str
    predicted: int
    """Rows that the class wins."""
    lowest: float | None
    median: float | None
    mean: float | None
    highest: float | None
    spread: float | None
    """Robust standard deviation (1.4826 MAD)."""
    missing: int
    infinite: int
    """``inf`` and ``-inf``."""
    outliers: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """A table, looked at."""

    source: str
    kind: str
    """How the scores are read: logits, prob, logprob."""
    dtype: str
    """What they would be computed in."""
    columns: str
    """What was taken for what, in a line."""
    id: str | None
    label: str | None
    other_columns: tuple[str, ...]
    rows: int
    scored: int
    outlier_limit: float
    quantile_error: float
    """Of a median: at most this share of its distance from the first rows' median, or 1/128 of their MAD."""
    confidence: tuple[int, ...]
    """Rows by the probability of the winner, in equal bins of [0, 1]."""
    entropy: tuple[int, ...]
    """Rows by entropy as a share of log(classes), in equal bins of [0, 1]."""
    classes: tuple[ClassFigures, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, object]:
        """Values that JSON has, under the names of the fields."""
        bins = [number / BINS for number in range(BINS + 1)]
        return {"format": FORMAT, "softmax_cli": __version__, **asdict(self), "bin_edges": bins}


def inspection(source: str, evidence: Evidence) -> Inspection:
    """Build the report of a table."""
    profile, columns = evidence.profile, evidence.columns
    return Inspection(
        source=source,
        kind=columns.kind,
        dtype=evidence.dtype,
        columns=columns.summary(),
        id=columns.id,
        label=columns.label,
        other_columns=tuple(name for name in columns.others if name not in (columns.id, columns.label)),
        rows=profile.rows,
        scored=profile.figures.scored,
        outlier_limit=evidence.limit,
        quantile_error=profile.values.grid.relative_error,
        confidence=tuple(profile.figures.confidence.tolist()),
        entropy=tuple(profile.figures.entropy.tolist()),
        classes=_classes(evidence),
        findings=tuple(find_all(evidence)),
    )


def _classes(evidence: Evidence) -> tuple[ClassFigures, ...]:
    profile, cells = evidence.profile, evidence.profile.cells
    outliers = np.add(*evidence.outside)
    median = np.clip(evidence.fences.median, cells.lowest, np.maximum(cells.lowest, cells.highest))
    mean = cells.mean
    spread = np.where(cells.constant, 0.0, evidence.fences.scale)
    return tuple(
        ClassFigures(
            name=name,
            predicted=int(profile.figures.predicted[i]),
            lowest=_finite(cells.lowest[i]),
            median=_finite(median[i]),
            mean=_finite(mean[i]),
            highest=_finite(cells.highest[i]),
            spread=_finite(spread[i]) if cells.finite[i] else None,
            missing=int(cells.missing[i]),
            infinite=int(cells.above[i] + cells.masked[i]),
            outliers=int(outliers[i]),
        )
        for i, name in enumerate(evidence.classes)
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


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
