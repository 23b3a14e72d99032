"""What ``evaluate`` reports, as plain values: the same for a screen, a file and a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np

from softmax_cli.errors import listed
from softmax_cli.evaluation.gates import Gate, failures
from softmax_cli.evaluation.labelled import OF_A_PAIR, OF_ALL, LabelledScorer, Mistake
from softmax_cli.evaluation.measure import Measured
from softmax_cli.numeric.metrics import Limits, Parts, Plan, columns, definitions, metrics, within
from softmax_cli.numeric.metrics._bins import Bins, WidthBins, mass_bins
from softmax_cli.numeric.metrics._counts import ClassCounts, ConfidenceHistogram, Confusion
from softmax_cli.numeric.metrics._ranking import Ranking
from softmax_cli.version import __version__


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and what it is."""

    name: str
    """Stable, for gates and programs: ``top_5_accuracy``."""
    title: str
    value: float
    """nan: nothing is known, as of no rows."""
    interval: Limits | None
    """95 % bootstrap limits; None: none were drawn."""
    note: str
    """Unit, range, settings, what it rests on."""
    decides: bool = False
    """Whether it is one of the few that are looked at first."""
    diagram: str | None = None
    """The diagram that it sums up."""


FORMAT = 1
"""Version of the JSON report; a new one only where a program that reads the old one would go wrong."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of the reliability diagram, (lower, upper]; nan where it holds no row."""

    lower: float
    upper: float
    rows: int
    confidence: float
    """Mean probability of the predicted class."""
    accuracy: float
    """Share of rows that were right."""


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class; nan where nothing is known: precision of a class that is never predicted."""

    name: str
    support: int
    """Rows of the class."""
    predicted: int
    """Rows predicted as it."""
    hits: int
    """Rows of the class predicted as it."""
    precision: float
    recall: float
    f1: float
    metrics: Mapping[str, float | None]
    """What the metrics have to say of a class, by name; None: it was not measured."""

    @property
    def known(self) -> dict[str, float]:
        """The metrics that were measured."""
        return {name: value for name, value in self.metrics.items() if value is not None}

    def plain(self) -> dict[str, object]:
        """Return all of it by name, in order."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "metrics"}
        return own | dict(self.metrics)


@dataclass(frozen=True, slots=True)
class Point:
    """What would be left if only the surest predictions were given."""

    coverage: float
    """Share of rows answered."""
    threshold: float
    """Least confidence that is answered."""
    risk: float
    """Share of the answered rows that are wrong."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A cell of the confusion matrix that is not 0."""

    true: str
    predicted: str
    rows: int
    examples: tuple[str, ...] = ()
    """The rows of the surest mistakes; few, or none where very many pairs are confused."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows with one value in the column of slices."""

    name: str
    rows: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A labelled table, measured."""

    verdict: tuple[str, ...]
    """What the figures come to, in a few sentences; none where nothing was measured."""
    source: str
    columns: str
    """What was taken for what, in a line."""
    operations: tuple[str, ...]
    """What was done to the scores, in order."""
    rows: int
    """Rows that were measured."""
    bad_rows: int
    """Rows that were left out."""
    classes: int
    bins_by: str
    """``15 bins of equal width``."""
    bootstrap: int
    """Replicates behind the intervals."""
    seed: int
    figures: tuple[Figure, ...]
    bins: tuple[Bin, ...]
    histogram: tuple[tuple[int, int], ...]
    """(right, wrong) rows by confidence, in equal bins of [0, 1]."""
    risk_coverage: tuple[Point, ...]
    confusion: tuple[Pair, ...]
    per_class: tuple[ClassFigures, ...]
    by: str | None
    slices: tuple[Slice, ...]
    failed_gates: tuple[str, ...]
    titles: Mapping[str, str]
    """Title of every figure of a class, by its name."""
    mistakes: tuple[Mistake, ...] = ()
    """The surest of the wrong predictions."""
    curve: tuple[Point, ...] = ()
    """The points of `risk_coverage` and those between, for drawings."""

    def confused(self) -> list[Pair]:
        """List the pairs that are mistakes, the commonest first."""
        return sorted((pair for pair in self.confusion if pair.true != pair.predicted), key=lambda pair: -pair.rows)

    def summing_up(self, diagram: str) -> Figure:
        """Find the figure that sums a diagram up."""
        return next(figure for figure in self.figures if figure.diagram == diagram)

    def to_json(self) -> dict[str, object]:
        """Plain values, under the names of the fields."""
        plain = asdict(self)
        del plain["titles"], plain["curve"]
        plain["mistakes"] = [one._asdict() for one in self.mistakes]
        plain["figures"] = by_name(self.figures)
        plain["per_class"] = [one.plain() for one in self.per_class]
        plain["slices"] = [{"name": s.name, "rows": s.rows, "figures": by_name(s.figures)} for s in self.slices]
        head = {"format": FORMAT, "softmax_cli": __version__, "command": "evaluate"}
        return head | plain


def by_name(figures: Sequence[Figure]) -> dict[str, object]:
    """Figures as plain values."""
    return {
        f.name: {"title": f.title.strip(), "value": f.value, "interval": f.interval, "note": f.note} for f in figures
    }


def full_titles(figures: Sequence[Figure]) -> list[str]:
    """Titles that stand alone: an indented one comes after that of the figure that it belongs to."""
    found, above = [], ""
    for figure in figures:
        below = figure.title.startswith(" ")
        above = above if below else figure.title
        found.append(f"{above}: {figure.title.strip()}" if below and above else figure.title.strip())
    return found


COVERAGES = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Where the risk-coverage curve is reported."""
DRAWN_COVERAGES = (0.01, *(step / 50 for step in range(1, 48)), 0.95, *(step / 100 for step in range(96, 101)))
"""Where it is drawn."""


def build_report(
    source: str,
    scorer: LabelledScorer,
    plan: Plan,
    measured: Measured,
    bootstrap: Parts | None,
    read: int,
    gates: Iterable[Gate],
) -> Report:
    """Build the report of a table.

    Parameters
    ----------
    bootstrap : Parts or None
        Replicates of the bootstrap; None: there are none.
    read : int
        Rows that were read, the bad ones among them.
    """
    whole, table = measured.whole, scorer.transform.columns
    figures = _figures(plan, whole, bootstrap)
    ranking = whole[Ranking]
    mistakes = measured.mistakes.named(table.classes)
    per_class = _per_class(table.classes, plan, whole)
    return Report(
        verdict=_verdict(whole, per_class),
        source=source,
        columns=table.summary(),
        operations=tuple(scorer.transform.steps()),
        rows=measured.rows,
        bad_rows=read - measured.rows,
        classes=len(table.classes),
        bins_by=f"{plan.bins} bins of equal {plan.scheme}",
        bootstrap=plan.replicates,
        seed=plan.seed,
        figures=figures,
        bins=_bins(whole[WidthBins].bins if plan.scheme == "width" else mass_bins(ranking, plan.bins)),
        histogram=_histogram(whole[ConfidenceHistogram]),
        risk_coverage=_points(ranking, COVERAGES),
        curve=_points(ranking, DRAWN_COVERAGES),
        confusion=_pairs(whole[Confusion], table.classes, mistakes),
        per_class=per_class,
        by=scorer.by,
        slices=tuple(
            Slice(name, parts[ClassCounts].rows, _figures(plan, parts, None, in_slices=True))
            for name, parts in sorted(measured.slices.items())
        ),
        failed_gates=failures(gates, figures),
        titles={column.name: column.title for column in columns(plan)},
        mistakes=tuple(mistakes[:OF_ALL]),
    )


def _figures(plan: Plan, parts: Parts, bootstrap: Parts | None, in_slices: bool = False) -> tuple[Figure, ...]:
    found = []
    for one in definitions(plan, in_slices):
        limits = None
        if bootstrap is not None and one.interval is not None:
            limits = within(one.interval.limits(bootstrap, parts), one)
        found.append(Figure(one.name, one.title, one.value(parts), limits, one.note(parts), one.decides, one.diagram))
    return tuple(found)


def _verdict(parts: Parts, per_class: Sequence[ClassFigures]) -> tuple[str, ...]:
    """Say in a few sentences what the figures come to."""
    if not parts[ClassCounts].rows:
        return ()
    found = [sentence for metric in metrics() for sentence in metric.sentences(parts)]
    never = [one.name for one in per_class if one.support and not one.predicted]
    if never:
        verb = "is" if len(never) == 1 else "are"
        found.append(f"{len(never)} of {len(per_class)} classes {verb} never predicted: {listed(never, 3)}.")
    return tuple(found)


def _bins(bins: Bins) -> tuple[Bin, ...]:
    arrays = (bins.lower, bins.upper, bins.count, bins.confidence, bins.accuracy)
    return tuple(Bin(*row) for row in zip(*(array.tolist() for array in arrays), strict=True))


def _histogram(found: ConfidenceHistogram) -> tuple[tuple[int, int], ...]:
    return tuple(zip(found.right.tolist(), found.wrong.tolist(), strict=True))


def _points(ranking: Ranking, coverages: Sequence[float]) -> tuple[Point, ...]:
    if not ranking.rows:
        return ()
    curve = ranking.curve_at(coverages)
    found = zip(curve.coverage.tolist(), curve.threshold.tolist(), curve.risk.tolist(), strict=True)
    return tuple(Point(*one) for one in found)


def _pairs(confusion: Confusion, classes: tuple[str, ...], mistakes: Sequence[Mistake]) -> tuple[Pair, ...]:
    examples: dict[tuple[str, str], list[str]] = {}
    for one in mistakes:
        examples.setdefault((one.true, one.predicted), []).append(one.row)
    true, predicted = np.divmod(confusion.pairs, confusion.classes)
    rows = zip(true.tolist(), predicted.tolist(), confusion.counts.tolist(), strict=True)
    named = ((classes[t], classes[p], count) for t, p, count in rows)
    return tuple(Pair(t, p, count, tuple(examples.get((t, p), ())[:OF_A_PAIR])) for t, p, count in named)


MOST_SQUARE = 200
"""Classes of which the confusion matrix is written as a square; of more, a line for each pair that occurs."""


def confusion_table(report: Report) -> list[dict[str, object]]:
    """Return the confusion matrix as rows of a table."""
    names = [one.name for one in report.per_class]
    if len(names) > MOST_SQUARE:
        return [{"true": pair.true, "predicted": pair.predicted, "rows": pair.rows} for pair in report.confusion]
    first = "true"
    while first in names:
        first += "_"
    table: dict[str, dict[str, object]] = {true: {first: true} | dict.fromkeys(names, 0) for true in names}
    for pair in report.confusion:
        table[pair.true][pair.predicted] = pair.rows
    return list(table.values())


def _per_class(classes: tuple[str, ...], plan: Plan, parts: Parts) -> tuple[ClassFigures, ...]:
    counts = parts[ClassCounts]
    own = (counts.support, counts.predicted, counts.hits, counts.precision, counts.recall, counts.f1)
    found = {column.name: column.values(parts) for column in columns(plan)}
    lists = {name: [None] * len(classes) if values is None else values.tolist() for name, values in found.items()}
    more = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    rows = zip(classes, *(array.tolist() for array in own), more, strict=True)
    return tuple(ClassFigures(*row) for row in rows)
