"""The figures of a report, by name: what a gate can ask for, a slice is told in, and a program reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import nan

import numpy as np

from softmax_cli.batches.draws import Limits
from softmax_cli.batches.measure import Parts, Plan
from softmax_cli.numeric.metrics.auroc import Auroc
from softmax_cli.numeric.metrics.mass_ece import mass_bins
from softmax_cli.numeric.metrics.risk_coverage import RiskCoverage

_GAPS = {"l1": "mean gap", "l2": "root mean square gap", "max": "largest gap"}


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


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    title: str
    value: Callable[[Parts], float]
    note: Callable[[Parts], str]


def figures_of(plan: Plan, parts: Parts, auroc: Auroc | None, limits: Mapping[str, Limits]) -> tuple[Figure, ...]:
    """Settle every figure of some rows.

    Parameters
    ----------
    auroc : Auroc or None
        None: it was not measured (it is not for slices).
    limits : mapping
        Limits by name, for the figures that have them.
    """
    entries = [*_rates(plan), *_scores(plan), *_calibration(plan), *_selection(plan)]
    figures = [
        Figure(entry.name, entry.title, entry.value(parts), limits.get(entry.name), entry.note(parts))
        for entry in entries
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
    entries = [*_rates(plan), *_scores(plan), *_calibration(plan), *_selection(plan)]
    return (*(entry.name for entry in entries), "macro_auroc", *(("coverage", "mean_set_size") if has_sets else ()))


def _says(text: str) -> Callable[[Parts], str]:
    return lambda parts: text


def _rates(plan: Plan) -> Iterator[_Entry]:
    yield _Entry("accuracy", "accuracy", lambda parts: parts.accuracy.value, _says("share of rows"))
    yield _Entry("error", "error rate", _error_rate, _says("1 - accuracy"))
    for place, k in enumerate(plan.top_k):
        yield _Entry(
            f"top_{k}_accuracy",
            f"top-{k} accuracy",
            lambda parts, place=place: parts.top_k[place].value,  # type: ignore[misc]
            lambda parts, place=place: _ties(parts.top_k[place].bounds),  # type: ignore[misc]
        )
    yield _Entry(
        "balanced_accuracy",
        "balanced accuracy",
        lambda parts: parts.balanced.value,
        lambda parts: f"mean recall of the {int((parts.balanced.support > 0).sum()):,} classes that occur",
    )
    yield _Entry(
        "macro_f1", "macro F1", lambda parts: parts.balanced.macro_f1, _says("classes that occur or were predicted")
    )


def _error_rate(parts: Parts) -> float:
    rows = parts.accuracy.rows
    return (rows - parts.accuracy.correct) / rows if rows else nan


def _ties(bounds: Limits) -> str:
    low, high = bounds
    return "no tie matters" if not low < high else f"ties leave open {low:.6g} to {high:.6g}"


def _scores(plan: Plan) -> Iterator[_Entry]:
    clipped = "" if plan.clip is None else f", p clipped to [{plan.clip:g}, 1 - {plan.clip:g}]"
    yield _Entry("log_loss", "log loss", lambda parts: parts.log_loss.value, lambda parts: _impossible(parts) + clipped)
    yield _Entry(
        "refinement",
        "  refinement",
        lambda parts: parts.refinement.value,
        lambda parts: f"nats left at the best T, {parts.refinement.temperature:.3g} (here, in hindsight)",
    )
    yield _Entry(
        "calibration_loss",
        "  calibration",
        lambda parts: parts.refinement.calibration,
        _says("nats that this T takes off"),
    )
    yield _Entry("brier", "Brier score", lambda parts: parts.brier.value, _says("sum over classes, 0..2"))


def _impossible(parts: Parts) -> str:
    count = parts.log_loss.impossible
    return "nats" if not count else f"nats; {count:,} rows have p = 0 on the truth (--clip EPS bounds them)"


def _calibration(plan: Plan) -> Iterator[_Entry]:
    asked = f"{plan.kind}, {plan.bins} bins of equal {plan.scheme}, {_GAPS[plan.norm]}"
    yield _Entry(
        "ece",
        "ECE",
        lambda parts: calibration_error(plan, parts, plan.norm),
        lambda parts: f"{asked}, {parts.accuracy.rows:,} rows",
    )
    for name, title, norm in (("mce", "MCE", "max"), ("rmsce", "RMSCE", "l2")):
        yield _Entry(
            name,
            title,
            lambda parts, norm=norm: calibration_error(plan, parts, norm),  # type: ignore[misc]
            _says(f"{_GAPS[norm]} of these bins"),
        )
    yield _Entry(
        "mass_ece",
        "adaptive ECE",
        lambda parts: mass_bins(parts.ranking, plan.bins).error(),
        _says(f"top-label, {plan.bins} bins of equal mass, mean gap"),
    )
    yield _Entry(
        "classwise_ece",
        "classwise ECE",
        lambda parts: parts.classwise.value,
        _says(f"mean over classes, {plan.bins} bins of equal width"),
    )
    yield _Entry("smooth_ece", "smooth ECE", lambda parts: parts.smooth.value, _says("top-label, needs no bins"))
    yield _Entry("mean_confidence", "mean confidence", _mean_confidence, _says("compare with accuracy"))


def calibration_error(plan: Plan, parts: Parts, norm: str) -> float:
    """Return the calibration error in the bins that were asked for."""
    if plan.kind == "classwise":
        chosen = parts.classwise_mass if parts.classwise_mass is not None else parts.classwise
        return chosen.error(norm)
    return (parts.ece.bins if plan.scheme == "width" else mass_bins(parts.ranking, plan.bins)).error(norm)


def _mean_confidence(parts: Parts) -> float:
    rows = parts.accuracy.rows
    return float(parts.ece.confidence.values.sum()) / rows if rows else nan


def _selection(plan: Plan) -> Iterator[_Entry]:
    yield _Entry(
        "aurc", "AURC", lambda parts: RiskCoverage(parts.ranking).value, _says("area under risk-coverage, 0 is best")
    )
    yield _Entry(
        "e_aurc",
        "E-AURC",
        lambda parts: RiskCoverage(parts.ranking).excess,
        _says("AURC above the best order of these errors"),
    )
    if plan.answer_from is not None:
        least = plan.answer_from
        yield _Entry(
            "answered",
            "answered",
            lambda parts: _answered(parts, least)[0],
            _says(f"share of rows with a confidence from {least:.4g}, where the calibration does not abstain"),
        )
        yield _Entry("answered_error", "  error rate", lambda parts: _answered(parts, least)[1], _says("of these rows"))


def _answered(parts: Parts, least: float) -> tuple[float, float]:
    """Share of rows that are answered, and share of these that are wrong."""
    confidence, correct = parts.ranking.ascending
    right = correct[np.searchsorted(confidence, least) :]
    if not len(right):
        return (0.0 if len(correct) else nan), nan
    return len(right) / len(correct), int((~right).sum()) / len(right)


def _auroc_note(auroc: Auroc) -> str:
    absent = f"; {auroc.absent:,} classes without both sides left out" if auroc.absent else ""
    bound = f"; within {auroc.error_bound:.1g} (counted in cells)" if auroc.error_bound > 0 else ""
    return f"one class against the rest, mean{absent}{bound}"
