"""Tables of the same rows compared with the first of them: how alike they are and, with truths, which is better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.evaluation.gates import Gate, failures
from softmax_cli.evaluation.pairs.run import Comparison
from softmax_cli.evaluation.report import FORMAT, Figure, by_name
from softmax_cli.numeric.bootstrap import interval
from softmax_cli.numeric.distributions.comparison import Flips, Predictions, Similarity
from softmax_cli.numeric.metrics import Parts, Plan, compared
from softmax_cli.numeric.metrics._counts import ClassCounts
from softmax_cli.numeric.metrics._replicates import BinReplicates, MeanReplicates
from softmax_cli.prediction.members.joining import Members
from softmax_cli.version import __version__

COMMAND = "compare"
SHARES = (0.5, 0.9, 0.99, 0.999)
"""Quantiles of the largest change of a probability in a row."""


USUAL_PLAN = Plan(top_k=())


class ClassChange(NamedTuple):
    """One class; nan where nothing is known: the recall of a class that is never the truth."""

    name: str
    first_predicted: int
    """Rows that the first predicts as it."""
    second_predicted: int
    support: int
    """Rows whose truth it is."""
    first_recall: float
    """Share of these that the first predicts as it."""
    second_recall: float


class ClassFlip(NamedTuple):
    """A change of the prediction, from the class that the first predicts to the one that the second predicts."""

    first: str
    second: str
    rows: int


class ConfidenceCell(NamedTuple):
    """Rows of which both are about as sure."""

    kind: int
    """What becomes of the prediction: `SAME`, `FLIPPED`, `FIRST_RIGHT` or `SECOND_RIGHT`."""
    first: int
    """Bin of the first confidence, of `CONFIDENCE_BINS`."""
    second: int
    rows: int


class PairReport(NamedTuple):
    """A table beside the first."""

    second: str
    verdict: tuple[str, ...]
    """What the figures come to, in plain words."""
    figures: tuple[Figure, ...]
    classes: tuple[ClassChange, ...]
    flips: tuple[ClassFlip, ...]
    """The commonest first."""
    confidences: tuple[ConfidenceCell, ...]
    """Those that hold rows; for drawings."""

    def named(self, name: str) -> Figure:
        """Find a figure."""
        return next(figure for figure in self.figures if figure.name == name)


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """What ``compare`` reports, as plain values."""

    files: tuple[str, ...]
    joined_by: str
    """id or position."""
    rows: int
    left_out: int
    labelled: int
    """Rows with a truth."""
    bootstrap: int
    seed: int
    members: tuple[tuple[Figure, ...], ...]
    """Figures of each table, where there are truths."""
    pairs: tuple[PairReport, ...]
    failed_gates: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Plain values, under the names of the fields."""
        head = {"format": FORMAT, "softmax_cli": __version__, "command": COMMAND}
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain["members"] = [
            {"file": file, "figures": by_name(figures)} for file, figures in zip(self.files, self.members, strict=False)
        ]
        plain["pairs"] = [
            {
                "first": self.files[0],
                "second": one.second,
                "verdict": one.verdict,
                "figures": by_name(one.figures),
                "classes": [change._asdict() for change in one.classes],
                "flips_by_class": [flip._asdict() for flip in one.flips],
            }
            for one in self.pairs
        ]
        return head | plain


def build_comparison(members: Members, plan: Plan, found: Comparison, gates: Iterable[Gate]) -> ComparisonReport:
    """Build the report."""
    pairs = []
    for place, similarity in enumerate(found.pairs):
        figures = [*_alike(similarity), *(_differences(plan, found, place) if found.measured else ())]
        first, second = members.names[0], members.names[place + 1]
        verdict = _verdict(plan, first, second, similarity, figures, found.flips[place : place + 1])
        predictions = found.predictions[place]
        changes = tuple(_class_changes(members.classes, predictions, found.measured[:1] + found.measured[place + 1 :]))
        flips = tuple(_class_flips(members.classes, predictions))
        pairs.append(PairReport(second, verdict, tuple(figures), changes, flips, tuple(_cells(predictions))))
    gates = [*gates]
    return ComparisonReport(
        files=tuple(members.names),
        joined_by="id" if members.by_id else "position",
        rows=found.pairs[0].rows,
        left_out=found.read - found.pairs[0].rows,
        labelled=found.labelled,
        bootstrap=plan.replicates if found.measured else 0,
        seed=plan.seed,
        members=tuple(figures_of_member(plan, parts) for parts in found.measured),
        pairs=tuple(pairs),
        failed_gates=tuple(
            f"{pair.second}: {reason}" if len(pairs) > 1 else reason
            for pair in pairs
            for reason in failures(gates, pair.figures)
        ),
    )


def _class_changes(
    classes: Sequence[str], predictions: Predictions, measured: Sequence[Parts]
) -> Iterator[ClassChange]:
    """Describe every class; `measured` are the first table and the other, or nothing where there are no truths."""
    support, recalls = np.zeros(len(classes), np.int64), [np.full(len(classes), nan)] * 2
    if measured:
        support, recalls = measured[0][ClassCounts].support, [one[ClassCounts].recall for one in measured[:2]]
    rows = zip(*(array.tolist() for array in (*predictions.counts, support, *recalls)), strict=True)
    for name, row in zip(classes, rows, strict=True):
        yield ClassChange(name, *row)


def _class_flips(classes: Sequence[str], predictions: Predictions) -> Iterator[ClassFlip]:
    first, second = np.divmod(predictions.pairs.pairs, len(classes))
    counts = predictions.pairs.counts
    for place in np.argsort(-counts, kind="stable").tolist():
        if first[place] != second[place]:
            yield ClassFlip(classes[first[place]], classes[second[place]], int(counts[place]))


def _cells(predictions: Predictions) -> Iterator[ConfidenceCell]:
    held = np.nonzero(predictions.confidences)
    for row in zip(*(array.tolist() for array in (*held, predictions.confidences[held])), strict=True):
        yield ConfidenceCell(*row)


def gate_names(plan: Plan = USUAL_PLAN, has_truth: bool = True) -> list[str]:
    """Name the figures of a pair."""
    nothing = np.empty((0, 2))
    names = [figure.name for figure in _alike(Similarity.of(nothing, nothing))]
    differences = [f"{one.name}_difference" for one in compared(plan)]
    return names + ([*differences, "mcnemar_p"] if has_truth else [])


def figures_of_member(plan: Plan, parts: Parts) -> tuple[Figure, ...]:
    """The figures of one table that it is compared by."""
    return tuple(Figure(one.name, one.title, one.value(parts), None, one.note(parts)) for one in compared(plan))


def _alike(pair: Similarity) -> Iterator[Figure]:
    def figure(name: str, title: str, value: float, note: str) -> Figure:
        return Figure(name, title, value, None, note)

    yield figure("agreement", "agreement", pair.agreement, "share of rows with the same prediction")
    yield figure("flips", "flips", pair.rows - pair.agreeing, "rows whose prediction changes")
    ruled_out = [f"; infinite in {count:,} rows, where a class is ruled out" * (count > 0) for count in pair.infinite]
    yield figure("kl", "KL", pair.mean_kl[0], f"KL(first || second), mean of the rows, nats{ruled_out[0]}")
    yield figure("kl_reverse", "  reverse", pair.mean_kl[1], f"KL(second || first){ruled_out[1]}")
    yield figure("js", "JS", pair.mean_js, "Jensen-Shannon divergence, mean, nats, 0..0.693")
    yield figure("total_variation", "total variation", pair.mean_variation, "mean, 0..1")
    yield figure("max_dp", "max |dp|", pair.largest, "the largest change of any probability")
    for share in SHARES:
        name = f"dp_{share * 100:g}".replace(".", "_")
        yield figure(name, f"  {share:.1%} of rows", pair.quantile(share), "change no probability by more")
    yield figure("logit_correlation", "logit correlation", pair.correlation, "whatever the scale, and each row's shift")
    yield figure("logit_scale", "  scale", pair.scale, "second = scale * first; 0.5: twice the temperature")


def _differences(plan: Plan, found: Comparison, place: int) -> Iterator[Figure]:
    """Each figure of the second table less that of the first, with limits from replicates of the same rows."""
    for one in compared(plan):
        first, second = found.measured[0], found.measured[place + 1]
        limits = None
        if found.draws and one.interval is not None:
            kind = one.interval.replicates
            gaps = _replicates(found.draws[place + 1][kind]) - _replicates(found.draws[0][kind])
            limits = interval(gaps)
        title = f"{one.title} gap"
        values = one.value(first), one.value(second)
        note = "" if isnan(values[0]) else f"{values[1]:.5f} less {values[0]:.5f}"
        yield Figure(f"{one.name}_difference", title, values[1] - values[0], limits, note)
    flips = found.flips[place]
    note = f"only first right: {flips.only_first:,} rows, only second: {flips.only_second:,}"
    yield Figure("mcnemar_p", "McNemar p", flips.p_value, None, note)


def _replicates(part: object) -> NDArray[np.float64]:
    if isinstance(part, BinReplicates):
        return part.replicates()
    assert isinstance(part, MeanReplicates), "figures that are compared are means, or made of bins"
    return part.replicates


def _verdict(
    plan: Plan, first: str, second: str, pair: Similarity, figures: Sequence[Figure], flips: Sequence[Flips]
) -> tuple[str, ...]:
    if not pair.rows:
        return ()
    changed = pair.rows - pair.agreeing
    found = [f"{changed:,} of {pair.rows:,} rows ({changed / pair.rows:.2%}) change their prediction."]
    if pair.correlation > 1 - 1e-6 and abs(pair.scale - 1) > 1e-3:
        found.append(f"{second} is {first} at {1 / pair.scale:.4g} times the temperature.")
    better = {f"{one.name}_difference": one.more_is_better for one in compared(plan)}
    found += [
        _sentence(first, second, figure, better[figure.name])
        for figure in figures
        if figure.name in better and figure.interval is not None
    ]
    for one in flips:
        only = one.only_first + one.only_second
        if only:
            found.append(
                f"Of {only:,} rows that only one gets right, {second} gets {one.only_second:,}; were both equally "
                f"good, chance would part them so far in {_odds(one.p_value)} (McNemar)."
            )
    return tuple(found)


def _sentence(first: str, second: str, figure: Figure, more_is_better: bool) -> str:
    low, high = figure.interval or (nan, nan)
    title = figure.title.removesuffix(" gap")
    limits = f"{figure.value:+.5f}, 95 %: {low:+.5f} to {high:+.5f}"
    if low <= 0 <= high or low != low:
        return f"{title}: the same but for chance ({limits})."
    better = second if (figure.value > 0) == more_is_better else first
    return f"{title}: {better} is better ({limits})."


def _odds(p: float) -> str:
    if p >= 0.01:
        return f"{p:.0%} of such tables"
    return f"1 of {1 / p:,.0f} such tables" if p > 1e-9 else "fewer than 1 of 1,000,000,000 such tables"
