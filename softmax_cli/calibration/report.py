"""What ``calibrate`` reports, as plain values: the same for a screen and for a program."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from softmax_cli.calibration.calibration import Calibration, ChosenThreshold, Figures
from softmax_cli.calibration.fit import UNFITTED, Fitted, named
from softmax_cli.calibration.labelled_rows import LabelledRows
from softmax_cli.errors import listed
from softmax_cli.numeric.model_selection import Ranked
from softmax_cli.version import __version__

FORMAT = 1
"""Version of the JSON report."""
TITLES = ("log loss", "Brier", "ECE")
"""Of the fields of `Figures`."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One method of a comparison, on held-out rows."""

    method: str
    figures: Figures
    behind: float
    """Log loss above that of the best."""
    behind_error: float
    """Standard error of `behind`."""
    free_parameters: int

    @classmethod
    def of(cls, ranked: Ranked) -> Self:
        """Take it from a comparison."""
        found = ranked.cross_validation
        figures = Figures.of(found.after)
        return cls(found.method, figures, ranked.behind, ranked.behind_error, found.free_parameters)


@dataclass(frozen=True, slots=True)
class SetsFound:
    """A conformal threshold."""

    score: str
    coverage: float
    thresholds: tuple[float, ...]
    """One, or one for each class; ``inf`` admits the class always."""
    rows: int
    mean_size: float
    """Classes in a set, on these rows."""
    randomized: bool


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """A calibration and what speaks for it."""

    source: str
    rows: int
    left_out: int
    classes: int
    method: str
    description: str
    """The formula with its numbers."""
    objective: str
    folds: int
    seed: int
    interval: tuple[float, float] | None
    """95 % interval of T, where T was fitted by likelihood."""
    before: Figures
    after: Figures
    gain_error: float | None
    """Standard error of the fall in log loss."""
    compared: tuple[Compared, ...]
    """Best first; empty unless methods were compared."""
    simpler: tuple[str, ...]
    """Methods with fewer parameters within one standard error of the best."""
    refused: tuple[tuple[str, str], ...]
    """Methods that cannot be fitted to these rows, and why."""
    sets: SetsFound | None
    abstention: ChosenThreshold | None
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Plain values, under the names of the fields."""
        return {"format": FORMAT, "softmax_cli": __version__, **asdict(self)}


def calibration_report(rows: LabelledRows, found: Calibration, fitted: Fitted) -> CalibrationReport:
    """Build the report."""
    selection = fitted.selection
    refused = () if selection is None else selection.refused
    interval = found.calibrator.parameters().get("interval")
    return CalibrationReport(
        source=found.fit.data,
        rows=len(rows.z),
        left_out=rows.left_out,
        classes=len(found.classes),
        method=found.calibrator.name,
        description=found.calibrator.describe(),
        objective=fitted.objective,
        folds=found.fit.folds,
        seed=found.fit.seed,
        interval=(float(interval[0]), float(interval[1])) if isinstance(interval, list) else None,
        before=Figures.of(fitted.before),
        after=Figures.of(fitted.after),
        gain_error=None if fitted.cross_validation is None else fitted.cross_validation.gain_error,
        compared=() if selection is None else tuple(map(Compared.of, selection.ranked)),
        simpler=() if selection is None else selection.simpler,
        refused=tuple((one.method, named(one.reason, found.classes)) for one in refused),
        sets=_sets(found),
        abstention=found.abstention,
        warnings=(*fitted.warnings, *_threshold_warnings(rows, found)),
    )


def verdict(report: CalibrationReport) -> list[str]:
    """Say in plain sentences what came of it."""
    before, after = report.before, report.after
    ece = f"ECE {'from' if after.ece < before.ece else 'rises from'} {before.ece:.4f} to {after.ece:.4f}"
    error = "" if report.gain_error is None else f", standard error {report.gain_error:.2g}"
    fall = f"log loss falls from {before.nll:.4f} to {after.nll:.4f} (by {before.nll - after.nll:.2g}{error}) and {ece}"
    if after == before:
        is_given = report.objective == UNFITTED
        what = "Nothing was fitted" if is_given else f"No gain by {report.method} on held-out rows"
        found = [f"{what}: the probabilities stay as they are."]
    elif after.nll > before.nll:
        found = [f"Worse than before: log loss rises from {before.nll:.4f} to {after.nll:.4f}."]
    elif report.objective == UNFITTED:
        found = [f"Better on these rows, which it was not fitted to: {fall}."]
    else:
        found = [f"Better on held-out rows: {fall}."]
    if (sets := report.sets) is not None:
        found.append(f"Sets of {sets.mean_size:.3g} of {report.classes:,} classes cover {sets.coverage:.0%} of rows.")
    if (abstention := report.abstention) is not None:
        found.append(f"{abstention.coverage:.1%} of rows are answered, {abstention.risk:.1%} of the answers wrong.")
    return found


def _sets(found: Calibration) -> SetsFound | None:
    if found.sets is None:
        return None
    rule = found.sets
    randomized = rule.nonconformity.seed is not None
    thresholds = tuple(rule.threshold.tolist())
    return SetsFound(rule.nonconformity.score, rule.coverage, thresholds, rule.rows, rule.mean_size, randomized)


def _threshold_warnings(rows: LabelledRows, found: Calibration) -> list[str]:
    if found.sets is None:
        return []
    if np.isfinite(found.sets.threshold).all():
        if found.sets.mean_size < len(found.classes):
            return []
        highest = found.sets.threshold.max()
        return [
            f"the threshold of {highest:.6g} lets every class into every set: they say nothing. Ask for less with "
            f"--coverage, or for sets of another kind with --score lac"
        ]
    wanted = math.ceil(found.sets.coverage / (1 - found.sets.coverage) - 1e-9)
    if len(found.sets.threshold) == 1:
        return [
            f"{len(rows.labels)} rows cannot promise a coverage of {found.sets.coverage:g}: every set holds every "
            f"class; at least {wanted} rows are needed"
        ]
    support = Counter(rows.labels.tolist())
    unbounded = np.flatnonzero(found.sets.threshold == math.inf).tolist()
    short = [f"{found.classes[i]} ({support[i]} rows)" for i in unbounded]
    return [
        f"in every set, since a class needs at least {wanted} rows of its own for its threshold: {listed(short, 5)}"
    ]
