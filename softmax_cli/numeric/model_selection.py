"""A calibration method judged by cross-validation: every row is scored by a fit that did not see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Calibrator, by_name, names
from softmax_cli.numeric.calibrators._examples import AbsentClasses, Examples, log_softmax_rows, stratified_folds
from softmax_cli.numeric.calibrators.temperature import IDENTITY
from softmax_cli.numeric.metrics._bins import top_label_ece
from softmax_cli.numeric.metrics._rows import Rows, row_brier, row_log_loss

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


Values = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Means over rows."""

    nll: float
    """Negative log-likelihood in nats; ``inf`` where a truth got probability 0."""
    brier: float
    """Squared error summed over classes: 0 to 2."""
    ece: float
    """Top label, 15 equal-width bins."""


@dataclass(frozen=True)
class RowScores:
    """Scores of single rows, shape (rows,) each."""

    nll: Values
    brier: Values
    confidence: Values
    correct: NDArray[np.bool_]

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[Any]) -> Self:
        """Score log-probabilities, shape (rows, classes), against the true classes."""
        rows = Rows(log_p, labels)
        return cls(row_log_loss(rows), row_brier(rows), rows.confidence, rows.correct)

    @classmethod
    def placed(cls, parts: list[Self], rows: list[NDArray[Any]]) -> Self:
        """Put the scores of several sets of rows back to where the rows came from; every row is in one set."""
        order = np.argsort(np.concatenate(rows))
        return cls(
            np.concatenate([part.nll for part in parts])[order],
            np.concatenate([part.brier for part in parts])[order],
            np.concatenate([part.confidence for part in parts])[order],
            np.concatenate([part.correct for part in parts])[order],
        )

    def mean(self, weights: Values) -> Scores:
        """Weighted means; `weights`, shape (rows,), sum to 1."""
        return Scores(
            float(weights @ self.nll),
            float(weights @ self.brier),
            top_label_ece(self.confidence, self.correct, weights),
        )


def paired_error(a: RowScores, b: RowScores, weights: Values) -> float:
    """Standard error of the mean difference in negative log-likelihood; ``inf`` where a row has an infinite one.

    The difference is taken row by row: what makes a row hard for both cancels out.
    """
    if not (np.isfinite(a.nll).all() and np.isfinite(b.nll).all()):
        return float("inf")
    difference = a.nll - b.nll
    difference -= weights @ difference
    return float(np.linalg.norm(weights * difference))


@dataclass(frozen=True)
class Ranked:
    """A method, and how far it is behind the best one."""

    cross_validation: CrossValidation
    behind: float
    """Negative log-likelihood above that of the best; nats, 0 for the best itself."""
    behind_error: float
    """Standard error of `behind`, from the paired differences of the rows."""


@dataclass(frozen=True)
class Refusal:
    """A method that cannot be fitted to these rows."""

    method: str
    reason: ValueError
    """`AbsentClasses` holds the indices of the classes."""


@dataclass(frozen=True)
class Selection:
    """All methods that were tried."""

    ranked: tuple[Ranked, ...]
    """Least negative log-likelihood first, the simpler one first where equal; not empty."""
    refused: tuple[Refusal, ...]

    @property
    def best(self) -> CrossValidation:
        """The method to take; whether it beats no calibration at all, `verdict` says."""
        return self.ranked[0].cross_validation

    @property
    def simpler(self) -> tuple[str, ...]:
        """Methods with fewer parameters that are within one standard error of the best, the simplest first."""
        near = [
            other.cross_validation
            for other in self.ranked[1:]
            if other.behind <= other.behind_error < float("inf")
            and other.cross_validation.free_parameters < self.best.free_parameters
        ]
        return tuple(found.method for found in sorted(near, key=lambda found: found.free_parameters))


def select(
    z: NDArray[Any],
    labels: NDArray[Any],
    weights: NDArray[Any] | None = None,
    *,
    methods: Sequence[type[Calibrator]] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Selection:
    """Cross-validate several methods, all of them where none is named, on the same folds.

    Raises
    ------
    ValueError
        The rows fit no method at all, or every method refuses them.
    """
    examples = Examples.checked(z, labels, weights)
    results: list[CrossValidation] = []
    refused: list[Refusal] = []
    for method in [by_name(name) for name in names()] if methods is None else methods:
        try:
            results.append(
                cross_validated(method.fit, examples.z, examples.labels, examples.weights, folds=folds, seed=seed)
            )
        except ValueError as reason:
            refused.append(Refusal(method.name, reason))
    if not results:
        raise ValueError("; ".join(f"{refusal.method}: {refusal.reason}" for refusal in refused))
    results.sort(key=lambda result: (result.after.nll, result.free_parameters))
    best = results[0]
    return Selection(
        tuple(
            Ranked(
                result,
                result.after.nll - best.after.nll if result is not best else 0.0,
                paired_error(result.row_scores, best.row_scores, examples.weights),
            )
            for result in results
        ),
        tuple(refused),
    )


@dataclass(frozen=True)
class Verdict:
    """A calibrator and what speaks for it."""

    calibrator: Calibrator
    """Fitted to all rows; temperature 1 where that is better."""
    cross_validation: CrossValidation
    """Of the method that was tried."""
    kept: bool
    """Whether `calibrator` is that method; else the probabilities stay as they were."""
    warnings: tuple[str, ...]
    """What to say aloud, one sentence each."""


def verdict(
    cross_validation: CrossValidation,
    fit: Fit,
    z: NDArray[Any],
    labels: NDArray[Any],
    weights: NDArray[Any] | None = None,
) -> Verdict:
    """Fit to all rows if cross-validation of the same `fit` on them says that it helps.

    Raises
    ------
    ValueError
        All rows together are refused.
    """
    kept = cross_validation.improves
    calibrator = fit(z, labels, weights) if kept else IDENTITY
    return Verdict(calibrator, cross_validation, kept, tuple(_warnings(cross_validation)))


def _warnings(result: CrossValidation) -> list[str]:
    found = []
    before, after = result.before, result.after
    if not result.improves:
        found.append(
            f"{result.method} does not improve log loss on held-out rows ({before.nll:.6g} to {after.nll:.6g}): "
            "T stays 1"
        )
    elif result.gain <= result.gain_error:
        found.append(
            f"log loss falls by {result.gain:.2g} on held-out rows, "
            f"no more than its standard error of {result.gain_error:.2g}"
        )
    if result.improves and after.ece > before.ece:
        found.append(f"log loss fell while ECE rose ({before.ece:.4f} to {after.ece:.4f})")
    if result.improves and after.brier > before.brier:
        found.append(f"log loss fell while the Brier score rose ({before.brier:.4f} to {after.brier:.4f})")
    if result.impossible_rows:
        found.append(
            f"{result.method} gave probability 0 to the true class of {result.impossible_rows} held-out rows: "
            "their log loss is infinite"
        )
    return found
