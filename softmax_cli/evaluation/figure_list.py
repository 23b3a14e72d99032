"""What a report tells of some rows: one entry a figure, with its name, its title and what has to be said beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from softmax_cli.evaluation.gates import Gate, failures
from softmax_cli.evaluation.labelled import LabelledScorer
from softmax_cli.evaluation.measure import Bootstrap, Limits, Measured, Parts, Plan
from softmax_cli.evaluation.report import Bin, ClassFigures, Figure, Pair, Point, Report, Slice
from softmax_cli.numeric.metrics._confidence import Bins
from softmax_cli.numeric.metrics.auroc import Auroc
from softmax_cli.numeric.metrics.confusion import Confusion
from softmax_cli.numeric.metrics.ece import mass_bins
from softmax_cli.numeric.metrics.risk_coverage import RiskCoverage

_GAPS = {"l1": "mean gap", "l2": "root mean square gap", "max": "largest gap"}


@dataclass(frozen=True, slots=True)
class Entry:
    """How to get one figure out of the parts."""

    name: str
    """Stable, for gates and programs."""
    title: str
    value: Callable[[Parts], float]
    note: Callable[[Parts], str]
    """Unit, range, settings, what the figure rests on."""


def entries(plan: Plan) -> tuple[Entry, ...]:
    """List the figures of a plan in the order in which they are reported."""
    return (*_rates(plan), *_scores(plan), *_calibration(plan), *_selection(plan))


def _says(text: str) -> Callable[[Parts], str]:
    return lambda parts: text


def _rates(plan: Plan) -> Iterator[Entry]:
    yield Entry("accuracy", "accuracy", lambda parts: parts.accuracy.value, _says("share of rows"))
    yield Entry("error", "error rate", _error_rate, _says("1 - accuracy"))
    for place, k in enumerate(plan.top_k):
        yield Entry(
            f"top_{k}_accuracy",
            f"top-{k} accuracy",
            lambda parts, place=place: parts.top_k[place].value,  # type: ignore[misc]
            lambda parts, place=place: _ties(parts.top_k[place].bounds),  # type: ignore[misc]
        )
    yield Entry(
        "balanced_accuracy",
        "balanced accuracy",
        lambda parts: parts.balanced.value,
        lambda parts: f"mean recall of the {int((parts.balanced.support > 0).sum()):,} classes that occur",
    )
    yield Entry(
        "macro_f1", "macro F1", lambda parts: parts.balanced.macro_f1, _says("classes that occur or were predicted")
    )


def _error_rate(parts: Parts) -> float:
    rows = parts.accuracy.rows
    return (rows - parts.accuracy.correct) / rows if rows else nan


def _ties(bounds: tuple[float, float]) -> str:
    low, high = bounds
    return "no tie matters" if not low < high else f"ties leave open {low:.6g} to {high:.6g}"


def _scores(plan: Plan) -> Iterator[Entry]:
    clipped = "" if plan.clip is None else f", p clipped to [{plan.clip:g}, 1 - {plan.clip:g}]"
    yield Entry("log_loss", "log loss", lambda parts: parts.log_loss.value, lambda parts: _impossible(parts) + clipped)
    yield Entry(
        "refinement",
        "  refinement",
        lambda parts: parts.refinement.value,
        lambda parts: f"nats left at the best T, {parts.refinement.temperature:.3g} (here, in hindsight)",
    )
    yield Entry(
        "calibration_loss",
        "  calibration",
        lambda parts: parts.refinement.calibration,
        _says("nats that this T takes off"),
    )
    yield Entry("brier", "Brier score", lambda parts: parts.brier.value, _says("sum over classes, 0..2"))


def _impossible(parts: Parts) -> str:
    count = parts.log_loss.impossible
    return "nats" if not count else f"nats; {count:,} rows have p = 0 on the truth (--clip EPS bounds them)"


def _calibration(plan: Plan) -> Iterator[Entry]:
    asked = f"{plan.kind}, {plan.bins} bins of equal {plan.scheme}, {_GAPS[plan.norm]}"
    yield Entry(
        "ece",
        "ECE",
        lambda parts: calibration_error(plan, parts, plan.norm),
        lambda parts: f"{asked}, {parts.accuracy.rows:,} rows",
    )
    for name, title, norm in (("mce", "MCE", "max"), ("rmsce", "RMSCE", "l2")):
        yield Entry(
            name,
            title,
            lambda parts, norm=norm: calibration_error(plan, parts, norm),  # type: ignore[misc]
            _says(f"{_GAPS[norm]} of these bins"),
        )
    yield Entry(
        "mass_ece",
        "adaptive ECE",
        lambda parts: mass_bins(parts.ranking, plan.bins).error(),
        _says(f"top-label, {plan.bins} bins of equal mass, mean gap"),
    )
    yield Entry(
        "classwise_ece",
        "classwise ECE",
        lambda parts: parts.classwise.value,
        _says(f"mean over classes, {plan.bins} bins of equal width"),
    )
    yield Entry("smooth_ece", "smooth ECE", lambda parts: parts.smooth.value, _says("top-label, needs no bins"))
    yield Entry("mean_confidence", "mean confidence", _mean_confidence, _says("compare with accuracy"))


def calibration_error(plan: Plan, parts: Parts, norm: str) -> float:
    """Return the calibration error in the bins that were asked for."""
    if plan.kind == "classwise":
        chosen = parts.classwise_mass if parts.classwise_mass is not None else parts.classwise
        return chosen.error(norm)
    return (parts.ece.bins if plan.scheme == "width" else mass_bins(parts.ranking, plan.bins)).error(norm)


def _mean_confidence(parts: Parts) -> float:
    rows = parts.accuracy.rows
    return float(parts.ece.confidence.values.sum()) / rows if rows else nan


def _selection(plan: Plan) -> Iterator[Entry]:
    yield Entry(
        "aurc", "AURC", lambda parts: RiskCoverage(parts.ranking).value, _says("area under risk-coverage, 0 is best")
    )
    yield Entry(
        "e_aurc",
        "E-AURC",
        lambda parts: RiskCoverage(parts.ranking).excess,
        _says("AURC above the best order of these errors"),
    )
    if plan.answer_from is not None:
        least = plan.answer_from
        yield Entry(
            "answered",
            "answered",
            lambda parts: _answered(parts, least)[0],
            _says(f"share of rows with a confidence from {least:.4g}, where the calibration does not abstain"),
        )
        yield Entry("answered_error", "  error rate", lambda parts: _answered(parts, least)[1], _says("of these rows"))


def _answered(parts: Parts, least: float) -> tuple[float, float]:
    """Share of rows that are answered, and share of these that are wrong."""
    confidence, correct = parts.ranking.ascending
    right = correct[np.searchsorted(confidence, least) :]
    if not len(right):
        return (0.0 if len(correct) else nan), nan
    return len(right) / len(correct), int((~right).sum()) / len(right)


def figures_of(plan: Plan, parts: Parts, auroc: Auroc | None, limits: Mapping[str, Limits]) -> tuple[Figure, ...]:
    """Compute every figure of some rows.

    Parameters
    ----------
    auroc : Auroc or None
        None: it was not measured (it is not for slices).
    limits : mapping
        Limits by name, for the figures that have them.
    """
    figures = [
        Figure(entry.name, entry.title, entry.value(parts), limits.get(entry.name), entry.note(parts))
        for entry in entries(plan)
    ]
    if auroc is not None:
        figures.append(Figure("macro_auroc", "macro AUROC", auroc.value, None, _auroc_note(auroc)))
    if parts.coverage is not None:
        sets = parts.coverage
        figures.append(Figure("coverage", "set coverage", sets.value, None, "share of sets that hold the truth"))
        figures.append(Figure("mean_set_size", "set size", sets.mean_size, None, "classes in a set, mean"))
    return tuple(figures)


def names_of(plan: Plan, has_sets: bool) -> tuple[str, ...]:
    """List the figures that there will be, before anything is measured."""
    return (
        *(entry.name for entry in entries(plan)),
        "macro_auroc",
        *(("coverage", "mean_set_size") if has_sets else ()),
    )


def _auroc_note(auroc: Auroc) -> str:
    absent = f"; {auroc.absent:,} classes without both sides left out" if auroc.absent else ""
    bound = f"; within {auroc.error_bound:.1g} (counted in cells)" if auroc.error_bound > 0 else ""
    return f"one class against the rest, mean{absent}{bound}"


COVERAGES = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Where the risk-coverage curve is reported."""


def build_report(
    source: str,
    scorer: LabelledScorer,
    plan: Plan,
    measured: Measured,
    bootstrap: Bootstrap | None,
    read: int,
    gates: Iterable[Gate],
) -> Report:
    """Build the report of a table.

    Parameters
    ----------
    read : int
        Rows that were read, the bad ones among them.
    """
    whole, columns = measured.whole, scorer.transform.columns
    limits = {} if bootstrap is None else bootstrap.limits(plan, whole.ece)
    figures = figures_of(plan, whole, measured.auroc, limits)
    return Report(
        source=source,
        columns=columns.summary(),
        operations=tuple(scorer.transform.steps()),
        rows=whole.accuracy.rows,
        bad_rows=read - whole.accuracy.rows,
        classes=len(columns.classes),
        bins_by=f"{plan.bins} bins of equal {plan.scheme}",
        bootstrap=plan.replicates,
        seed=plan.seed,
        figures=figures,
        bins=_bins(whole.ece.bins if plan.scheme == "width" else mass_bins(whole.ranking, plan.bins)),
        histogram=tuple(zip(whole.histogram.right.tolist(), whole.histogram.wrong.tolist(), strict=True)),
        risk_coverage=_points(RiskCoverage(whole.ranking)),
        confusion=_pairs(whole.confusion, columns.classes),
        per_class=_per_class(columns.classes, whole, measured.auroc),
        by=scorer.by,
        slices=tuple(
            Slice(name, parts.accuracy.rows, figures_of(plan, parts, None, {}))
            for name, parts in sorted(measured.slices.items())
        ),
        failed_gates=failures(gates, figures),
    )


def _bins(bins: Bins) -> tuple[Bin, ...]:
    columns = (bins.lower, bins.upper, bins.count, bins.confidence, bins.accuracy)
    return tuple(Bin(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _points(risk: RiskCoverage) -> tuple[Point, ...]:
    """For every coverage the least one that a threshold can reach and that is not below it."""
    if not risk.ranking.rows:
        return ()
    curve = risk.curve
    # Rounding of 1/n steps must not push a coverage of exactly 0.9 to the next threshold.
    places = np.searchsorted(curve.coverage, np.array(COVERAGES) - 1e-12)
    return tuple(
        Point(float(curve.coverage[i]), float(curve.threshold[i]), float(curve.risk[i])) for i in np.unique(places)
    )


def _pairs(confusion: Confusion, classes: tuple[str, ...]) -> tuple[Pair, ...]:
    true, predicted = np.divmod(confusion.pairs, confusion.classes)
    rows = zip(true.tolist(), predicted.tolist(), confusion.counts.tolist(), strict=True)
    return tuple(Pair(classes[t], classes[p], count) for t, p, count in rows)


def _per_class(classes: tuple[str, ...], parts: Parts, auroc: Auroc) -> tuple[ClassFigures, ...]:
    balanced = parts.balanced
    columns: list[NDArray[np.number]] = [
        balanced.support,
        balanced.predicted,
        balanced.hits,
        balanced.precision,
        balanced.recall,
        balanced.f1,
        auroc.by_class,
        parts.classwise.by_class(),
    ]
    if parts.coverage is not None:
        columns += [parts.coverage.by_class, parts.coverage.mean_size_by_class]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(ClassFigures(name, *row) for name, row in zip(classes, rows, strict=True))
