"""A calibration method judged by cross-validation: every row is scored by a fit that did not see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Calibrator, by_name, names
from softmax_cli.numeric.calibrators._examples import AbsentClasses, Examples, log_softmax_rows
from softmax_cli.numeric.calibrators._folds import stratified_folds
from softmax_cli.numeric.calibrators.temperature import IDENTITY
from softmax_cli.numeric.metrics._bins import top_label_ece
from softmax_cli.numeric.metrics._rows import Rows, row_brier, row_log_loss

Fit = Callable[[Examples], Calibrator]
"""``Temperature.fit``, ``Temperature.fit_ece_grid``, ..."""
Watch = Callable[[str, int], None]
"""Told the method and the fold, counted from 1, before every fit."""


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
    fits: tuple[Calibrator, ...] = field(repr=False, compare=False)
    """The fit that did not see fold 1, fold 2, ..."""
    row_scores: RowScores = field(repr=False, compare=False)
    """After calibration, row by row."""

    @property
    def free_parameters(self) -> int:
        """The most that any of the folds' fits had."""
        return max(calibrator.free_parameters for calibrator in self.fits)

    @property
    def gain(self) -> float:
        """By how much the mean negative log-likelihood fell, in nats; below 0 where it rose."""
        return self.before.nll - self.after.nll

    @property
    def improves(self) -> bool:
        """Whether the negative log-likelihood fell at all."""
        return self.gain > 0


def unwatched(method: str, fold: int) -> None:
    """Watch nothing."""


def cross_validated(
    fit: Fit, examples: Examples, *, method: str = "", folds: int = 5, seed: int = 0, watch: Watch = unwatched
) -> CrossValidation:
    """Fit to all folds but one, score that one, for every fold in turn.

    Parameters
    ----------
    fit : callable
        Method to judge: ``fit(examples)`` gives a calibrator.
    examples : Examples
        Their weights count in the scores too.
    method : str
        What to call it; by default what its calibrators are called.
    folds, seed : int
        The folds are stratified; they follow from the labels, their order and the seed.

    Raises
    ------
    ValueError
        There are fewer rows than folds, or the method refuses a fold.
    """
    (result,) = _judged({method: fit}, examples, folds, seed, watch).values()
    if isinstance(result, ValueError):
        raise result
    return result


def _judged(
    fits: Mapping[str, Fit], examples: Examples, folds: int, seed: int, watch: Watch
) -> dict[str, CrossValidation | ValueError]:
    """Go once over the folds with all methods, which share what they have in common; a refusal is an answer too."""
    fold_of = stratified_folds(examples.labels, folds, seed)
    held_out = [np.flatnonzero(fold_of == fold) for fold in range(folds)]
    fitted: dict[str, list[Calibrator]] = {name: [] for name in fits}
    parts: dict[str, list[RowScores]] = {name: [] for name in fits}
    refused: dict[str, CrossValidation | ValueError] = {}
    for fold, rows in enumerate(held_out):
        kept = examples.subset(np.flatnonzero(fold_of != fold))
        for name, fit in fits.items():
            if name not in refused:
                watch(name, fold + 1)
                try:
                    calibrator = _fitted(fit, kept, examples, f"the rows outside fold {fold + 1}")
                except ValueError as error:
                    refused[name] = error
                    continue
                fitted[name].append(calibrator)
                parts[name].append(row_scores(calibrator.log_p, examples, rows))
    before = row_scores(log_softmax_rows, examples)
    return refused | {
        name: _result(name, tuple(fitted[name]), before, RowScores.placed(parts[name], held_out), examples, seed)
        for name in fits
        if name not in refused
    }


def _result(
    name: str, fits: tuple[Calibrator, ...], before: RowScores, after: RowScores, examples: Examples, seed: int
) -> CrossValidation:
    return CrossValidation(
        method=name or fits[0].name,
        folds=len(fits),
        seed=seed,
        rows=examples.rows,
        before=before.mean(examples.weights),
        after=after.mean(examples.weights),
        gain_error=paired_error(before, after, examples.weights),
        impossible_rows=int(np.isinf(after.nll).sum()),
        fits=fits,
        row_scores=after,
    )


def _fitted(fit: Fit, kept: Examples, examples: Examples, where: str) -> Calibrator:
    try:
        return fit(kept)
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
    def joined(cls, parts: list[Self]) -> Self:
        """Put the scores of several sets of rows one after the other."""
        return cls(
            np.concatenate([part.nll for part in parts]),
            np.concatenate([part.brier for part in parts]),
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.correct for part in parts]),
        )

    @classmethod
    def placed(cls, parts: list[Self], rows: list[NDArray[Any]]) -> Self:
        """Put the scores of several sets of rows back to where the rows came from; every row is in one set."""
        order = np.argsort(np.concatenate(rows))
        found = cls.joined(parts)
        return cls(found.nll[order], found.brier[order], found.confidence[order], found.correct[order])

    def mean(self, weights: Values) -> Scores:
        """Weighted means; `weights`, shape (rows,), sum to 1."""
        return Scores(
            float(weights @ self.nll),
            float(weights @ self.brier),
            top_label_ece(self.confidence, self.correct, weights),
        )


_BLOCK_VALUES = 2**21
"""Of 16 MB: what is scored at a time takes several times as much for a moment."""


def row_scores(
    log_p: Callable[[Values], Values], examples: Examples, rows: NDArray[np.int64] | None = None
) -> RowScores:
    """Score some rows, all where none are named, by what `log_p` makes of their logits, a block at a time."""
    step = max(1, _BLOCK_VALUES // examples.classes)
    cuts = [slice(start, start + step) for start in range(0, examples.rows if rows is None else len(rows), step)]
    taken = cuts if rows is None else [rows[cut] for cut in cuts]
    return RowScores.joined([RowScores.of(log_p(examples.z[cut]), examples.labels[cut]) for cut in taken])


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
    examples: Examples,
    fits: Mapping[str, Fit] | None = None,
    *,
    folds: int = 5,
    seed: int = 0,
    watch: Watch = unwatched,
) -> Selection:
    """Cross-validate several methods, all of them where none is named, on the same folds.

    Raises
    ------
    ValueError
        The rows fit no method at all, or every method refuses them.
    """
    fits = {name: by_name(name).fit for name in names()} if fits is None else fits
    judged = _judged(fits, examples, folds, seed, watch)
    refused = tuple(Refusal(name, found) for name, found in judged.items() if isinstance(found, ValueError))
    results = [found for found in judged.values() if isinstance(found, CrossValidation)]
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
        refused,
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


def verdict(cross_validation: CrossValidation, fit: Fit, examples: Examples) -> Verdict:
    """Fit to all rows if cross-validation of the same `fit` on them says that it helps.

    Raises
    ------
    ValueError
        All rows together are refused.
    """
    kept = cross_validation.improves
    calibrator = fit(examples) if kept else IDENTITY
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
