"""Classes whose logits are on another scale than those of the others: a unit, a sign or a factor that slipped."""

from __future__ import annotations

import numpy as np

from softmax_cli.batches.evidence import NAMED, SCALE_RATIO, Evidence, Finding, counted


def find(evidence: Evidence) -> list[Finding]:
    """Compare the robust spread of every class with that of the median class."""
    ratio = evidence.relative_spread
    off = np.flatnonzero((ratio > SCALE_RATIO) | (ratio < 1 / SCALE_RATIO))
    if evidence.columns.kind != "logits" or len(ratio) < 3 or not len(off):
        return []
    usual = float(evidence.fences.scale[off[0]] / ratio[off[0]])
    off = off[np.argsort(-np.abs(np.log(ratio[off])), kind="stable")]
    told = ", ".join(f"{evidence.classes[i]} x{ratio[i]:.3g}" for i in off[:NAMED].tolist())
    more = f" and {len(off) - NAMED:,} more" if len(off) > NAMED else ""
    return [
        Finding(
            "class-on-another-scale",
            "problem",
            f"{counted(len(off), 'class')} spread unlike the others (median class: {usual:.3g}): {told}{more}",
            advice="softmax compares classes as they stand: see whether the columns have one unit; a vector "
            "calibration (softmax-cli calibrate --method vector) gives each class its own factor",
        )
    ]
