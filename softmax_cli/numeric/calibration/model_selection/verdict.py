"""The calibration to use: the fitted one, or none where it does not help on rows that it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from softmax_cli.numeric.calibration import Calibrator
from softmax_cli.numeric.calibration.model_selection.cross_validation import CrossValidation, Fit
from softmax_cli.numeric.calibration.temperature import IDENTITY


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
