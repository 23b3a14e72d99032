"""What is odd about the kind of scores: probabilities or percentages read as logits, sums that are not 1."""

from __future__ import annotations

from softmax_cli.errors import counted
from softmax_cli.inspection.evidence import Evidence, Finding, share

_MOST = 0.5
"""Share of rows from which a table as a whole is suspected."""


def find_columns(evidence: Evidence) -> list[Finding]:
    """Name score columns that may be no classes."""
    warnings = evidence.columns.warnings
    return [Finding("odd-column", "warning", warning, flag="--logits 'a,b,c'") for warning in warnings]


def find_kind(evidence: Evidence) -> list[Finding]:
    """Compare what the rows look like with what they are read as."""
    if not evidence.profile.figures.scored:
        return []
    return _KINDS[evidence.columns.kind](evidence)


def _as_logits(evidence: Evidence) -> list[Finding]:
    figures = evidence.profile.figures
    alike, scored = figures.like_probabilities, figures.scored
    if evidence.columns.is_binary:
        return _lone_as_logit(evidence)
    if figures.like_percentages and figures.like_percentages >= _MOST * scored:
        return [
            Finding(
                "percentages-as-logits",
                "problem",
                f"{figures.like_percentages:,} of {counted(scored, 'row')} lie in [0, 100] and sum to 100, but are "
                "read as logits",
                advice="a softmax of percentages makes nearly sure of every row: say what they are",
                flag="--input percent",
            )
        ]
    if alike and alike >= _MOST * scored:
        return [
            Finding(
                "probabilities-as-logits",
                "problem",
                f"{alike:,} of {counted(scored, 'row')} lie in [0, 1] and sum to 1, but are read as logits",
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


def _lone_as_logit(evidence: Evidence) -> list[Finding]:
    figures = evidence.profile.figures
    if figures.within_unit < figures.scored or not evidence.columns.kind_is_assumed:
        return []
    return [
        Finding(
            "probabilities-as-logits",
            "problem",
            f"every value of {evidence.columns.scores[0]} lies in [0, 1], as probabilities do, yet is read as a logit",
            advice="if it is a probability, say so",
            flag="--input prob",
        )
    ]


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
            f"{counted(scored - alike, 'row')} of {scored:,} read as {what} {problem} within their rounding",
            advice="predict renormalises such rows; if the scores are logits, say so",
            flag="--input logits",
        )
    ]


_KINDS = {"logits": _as_logits, "prob": _as_probabilities, "logprob": _as_log_probabilities}
