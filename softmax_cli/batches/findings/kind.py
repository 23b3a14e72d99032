"""Scores that are taken for what they are not: probabilities for logits, log-probabilities for logits, and back."""

from __future__ import annotations

from softmax_cli.batches.evidence import Evidence, Finding, counted, share

_MOST = 0.5
"""Share of rows from which a table as a whole is suspected."""


def find(evidence: Evidence) -> list[Finding]:
    """Compare what the rows look like with what they are read as."""
    if not evidence.profile.figures.scored:
        return []
    return _KINDS[evidence.columns.kind](evidence)


def _as_logits(evidence: Evidence) -> list[Finding]:
    figures = evidence.profile.figures
    alike, scored = figures.like_probabilities, figures.scored
    if alike and alike >= _MOST * scored:
        return [
            Finding(
                "probabilities-as-logits",
                "problem",
                f"{counted(alike, 'row')} of {scored:,} lie in [0, 1] and sum to 1, yet are read as logits",
                advice="a softmax of probabilities is far too flat: say what they are",
                flag="--input prob",
            )
        ]
    if alike:
        return [
            Finding(
                "some-probabilities",
                "warning",
                f"{counted(alike, 'row')} of {scored:,} ({share(alike, scored)}) look like probabilities among logits",
                advice="see whether two kinds of output were put into one file; predict takes all rows for one kind",
            )
        ]
    alike = figures.like_log_probabilities
    if alike >= _MOST * scored:
        return [
            Finding(
                "log-probabilities-as-logits",
                "note",
                f"{counted(alike, 'row')} of {scored:,} look like log-probabilities (their exponentials sum to 1)",
                advice="softmax gives the same probabilities either way; saying it has values above 0 refused",
                flag="--input logprob",
            )
        ]
    return []


def _as_probabilities(evidence: Evidence) -> list[Finding]:
    return _sums(
        evidence, evidence.profile.figures.like_probabilities, "probabilities", "do not lie in [0, 1] and sum to 1"
    )


def _as_log_probabilities(evidence: Evidence) -> list[Finding]:
    alike = evidence.profile.figures.like_log_probabilities
    return _sums(evidence, alike, "log-probabilities", "have exponentials that do not sum to 1")


def _sums(evidence: Evidence, alike: int, what: str, problem: str) -> list[Finding]:
    scored = evidence.profile.figures.scored
    if alike == scored:
        return []
    return [
        Finding(
            "sums-off",
            "warning",
            f"{counted(scored - alike, 'row')} of {scored:,} read as {what} {problem} within 0.001",
            advice="predict renormalises such rows; if the scores are logits, say so",
            flag="--input logits",
        )
    ]


_KINDS = {"logits": _as_logits, "prob": _as_probabilities, "logprob": _as_log_probabilities}
