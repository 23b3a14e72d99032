"""Scaling-binning: a smooth curve for the confidence, then its mean over bins, whose error can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix, Parameters
from softmax_cli.numeric.calibrators._examples import Examples, log_one_minus
from softmax_cli.numeric.calibrators._one_vs_rest import check_probabilities, check_rising, equal_mass_edges
from softmax_cli.numeric.calibrators._parameters import number, numbers
from softmax_cli.numeric.calibrators._top_label import Confidence, top_confidence, with_confidence
from softmax_cli.numeric.calibrators.platt import Platt
from softmax_cli.numeric.calibrators.temperature import Temperature, temperature_or_one

BINS = 15
"""Of equal numbers of rows; fewer where many confidences are equal."""


@dataclass(frozen=True, eq=False)
class ScalingBinning:
    """Temperature scaling; then the confidence through a logistic curve and to the mean of the curve in its bin.

    The calibration error of a continuous curve cannot be measured: any binned figure is too low, by an amount that
    nobody knows. Histogram binning has a finite number of levels, which can be, but learns each from the few labels of
    its bin. Here the levels are means of a curve that was fitted to all rows, and as many rows give a smaller error.
    The other classes share the rest in their proportions.

    Notes
    -----
    Kumar, Liang & Ma (2019), "Verified uncertainty calibration", NeurIPS: bins of equal mass of the scaled confidence
    of the predicted class; curve and bins from the same rows, as in the authors' own code.
    """

    name: ClassVar[str] = "scaling-binning"

    temperature: float
    """T above 0."""
    slope: float
    """Of the confidence's log-odds."""
    intercept: float
    edges: NDArray[np.float64]
    """Upper ends of all bins of the scaled confidence but the last, rising."""
    levels: NDArray[np.float64]
    """Confidence in each bin; above 0 and below 1."""

    def __post_init__(self) -> None:
        if len(self.levels) != len(self.edges) + 1:
            raise ValueError("'edges' and 'levels' do not belong together: expected one level more than edges")
        check_rising(self.edges, "edge")
        check_probabilities(self.levels, "levels")
        if self.levels.min() <= 0 or self.levels.max() >= 1:
            raise ValueError("'levels' reach 0 or 1: expected confidences between them")

    @property
    def free_parameters(self) -> int:
        """T, slope and intercept, from which the levels follow."""
        return 3

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Maximum likelihood for T and for the curve; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            All predictions are right, or all are wrong.
        """
        first = Temperature(temperature_or_one(examples))
        best, log_confidence = top_confidence(first.log_p(examples.z))
        correct = best == examples.labels
        if correct.all() or not correct.any():
            which = "right" if correct.all() else "wrong"
            raise ValueError(f"every prediction of these rows is {which}: no curve of the confidence follows from them")
        two = np.stack([log_one_minus(log_confidence), log_confidence], axis=1)
        curve = Platt.fit(Examples(two, correct.astype(np.int64), examples.weights, examples.count))
        slope, intercept = float(curve.slope[1]), float(curve.intercept[1])
        scaled = logistic(log_confidence, slope, intercept)
        edges = equal_mass_edges(np.sort(scaled), BINS)
        place = np.searchsorted(edges, scaled, side="left")
        rows = np.bincount(place, weights=examples.weights, minlength=len(edges) + 1)
        levels = np.bincount(place, weights=examples.weights * scaled, minlength=len(edges) + 1) / rows
        return cls(first.temperature, slope, intercept, edges, levels)

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        log_p = Temperature(self.temperature).log_p(z)
        best, log_confidence = top_confidence(log_p)
        scaled = logistic(log_confidence, self.slope, self.intercept)
        return with_confidence(log_p, best, self.levels[np.searchsorted(self.edges, scaled, side="left")])

    def parameters(self) -> Parameters:
        """T, the curve, and the bins."""
        return {
            "temperature": self.temperature,
            "slope": self.slope,
            "intercept": self.intercept,
            "edges": self.edges.tolist(),
            "levels": self.levels.tolist(),
        }

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        temperature, slope, intercept = (number(parameters, name) for name in ("temperature", "slope", "intercept"))
        return cls(temperature, slope, intercept, numbers(parameters, "edges"), numbers(parameters, "levels"))

    def describe(self) -> str:
        """One line for people."""
        return (
            f"z/T, T = {self.temperature:.6g}, then the confidence to one of {len(self.levels)} levels from "
            f"{self.levels.min():.4g} to {self.levels.max():.4g}"
        )


def logistic(log_confidence: Confidence, slope: float, intercept: float) -> Confidence:
    """1/(1 + exp(-(slope log(p/(1-p)) + intercept))), within 1e-12 of neither 0 nor 1."""
    t = slope * (log_confidence - log_one_minus(log_confidence)) + intercept
    with np.errstate(under="ignore", over="ignore"):
        return np.asarray(np.clip(1 / (1 + np.exp(-t)), 1e-12, 1 - 1e-12), np.float64)
