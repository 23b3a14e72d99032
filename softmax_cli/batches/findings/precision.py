"""What the number of bits does to the result: confidence of exactly 1, and logits that float16 cannot hold."""

from __future__ import annotations

from softmax_cli.batches.evidence import Evidence, Finding, counted, share
from softmax_cli.numeric.profile.cells import FLOAT16_MAX

_MANY = 0.5
"""Share of rows from which saturation is more than worth knowing."""


def find(evidence: Evidence) -> list[Finding]:
    """Count saturated rows in the precision that the table is scored in, and cells beyond float16."""
    figures, cells = evidence.profile.figures, evidence.profile.cells
    found = []
    narrow = evidence.dtype == "float32"
    count = figures.saturated32 if narrow else figures.saturated64
    if count:
        better = f"; in float64 {figures.saturated64:,}" if narrow else ""
        found.append(
            Finding(
                "saturated-rows",
                "warning" if count > _MANY * figures.scored else "note",
                f"{counted(count, 'row')} ({share(count, figures.scored)}) have a confidence of exactly 1 "
                f"in {evidence.dtype}{better}",
                advice="such rows cannot be ranked by confidence"
                + ("; score in float64, or fit" if narrow else ": fit")
                + " a temperature (softmax-cli calibrate, then -T)",
                flag="--dtype float64" if narrow and figures.saturated64 < count else "-T",
            )
        )
    if overflowing := int(cells.overflowing.sum()):
        found.append(
            Finding(
                "float16-overflow",
                "note",
                f"{counted(overflowing, 'cell')} of {evidence.names(cells.overflowing.nonzero()[0].tolist())} "
                f"lie beyond {FLOAT16_MAX:,.0f}, the largest float16",
                advice="stored as float16 they would become infinite and their rows bad: keep float32",
            )
        )
    return found
