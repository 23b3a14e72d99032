"""From the parts that a pass has added up to the values of its report."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.draws import Draws
from softmax_cli.batches.figures import figures_of
from softmax_cli.batches.gates import Gate, failures
from softmax_cli.batches.judge import Judge
from softmax_cli.batches.measure import Measured
from softmax_cli.batches.parts import Parts, Plan
from softmax_cli.batches.report import Bin, ClassFigures, Pair, Point, Report, Slice
from softmax_cli.numeric.metrics.auroc import Auroc
from softmax_cli.numeric.metrics.bins import Bins
from softmax_cli.numeric.metrics.confusion import Confusion
from softmax_cli.numeric.metrics.mass_ece import mass_bins
from softmax_cli.numeric.metrics.risk_coverage import RiskCoverage

COVERAGES = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
"""Where the risk-coverage curve is told."""


def settle_report(
    source: str, judge: Judge, plan: Plan, measured: Measured, draws: Draws | None, read: int, gates: Iterable[Gate]
) -> Report:
    """Settle the report of a table.

    Parameters
    ----------
    read : int
        Rows that were read, the bad ones among them.
    """
    whole, columns = measured.whole, judge.transform.columns
    limits = {} if draws is None else draws.limits(plan, whole.ece)
    figures = figures_of(plan, whole, measured.auroc, limits)
    return Report(
        source=source,
        columns=columns.summary(),
        operations=tuple(judge.transform.steps()),
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
        by=judge.by,
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
