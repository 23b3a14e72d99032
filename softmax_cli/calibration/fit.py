"""How a calibration is found: by one method, by the paper's grid, by the best of all methods, or not at all.

Every plan ends in the same `Fitted`: the calibrator, what it did on rows that it was not fitted to, and the fits of the
folds, with which thresholds can be chosen on held-out rows too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from softmax_cli.calibration.calibration import Calibration, Figures, FitRecord, Scaled
from softmax_cli.calibration.labelled_rows import LabelledRows
from softmax_cli.calibration.thresholds import AbstentionRequest
from softmax_cli.errors import DataError, listed
from softmax_cli.numeric.calibrators import Calibrator, by_name, names
from softmax_cli.numeric.calibrators._examples import AbsentClasses, Examples, log_softmax_rows
from softmax_cli.numeric.calibrators._folds import stratified_folds
from softmax_cli.numeric.calibrators.temperature import IDENTITY, Temperature
from softmax_cli.numeric.model_selection import (
    CrossValidation,
    Fit,
    Refusal,
    Scores,
    Selection,
    Watch,
    cross_validated,
    row_scores,
    select,
    unwatched,
    verdict,
)
from softmax_cli.numeric.softmax import COLUMNAR_CLASSES
from softmax_cli.prediction.prediction_sets import SetRequest
from softmax_cli.prediction.scorer import Adjustment, LogitStep, Scoring, Term


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be found."""

    plan: Plan
    folds: int
    seed: int
    sets: SetRequest | None = None
    abstention: AbstentionRequest | None = None

    @property
    def has_thresholds(self) -> bool:
        """Whether any threshold is to be chosen."""
        return self.sets is not None or self.abstention is not None


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rows are, and what is done to logits around the calibration."""

    source: str
    kind: str
    classes: tuple[str, ...]
    remedies: tuple[LogitStep, ...] = ()
    terms: tuple[Term, ...] = ()


def calibrate(rows: LabelledRows, job: Job, setting: Setting, watch: Watch = unwatched) -> tuple[Calibration, Fitted]:
    """Fit to the logits as they are, then choose thresholds on what comes out after weights and priors.

    A threshold is taken from rows that the calibrator which scored them has not seen: fold by fold (cross-conformal
    prediction, Vovk 2015, "Cross-conformal predictors"), or from all rows where nothing was fitted to them; only then
    is the promise of split conformal prediction exact.

    Raises
    ------
    DataError
        There is no row, the rows determine no such calibration, or no threshold does what was asked.
    """
    if not len(rows.z):
        raise DataError(f"{setting.source}: no row to fit to; expected a table with scores and their true classes")
    fitted = _carried_out(job, rows, setting.classes, watch)
    sets, abstention = None, None
    if job.has_thresholds:
        log_p = held_out(rows, fitted, job, setting.terms)
        sets = None if job.sets is None else job.sets.rule(log_p, rows.labels)
        abstention = None if job.abstention is None else job.abstention.choose(log_p, rows.labels)
    bias = Adjustment(terms=setting.terms).bias
    record = FitRecord(
        data=setting.source,
        data_hash=rows.hash,
        rows=len(rows.z),
        kind=setting.kind,
        objective=fitted.objective,
        folds=job.folds,
        seed=job.seed,
        before=Figures.of(fitted.before),
        after=Figures.of(fitted.after),
        remedies=tuple(remedy.step for remedy in setting.remedies),
        warnings=fitted.warnings,
    )
    kept = bias if job.has_thresholds else None
    return Calibration(fitted.calibrator, setting.classes, record, kept, sets, abstention), fitted


def held_out(rows: LabelledRows, fitted: Fitted, job: Job, terms: tuple[Term, ...]) -> NDArray[np.float64]:
    """Final log-probabilities, shape (rows, classes), each row by a calibrator that has not seen it."""
    if not fitted.fold_fits:
        return _log_p(fitted.calibrator, rows.z, terms)
    log_p = np.empty(rows.z.shape)
    fold_of = stratified_folds(rows.labels, job.folds, job.seed)
    for fold, calibrator in enumerate(fitted.fold_fits):
        held_out = fold_of == fold
        log_p[held_out] = _log_p(calibrator, rows.z[held_out], terms)
    return log_p


def _log_p(calibrator: Calibrator, z: NDArray[np.float64], terms: tuple[Term, ...]) -> NDArray[np.float64]:
    """Score as a transform does, in its memory order: the last bits, and so the ties at a threshold, depend on it."""
    matrix = np.array(z, np.float64, order="F" if z.shape[1] <= COLUMNAR_CLASSES else "C")
    scoring = Scoring(Adjustment(1.0, terms, (), Scaled(calibrator)), emit=("logprob",))
    return np.asarray(scoring(matrix).values["logprob"], np.float64)


UNFITTED = "none"
"""The objective of a calibration that nothing was fitted for."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """Rows to fit to, and how they are cut into folds."""

    examples: Examples
    folds: int
    seed: int
    watch: Watch = unwatched
    """Told the method and the fold before every fit."""

    def cross_validated(self, fit: Fit, method: str) -> CrossValidation:
        """Judge one method."""
        return cross_validated(fit, self.examples, method=method, folds=self.folds, seed=self.seed, watch=self.watch)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibrator and what speaks for it."""

    calibrator: Calibrator
    objective: str
    before: Scores
    after: Scores
    """On rows that the calibrator was not fitted to."""
    cross_validation: CrossValidation | None = None
    """Of the method that was tried; None: nothing was fitted."""
    fold_fits: tuple[Calibrator, ...] = ()
    """The fit that did not see fold 1, fold 2, ...; empty where the calibrator has seen none of the rows."""
    selection: Selection | None = None
    """All methods that were compared."""
    warnings: tuple[str, ...] = ()


Plan = Callable[[Fitting], Fitted]
"""Finds a calibration for rows; ValueError where they determine none."""


def named(error: ValueError, classes: tuple[str, ...]) -> str:
    """Tell why a method refuses rows, with the names of classes in the place of their numbers."""
    if not isinstance(error, AbsentClasses):
        return str(error)
    shown = listed([classes[index] for index in error.classes], 5)
    return f"none of {error.where} is labelled {shown}, and every class needs an example"


_FULL_MATRIX = ("matrix", "dirichlet", "sms")
_MOST_CLASSES = 200
"""Up to so many classes a comparison of all methods tries those with a parameter for every pair of classes."""


def one_method(fitting: Fitting, method: str, keep: bool = False) -> Fitted:
    """Fit by maximum likelihood, unless that does not help on held-out rows; `keep` it even so."""
    fit = by_name(method).fit
    result = fitting.cross_validated(fit, method)
    if not keep or result.improves:
        return _judged(fit, result, fitting)
    warnings = (_kept_anyway(result, "--keep-fit"),)
    return Fitted(fit(fitting.examples), "nll", result.before, result.after, result, result.fits, warnings=warnings)


def best_method(fitting: Fitting) -> Fitted:
    """Take of all methods the one with the least cross-validated negative log-likelihood."""
    classes = fitting.examples.classes
    left_out = _FULL_MATRIX if classes > _MOST_CLASSES else ()
    report = ValueError(f"{classes}^2 parameters take long to compare; ask for it alone with --method")
    fits: dict[str, Fit] = {name: by_name(name).fit for name in names() if name not in left_out}
    found = select(fitting.examples, fits, folds=fitting.folds, seed=fitting.seed, watch=fitting.watch)
    found = replace(found, refused=(*found.refused, *(Refusal(name, report) for name in left_out)))
    return _judged(fits[found.best.method], found.best, fitting, found)


def ece_grid(fitting: Fitting) -> Fitted:
    """Take the temperature of least ECE, as the focal-loss papers chose it, whatever it does to the likelihood."""
    result = fitting.cross_validated(Temperature.fit_ece_grid, Temperature.name)
    calibrator = Temperature.fit_ece_grid(fitting.examples)
    warnings = () if result.improves else (_kept_anyway(result, "--objective ece-grid"),)
    return Fitted(calibrator, "ece-grid", result.before, result.after, result, result.fits, warnings=warnings)


def unfitted(fitting: Fitting, calibrator: Calibrator = IDENTITY) -> Fitted:
    """Measure a calibrator that has not seen these rows: the identity, or one from a file."""
    examples = fitting.examples
    before, after = (
        row_scores(log_p, examples).mean(examples.weights) for log_p in (log_softmax_rows, calibrator.log_p)
    )
    return Fitted(calibrator, UNFITTED, before, after)


def _kept_anyway(result: CrossValidation, flag: str) -> str:
    before, after = result.before.nll, result.after.nll
    return f"log loss does not improve on held-out rows ({before:.6g} to {after:.6g}); {flag} keeps the fit"


def _judged(fit: Fit, result: CrossValidation, fitting: Fitting, selection: Selection | None = None) -> Fitted:
    fitting.watch(result.method, fitting.folds + 1)
    found = verdict(result, fit, fitting.examples)
    return Fitted(
        found.calibrator,
        "nll",
        result.before,
        result.after if found.kept else result.before,
        result,
        result.fits if found.kept else (),
        selection,
        found.warnings,
    )


def _carried_out(job: Job, rows: LabelledRows, classes: tuple[str, ...], watch: Watch) -> Fitted:
    """Carry out a plan, and tell in the user's words what stands in its way."""
    way_out = "; thresholds need no fit: --method none chooses them alone" if job.has_thresholds else ""
    try:
        return job.plan(Fitting(Examples.checked(rows.z, rows.labels), job.folds, job.seed, watch))
    except AbsentClasses as error:
        text = f"{named(error, classes)}; --method temperature needs no row of each class{way_out}"
        raise DataError(text) from error
    except ValueError as error:
        raise DataError(f"no calibration follows from these rows: {error}{way_out}") from error
