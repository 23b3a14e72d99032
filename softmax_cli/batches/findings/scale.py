"""Classes whose logits are on another scale than those of the others: a unit, a sign or a factor that slipped."""

from __future__ import annotations

import numpy as np

from softmax_cli.batches.evidence import NAMED, Evidence, Finding, counted

RATIO = 4.0
"""Spread of a class against that of the median class. Real networks of 10 and 214 classes stay between 0.5 and 1.7."""


def find(evidence: Evidence) -> list[Finding]:
    """Compare the robust spread of every class with that of the median class."""
    spread = evidence.fences.scale
    known = (spread > 0) & evidence.judged & ~evidence.profile.cells.constant
    if evidence.columns.kind != "logits" or known.sum() < 3:
        return []
    usual = float(np.median(spread[known]))
    ratio = np.where(known, spread / usual, 1.0)
    off = np.flatnonzero((ratio > RATIO) | (ratio < 1 / RATIO))
    if not len(off):
        return []
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
