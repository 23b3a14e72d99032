"""Spline calibration of the confidence: how far accuracy runs ahead of confidence, as a smooth function of the rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix, Parameters
from softmax_cli.numeric.calibrators._examples import Examples, log_softmax_rows
from softmax_cli.numeric.calibrators._one_vs_rest import check_rising
from softmax_cli.numeric.calibrators._parameters import vector
from softmax_cli.numeric.calibrators._top_label import Confidence, top_confidence, with_confidence

KNOTS = 6
"""Of the spline, as in the paper."""
POINTS = 200
"""At most so many of the confidences are kept, with straight lines between."""


@dataclass(frozen=True, eq=False)
class Spline:
    """Confidence of the predicted class through a curve; the other classes share the rest in their proportions.

    Bins make steps, and where the confidences crowd near 1 most of them say nothing. The sums over rows in rising order
    of (correct - confidence) need no bins; a cubic spline through them has a slope, which is what confidence lacks at
    that rank. The slope is bounded by nothing: it could lead below 0 or above 1, and to a certainty that the rows do
    not bear out; a confidence is therefore held within what one more row would leave (an m-estimate with m = 1).

    Notes
    -----
    Gupta, Rahimi, Ajanthan, Mensink, Sminchisescu & Hartley (2021), "Calibration of neural networks using splines",
    ICLR: natural cubic spline by least squares.
    """

    name: ClassVar[str] = "spline"

    knots: NDArray[np.float64]
    """Confidences before, rising."""
    levels: NDArray[np.float64]
    """Confidences after, at the knots; above 0 and below 1."""

    def __post_init__(self) -> None:
        check_rising(self.knots, "knot")
        if not ((self.levels > 0) & (self.levels < 1)).all():
            raise ValueError("'levels' reach 0 or 1: expected confidences between them")

    @property
    def free_parameters(self) -> int:
        """Values of the spline at its knots."""
        return KNOTS

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Least squares; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            All rows have the same confidence.
        """
        best, log_confidence = top_confidence(examples.rowwise(log_softmax_rows))
        order = np.argsort(log_confidence, kind="stable")
        confidence = np.exp(log_confidence[order])
        if confidence[0] == confidence[-1]:
            raise ValueError(f"all rows have the confidence {confidence[0]:.6g}: no curve follows from one point")
        correct = (best == examples.labels)[order].astype(np.float64)
        after = confidence + lacking(confidence, correct, examples.weights[order])
        rows = examples.count
        share = (rows * (examples.weights[order] @ correct) + 0.5) / (rows + 1)
        after = np.clip(after, share / (rows + 1), (rows + share) / (rows + 1))
        distinct = np.flatnonzero(np.diff(confidence, prepend=-1.0))
        chosen = distinct[np.unique(np.linspace(0, len(distinct) - 1, POINTS).round().astype(int))]
        return cls(confidence[chosen], after[chosen])

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        log_p = log_softmax_rows(z)
        best, log_confidence = top_confidence(log_p)
        return with_confidence(log_p, best, np.interp(np.exp(log_confidence), self.knots, self.levels))

    def parameters(self) -> Parameters:
        """Confidences before and after."""
        return {"knots": self.knots.tolist(), "levels": self.levels.tolist()}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        knots = vector(parameters, "knots")
        return cls(knots, vector(parameters, "levels", len(knots)))

    def describe(self) -> str:
        """One line for people."""
        low, high = f"{self.knots[0]:.4g} to {self.levels[0]:.4g}", f"{self.knots[-1]:.4g} to {self.levels[-1]:.4g}"
        return f"confidence through a spline with {KNOTS} knots: from {low} up to {high}"


def lacking(confidence: Confidence, correct: Confidence, weights: Confidence) -> Confidence:
    """What each confidence lacks: slope, at its rank, of the spline through the sums of (correct - confidence).

    Parameters
    ----------
    confidence : array, shape (rows,)
        In rising order.
    correct, weights : array, shape (rows,)
        1 or 0; the weights sum to 1.
    """
    from scipy.interpolate import CubicSpline

    rank = np.cumsum(weights)
    spline = CubicSpline(np.linspace(0, 1, KNOTS), np.eye(KNOTS), bc_type="natural")
    values, *_ = np.linalg.lstsq(spline(rank), np.cumsum(weights * (correct - confidence)), rcond=None)
    return np.asarray(spline.derivative()(rank) @ values, np.float64)
