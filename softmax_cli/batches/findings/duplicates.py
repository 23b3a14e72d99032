"""Rows and columns that say the same twice, or nothing at all."""

from __future__ import annotations

import numpy as np

from softmax_cli.batches.evidence import Evidence, Finding, counted, share


def find(evidence: Evidence) -> list[Finding]:
    """Name repeated rows, repeated columns, constant columns and rows without a preference."""
    return [*_rows(evidence), *_columns(evidence), *_constant(evidence), *_flat(evidence)]


def _rows(evidence: Evidence) -> list[Finding]:
    repeats, rows = evidence.profile.repeats, evidence.profile.rows
    if not repeats.extra:
        return []
    about = "" if repeats.exact else "about "
    return [
        Finding(
            "duplicate-rows",
            "warning",
            f"{about}{counted(repeats.extra, 'row')} ({share(repeats.extra, rows)}) repeat the scores of an earlier "
            f"row to the last bit ({about}{counted(repeats.groups, 'different row')} occur more than once)",
            tuple(f"data row {row + 1:,} stands {count:,} times" for row, count in repeats.commonest(3)),
            "see whether files were joined twice; metrics and calibration would count such examples more than once",
        )
    ]


def _columns(evidence: Evidence) -> list[Finding]:
    twins = evidence.profile.twins
    known = evidence.profile.cells.finite > 0
    pairs = [(int(first), i) for i, first in enumerate(twins) if first != i and known[i]]
    if evidence.profile.rows < 2 or not pairs:
        return []
    told = tuple(f"{evidence.classes[i]} = {evidence.classes[first]}" for first, i in pairs[:5])
    return [
        Finding(
            "duplicate-columns",
            "problem",
            f"{counted(len(pairs), 'class')} equal another class in every row: {', '.join(told[:3])}",
            told,
            "two classes that always tie share one probability; leave a column out by naming the others",
            "--logits 'a,b,c'",
        )
    ]


def _constant(evidence: Evidence) -> list[Finding]:
    same = np.flatnonzero(evidence.profile.cells.constant & evidence.judged)
    if evidence.profile.rows < 2 or not len(same):
        return []
    told = tuple(f"{evidence.classes[i]} = {evidence.profile.cells.lowest[i]:.6g}" for i in same[:5].tolist())
    return [
        Finding(
            "constant-columns",
            "warning",
            f"{counted(len(same), 'class')} hold one number in every row: {evidence.names(same.tolist())}",
            told,
            "see whether the column is a score at all; name the score columns to leave it out",
            "--logits 'a,b,c'",
        )
    ]


def _flat(evidence: Evidence) -> list[Finding]:
    flat = evidence.profile.flat
    if not flat.count:
        return []
    return [
        Finding(
            "flat-rows",
            "warning",
            f"{counted(flat.count, 'row')} ({share(flat.count, evidence.profile.rows)}) "
            "give every class the same score",
            evidence.cells(flat.places),
            "their prediction is the first class by order alone; see whether the model has failed on them",
        )
    ]
