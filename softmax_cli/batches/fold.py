"""The evidence of a table grows batch by batch, in order, and the places of wanted rows are found as they pass by."""

from __future__ import annotations

from softmax_cli.batches.evidence import Evidence
from softmax_cli.batches.profile import Inspector, spot_of
from softmax_cli.batches.table import Decoded
from softmax_cli.numeric.profile.profile import Profile


def no_evidence(inspector: Inspector) -> Evidence:
    """Return where the evidence of what an inspector looks at begins."""
    return Evidence.none(inspector.columns, inspector.dtype, inspector.limit, inspector.ruler)


def with_batch(evidence: Evidence, decoded: Decoded, profile: Profile) -> Evidence:
    """Add the rows of one batch, which follow."""
    bad = {row for row, _ in profile.bad.places}
    return evidence.followed_by(profile, lambda row: spot_of(decoded, row, evidence.columns, row in bad))
