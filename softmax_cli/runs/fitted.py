"""What a calibration is fitted to, and what comes of it: the same for every way of fitting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration import Calibrator
from softmax_cli.numeric.calibration.fitting.examples import AbsentClasses
from softmax_cli.numeric.calibration.model_selection.cross_validation import CrossValidation
from softmax_cli.numeric.calibration.model_selection.scores import Scores
from softmax_cli.numeric.calibration.model_selection.selection import Selection

UNFITTED = "none"
"""The objective of a calibration that nothing was fitted for."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """Rows to fit to, and how they are cut into folds."""

    z: NDArray[np.float64]
    """Shape (rows, classes)."""
    labels: NDArray[np.int64]
    """Shape (rows,)."""
    folds: int
    seed: int


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


class Plan(Protocol):
    """Finds a calibration for rows."""

    def __call__(self, fitting: Fitting) -> Fitted:
        """Fit; ValueError where the rows determine no such calibration."""


def named(error: ValueError, classes: tuple[str, ...]) -> str:
    """Tell why a method refuses rows, with the names of classes in the place of their numbers."""
    if not isinstance(error, AbsentClasses):
        return str(error)
    shown = ", ".join(classes[index] for index in error.classes[:5])
    more = f" and {len(error.classes) - 5} more" if len(error.classes) > 5 else ""
    return f"none of {error.where} is labelled {shown}{more}, and every class needs an example"
