"""A calibration method judged by cross-validation: every row is scored by a fit that did not see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration import Calibrator
from softmax_cli.numeric.calibration.fitting.examples import AbsentClasses, Examples
from softmax_cli.numeric.calibration.fitting.folds import stratified_folds
from softmax_cli.numeric.calibration.fitting.rows import log_softmax_rows
from softmax_cli.numeric.calibration.model_selection.scores import RowScores, Scores, paired_error

Fit = Callable[[NDArray[Any], NDArray[Any], NDArray[Any] | None], Calibrator]
"""``Temperature.fit``, ``Temperature.fit_ece_grid``, ..."""


@dataclass(frozen=True)
class CrossValidation:
    """What a method made of rows that it was not fitted to, beside the same rows as they came."""

    method: str
    folds: int
    seed: int
    rows: int
    before: Scores
    after: Scores
    gain_error: float
    """Standard error of ``before.nll - after.nll``, from the paired differences of the rows; nats."""
    impossible_rows: int
    """How many held-out rows had a true class that the method gave probability 0."""
    free_parameters: int
    """The most that any of the folds' fits had."""
    row_scores: RowScores = field(repr=False, compare=False)
    """After calibration, row by row."""

    @property
    def gain(self) -> float:
        """By how much the mean negative log-likelihood fell, in nats; below 0 where it rose."""
        return self.before.nll - self.after.nll

    @property
    def improves(self) -> bool:
        """Whether the negative log-likelihood fell at all."""
        return self.gain > 0


def cross_validated(
    fit: Fit,
    z: NDArray[Any],
    labels: NDArray[Any],
    weights: NDArray[Any] | None = None,
    *,
    folds: int = 5,
    seed: int = 0,
) -> CrossValidation:
    """Fit to all folds but one, score that one, for every fold in turn.

    Parameters
    ----------
    fit : callable
        Method to judge: ``fit(z, labels, weights)`` gives a calibrator.
    z, labels, weights : arrays
        As in `Calibrator.fit`; the weights count in the scores too.
    folds, seed : int
        The folds are stratified; they follow from the labels, their order and the seed.

    Raises
    ------
    ValueError
        There are fewer rows than folds, or the method refuses a fold.
    """
    examples = Examples.checked(z, labels, weights)
    fold_of = stratified_folds(examples.labels, folds, seed)
    calibrators, parts, places = [], [], []
    for fold in range(folds):
        held_out = np.flatnonzero(fold_of == fold)
        calibrator = _fitted_without(fit, examples, fold_of, fold)
        calibrators.append(calibrator)
        parts.append(RowScores.of(calibrator.log_p(examples.z[held_out]), examples.labels[held_out]))
        places.append(held_out)
    after = RowScores.placed(parts, places)
    before = RowScores.of(log_softmax_rows(examples.z), examples.labels)
    return CrossValidation(
        method=calibrators[0].name,
        folds=folds,
        seed=seed,
        rows=examples.rows,
        before=before.mean(examples.weights),
        after=after.mean(examples.weights),
        gain_error=paired_error(before, after, examples.weights),
        impossible_rows=int(np.isinf(after.nll).sum()),
        free_parameters=max(calibrator.free_parameters for calibrator in calibrators),
        row_scores=after,
    )


def _fitted_without(fit: Fit, examples: Examples, fold_of: NDArray[np.int64], fold: int) -> Calibrator:
    kept = fold_of != fold
    where = f"the rows outside fold {fold + 1}"
    try:
        return fit(examples.z[kept], examples.labels[kept], examples.weights[kept])
    except AbsentClasses as error:
        examples.require_every_class()  # says more, where a class has no example at all
        raise AbsentClasses(error.classes, where) from error
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
