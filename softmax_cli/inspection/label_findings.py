"""What is odd about the truths of a table: missing ones, some that are no class, classes that never are the truth."""

from __future__ import annotations

import numpy as np

from softmax_cli.errors import counted
from softmax_cli.inspection.evidence import Evidence, Finding, share


def find_labels(evidence: Evidence) -> list[Finding]:
    """Name truths that cannot be used, and classes that are never true."""
    truths = evidence.truths
    if truths is None or not evidence.profile.rows:
        return []
    found = []
    if truths.trouble:
        found.append(Finding("labels-unreadable", "problem", truths.trouble, flag="--labels-from 1"))
    if truths.unknown:
        found.append(
            Finding(
                "labels-unknown",
                "problem",
                f"{counted(truths.unknown, 'row')} of {evidence.profile.rows:,} have a truth that is no class",
                truths.first_unknown,
                "mend them, or leave the rows out of evaluate and calibrate",
                "--on-bad-row skip",
            )
        )
    if truths.missing:
        found.append(
            Finding(
                "labels-missing",
                "warning",
                f"{counted(truths.missing, 'row')} of {evidence.profile.rows:,} have no truth",
                truths.first_missing,
                "evaluate and calibrate stop at them unless they are to be left out",
                "--on-bad-row skip",
            )
        )
    return found + _classes(evidence)


def _classes(evidence: Evidence) -> list[Finding]:
    assert evidence.truths is not None, "the caller has looked"
    true, predicted = evidence.truths.classes, evidence.profile.figures.predicted
    rows, scored = int(true.sum()), evidence.profile.figures.scored
    if not rows or evidence.truths.trouble:
        return []
    found = []
    often = np.flatnonzero((true == 0) & (predicted * len(true) >= max(scored, 1)))
    for position in often.tolist():
        name = evidence.classes[position]
        found.append(
            Finding(
                "predicted-and-never-true",
                "warning",
                f"{name} is predicted for {share(int(predicted[position]), scored)} of the rows and is never the truth",
                advice=f"is {name} a class? If not, name the class columns",
                flag="--logits 'a,b,c'",
            )
        )
    if len(never := np.flatnonzero(true == 0)):
        found.append(
            Finding(
                "classes-never-true",
                "note",
                f"{counted(len(never), 'class')} of {len(true):,} are the truth of no row: "
                f"{evidence.names(never.tolist())}",
                advice="figures of such classes, and averages over classes, leave them out",
            )
        )
    return found
