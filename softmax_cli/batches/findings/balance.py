"""Which classes are predicted, and which never."""

from __future__ import annotations

import numpy as np

from softmax_cli.batches.evidence import Evidence, Finding, counted, share

_MOST = 0.9
"""Share of rows from which one class is said to take them all."""
_EXPECTED = 20
"""Rows per class that there must be before an absent class says anything."""


def find(evidence: Evidence) -> list[Finding]:
    """Name a class that wins nearly always, and classes that never win."""
    counts, scored = evidence.profile.figures.predicted, evidence.profile.figures.scored
    if scored < _EXPECTED * len(counts):
        return []
    found = []
    best = int(counts.argmax())
    if counts[best] > _MOST * scored:
        found.append(
            Finding(
                "one-class-predicted",
                "warning",
                f"{evidence.classes[best]} is predicted for {share(int(counts[best]), scored)} "
                f"of {counted(scored, 'row')}",
                advice="if training data were imbalanced and these rows are not, correct for the priors "
                "(with --target-prior uniform)",
                flag="--source-prior FILE",
            )
        )
    if len(never := np.flatnonzero(counts == 0)):
        found.append(
            Finding(
                "classes-never-predicted",
                "note",
                f"{counted(len(never), 'class')} of {len(counts):,} win no row: {evidence.names(never.tolist())}",
                advice="a rare class can be raised by priors or weights (-w)",
                flag="--source-prior FILE",
            )
        )
    return found
