"""Cells that are not there or not finite, and the rows that cannot be scored because of them."""

from __future__ import annotations

from softmax_cli.batches.evidence import Evidence, Finding, counted, share
from softmax_cli.numeric.profile.first import First


def find(evidence: Evidence) -> list[Finding]:
    """Name bad rows, missing cells and infinities."""
    profile = evidence.profile
    found = []
    if profile.bad.count:
        found.append(
            Finding(
                "bad-rows",
                "problem",
                f"{counted(profile.bad.count, 'row')} of {profile.rows:,} cannot be scored",
                tuple(evidence.spots[row].problem for row, _ in profile.bad.places),
                "mend them, or leave them out; --rejects FILE keeps them with their reasons",
                "--on-bad-row skip",
            )
        )
    found += _cells(evidence, profile.missing, "missing-cells", "missing or not a number")
    found += _cells(evidence, profile.above, "infinite-cells", "+inf (or too large for the type of the numbers)")
    if profile.masked.count:
        cells = profile.rows * len(evidence.classes)
        found.append(
            Finding(
                "masked-cells",
                "note",
                f"{counted(profile.masked.count, 'cell')} ({share(profile.masked.count, cells)}) of "
                f"{evidence.names((profile.cells.masked > 0).nonzero()[0].tolist())} "
                "mask their class: its p is exactly 0",
                evidence.cells(profile.masked.places),
            )
        )
    return found


def _cells(evidence: Evidence, first: First, code: str, what: str) -> list[Finding]:
    if not first.count:
        return []
    return [
        Finding(
            code,
            "problem",
            f"{counted(first.count, 'cell')} {'is' if first.count == 1 else 'are'} {what}",
            evidence.cells(first.places),
            "such values are never made up: the rows are bad until the cells are mended",
            "--on-bad-row skip",
        )
    ]
