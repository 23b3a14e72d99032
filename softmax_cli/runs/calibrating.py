"""Labelled rows in, a calibration out: fitted, judged, and with the thresholds that were asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.abstention import Abstention
from softmax_cli.batches.adjustment import Adjustment, Term
from softmax_cli.batches.calibration import Calibration, Figures, FitRecord, Scaled
from softmax_cli.batches.remedies import Remedy
from softmax_cli.batches.scoring import Scoring
from softmax_cli.batches.sets import SetRequest
from softmax_cli.errors import DataError
from softmax_cli.numeric.calibration import Calibrator
from softmax_cli.numeric.calibration.fitting.folds import stratified_folds
from softmax_cli.numeric.rowsums import COLUMNAR_CLASSES
from softmax_cli.runs.fitted import Fitted, Fitting, Plan
from softmax_cli.runs.fittingplans import carried_out
from softmax_cli.runs.labelledrows import LabelledRows


class AbstentionRequest(Protocol):
    """Chooses the confidence below which no prediction is given."""

    def choose(self, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> Abstention:
        """Choose on held-out rows."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be found."""

    plan: Plan
    folds: int
    seed: int
    sets: SetRequest | None = None
    abstention: AbstentionRequest | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rows are, and what is done to logits around the calibration."""

    source: str
    kind: str
    classes: tuple[str, ...]
    remedies: tuple[Remedy, ...] = ()
    terms: tuple[Term, ...] = ()


def calibrate(rows: LabelledRows, job: Job, setting: Setting) -> tuple[Calibration, Fitted]:
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
        raise DataError(f"{setting.source}: no row to fit to; a table with scores and their true classes is wanted")
    fitted = carried_out(job.plan, Fitting(rows.z, rows.labels, job.folds, job.seed), setting.classes)
    sets, abstention = None, None
    if job.sets is not None or job.abstention is not None:
        log_p = _held_out(rows, fitted, job, setting.terms)
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
    keeps_bias = sets is not None or abstention is not None
    return Calibration(
        fitted.calibrator, setting.classes, record, bias if keeps_bias else None, sets, abstention
    ), fitted


def _held_out(rows: LabelledRows, fitted: Fitted, job: Job, terms: tuple[Term, ...]) -> NDArray[np.float64]:
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
