"""How a calibration is found: by one method, by the paper's grid, by the best of all methods, or not at all.

Every plan ends in the same `Fitted`: the calibrator, what it did on rows that it was not fitted to, and the fits of the
folds, with which thresholds can be chosen on held-out rows too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self, cast

from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.numeric.calibration import Calibrator, by_name, names
from softmax_cli.numeric.calibration.fitting.examples import AbsentClasses, Examples
from softmax_cli.numeric.calibration.fitting.rows import log_softmax_rows
from softmax_cli.numeric.calibration.model_selection.cross_validation import CrossValidation, Fit, cross_validated
from softmax_cli.numeric.calibration.model_selection.scores import RowScores
from softmax_cli.numeric.calibration.model_selection.selection import Refusal, Selection, select
from softmax_cli.numeric.calibration.model_selection.verdict import verdict
from softmax_cli.numeric.calibration.temperature import IDENTITY, Temperature
from softmax_cli.runs.fitted import UNFITTED, Fitted, Fitting, Plan, named

_FULL_MATRIX = ("matrix", "dirichlet")
_MOST_CLASSES = 200
"""Up to so many classes a comparison of all methods tries those with a parameter for every pair of classes."""


@dataclass(frozen=True, slots=True)
class OneMethod:
    """Maximum likelihood, unless that does not help on held-out rows."""

    method: str
    keep: bool = False
    """Keep the fit even so."""

    def __call__(self, fitting: Fitting) -> Fitted:
        """Fit and judge."""
        method = _Remembering.of(self.method)
        result = cross_validated(method.fit, fitting.z, fitting.labels, folds=fitting.folds, seed=fitting.seed)
        if not self.keep or result.improves:
            return _judged(method, result, fitting)
        fold_fits, warnings = tuple(method.fits), (_kept_anyway(result, "--keep-fit"),)
        calibrator = method.fit(fitting.z, fitting.labels)
        return Fitted(calibrator, "nll", result.before, result.after, result, fold_fits, warnings=warnings)


@dataclass(frozen=True, slots=True)
class BestMethod:
    """Of all methods the one with the least cross-validated negative log-likelihood."""

    def __call__(self, fitting: Fitting) -> Fitted:
        """Compare, fit and judge."""
        classes = fitting.z.shape[1]
        left_out = _FULL_MATRIX if classes > _MOST_CLASSES else ()
        methods = [_Remembering.of(name) for name in names() if name not in left_out]
        told = ValueError(f"{classes}^2 parameters take hours to compare; ask for it alone with --method")
        found = select(
            fitting.z,
            fitting.labels,
            methods=[cast("type[Calibrator]", method) for method in methods],
            folds=fitting.folds,
            seed=fitting.seed,
        )
        found = replace(found, refused=(*found.refused, *(Refusal(name, told) for name in left_out)))
        best = next(method for method in methods if method.name == found.best.method)
        return _judged(best, found.best, fitting, found)


@dataclass(frozen=True, slots=True)
class EceGrid:
    """The temperature of least ECE, as the focal-loss papers chose it; kept whatever it does to the likelihood."""

    def __call__(self, fitting: Fitting) -> Fitted:
        """Search the grid, and judge."""
        grid = _Remembering(Temperature.fit_ece_grid, Temperature.name)
        result = cross_validated(grid.fit, fitting.z, fitting.labels, folds=fitting.folds, seed=fitting.seed)
        calibrator = Temperature.fit_ece_grid(fitting.z, fitting.labels)
        warnings = () if result.improves else (_kept_anyway(result, "--objective ece-grid"),)
        return Fitted(calibrator, "ece-grid", result.before, result.after, result, tuple(grid.fits), warnings=warnings)


@dataclass(frozen=True, slots=True)
class Given:
    """A calibrator that has not seen these rows: the identity, or one from a file."""

    calibrator: Calibrator = IDENTITY

    def __call__(self, fitting: Fitting) -> Fitted:
        """Judge only."""
        examples = Examples.checked(fitting.z, fitting.labels)
        before, after = (
            RowScores.of(log_p, examples.labels).mean(examples.weights)
            for log_p in (log_softmax_rows(examples.z), self.calibrator.log_p(examples.z))
        )
        return Fitted(self.calibrator, UNFITTED, before, after)


def _kept_anyway(result: CrossValidation, flag: str) -> str:
    before, after = result.before.nll, result.after.nll
    return f"log loss does not improve on held-out rows ({before:.6g} to {after:.6g}); {flag} keeps the fit"


def _judged(
    method: _Remembering, result: CrossValidation, fitting: Fitting, selection: Selection | None = None
) -> Fitted:
    fold_fits = tuple(method.fits)
    found = verdict(result, method.fit, fitting.z, fitting.labels)
    return Fitted(
        found.calibrator,
        "nll",
        result.before,
        result.after if found.kept else result.before,
        result,
        fold_fits if found.kept else (),
        selection,
        found.warnings,
    )


class _Remembering:
    """A method that keeps what it has fitted, fold after fold: thresholds need the same fits."""

    def __init__(self, fit: Fit, name: str) -> None:
        self.name = name
        self._fit = fit
        self.fits: list[Calibrator] = []

    @classmethod
    def of(cls, method: str) -> Self:
        """Take a method by its name."""
        return cls(by_name(method).fit, method)

    def fit(self, z: NDArray[Any], labels: NDArray[Any], weights: NDArray[Any] | None = None) -> Calibrator:
        """Fit, and keep it."""
        self.fits.append(self._fit(z, labels, weights))
        return self.fits[-1]


def carried_out(plan: Plan, fitting: Fitting, classes: tuple[str, ...]) -> Fitted:
    """Carry out a plan, and tell in the user's words what stands in its way.

    Raises
    ------
    DataError
        The rows determine no such calibration.
    """
    try:
        return plan(fitting)
    except AbsentClasses as error:
        raise DataError(f"{named(error, classes)}; --method temperature needs no row of each class") from error
    except ValueError as error:
        raise DataError(f"no calibration follows from these rows: {error}") from error
