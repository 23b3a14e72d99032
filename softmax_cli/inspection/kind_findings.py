"""What is odd about the kind of scores: probabilities or percentages read as logits, sums that are not 1."""

from __future__ import annotations

from collections.abc import Iterator

from softmax_cli.errors import counted
from softmax_cli.inspection.evidence import Evidence, Finding, share

_MOST = 0.5
"""Share of rows from which a table as a whole is suspected."""


def find_columns(evidence: Evidence) -> Iterator[Finding]:
    """Name score columns that may be no classes."""
    for warning in evidence.columns.warnings:
        yield Finding("odd-column", "warning", warning, flag="--logits 'a,b,c'")


def find_kind(evidence: Evidence) -> Iterator[Finding]:
    """Compare what the rows look like with what they are read as."""
    columns, figures = evidence.columns, evidence.profile.figures
    if not figures.scored:
        return
    if columns.kind == "prob":
        problem = "do not lie in [0, 1] and sum to 1"
        yield from _sums(figures.scored, figures.like_probabilities, "probabilities", problem)
    elif columns.kind == "logprob":
        problem = "have exponentials that do not sum to 1"
        yield from _sums(figures.scored, figures.like_log_probabilities, "log-probabilities", problem)
    elif not columns.is_binary:
        yield from _as_logits(evidence)
    elif figures.within_unit == figures.scored and columns.kind_is_assumed:
        yield Finding(
            "probabilities-as-logits",
            "problem",
            f"every value of {columns.scores[0]} lies in [0, 1], as probabilities do, yet is read as a logit",
            advice="if it is a probability, say so",
            flag="--input prob",
        )


def _as_logits(evidence: Evidence) -> Iterator[Finding]:
    figures = evidence.profile.figures
    alike, scored = figures.like_probabilities, figures.scored
    if figures.like_percentages >= _MOST * scored:
        yield Finding(
            "percentages-as-logits",
            "problem",
            f"{figures.like_percentages:,} of {counted(scored, 'row')} lie in [0, 100] and sum to 100, but are "
            "read as logits",
            advice="a softmax of percentages makes nearly sure of every row: say what they are",
            flag="--input percent",
        )
    elif alike >= _MOST * scored:
        yield Finding(
            "probabilities-as-logits",
            "problem",
            f"{alike:,} of {counted(scored, 'row')} lie in [0, 1] and sum to 1, but are read as logits",
            advice="a softmax of probabilities is far too flat: say what they are",
            flag="--input prob",
        )
    elif alike:
        yield Finding(
            "some-probabilities",
            "warning",
            f"{counted(alike, 'row')} of {scored:,} ({share(alike, scored)}) look like probabilities among logits",
            advice="see whether two kinds of output were put into one file; predict takes all rows for one kind",
        )
    elif figures.like_log_probabilities >= _MOST * scored:
        yield Finding(
            "log-probabilities-as-logits",
            "note",
            f"{counted(figures.like_log_probabilities, 'row')} of {scored:,} look like log-probabilities (their "
            "exponentials sum to 1)",
            advice="softmax gives the same probabilities either way; saying it has values above 0 refused",
            flag="--input logprob",
        )


def _sums(scored: int, alike: int, what: str, problem: str) -> Iterator[Finding]:
    if alike < scored:
        yield Finding(
            "sums-off",
            "warning",
            f"{counted(scored - alike, 'row')} of {scored:,} read as {what} {problem} within their rounding",
            advice="predict renormalises such rows; if the scores are logits, say so",
            flag="--input logits",
        )
