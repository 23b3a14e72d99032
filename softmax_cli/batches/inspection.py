"""What ``inspect`` reports, as plain values: the same for a screen and for a program."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from softmax_cli.batches.evidence import Evidence, Finding
from softmax_cli.batches.findings import find_all
from softmax_cli.numeric.profile.rowfigures import BINS
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
    """Settle the report of a table."""
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
