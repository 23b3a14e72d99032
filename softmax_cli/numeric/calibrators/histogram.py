"""Histogram binning, one class against the rest: the share of true rows among those with a similar probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix
from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._one_vs_rest import (
    apply_each,
    check_probabilities,
    check_rising,
    equal_mass_edges,
    fit_each,
)
from softmax_cli.numeric.calibrators._parameters import OfCurves

BINS = 15
"""Of equal numbers of rows; fewer where many probabilities are equal."""

Edges = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Histogram(OfCurves):
    """q = the share of rows of the class among those in the same bin (lo, hi] of p, divided by the sum over classes.

    A share counts one more row, split as the class is among all rows (an m-estimate with m = 1): no bin then says 0
    or 1 for sure.

    Notes
    -----
    Zadrozny & Elkan (2001), "Obtaining calibrated probability estimates from decision trees and naive Bayesian
    classifiers", ICML: histogram binning, and the m-estimate.
    """

    name: ClassVar[str] = "histogram"

    edges: tuple[Edges, ...]
    """For each class, the upper ends of all bins but the last, rising."""
    levels: tuple[Edges, ...]
    """For each class, the probability after, one for each bin."""

    def __post_init__(self) -> None:
        if [len(edges) + 1 for edges in self.edges] != [len(levels) for levels in self.levels]:
            raise ValueError(
                "'edges' and 'levels' do not belong together: expected one level more than edges in each class"
            )
        for edges, levels in zip(self.edges, self.levels, strict=True):
            check_rising(edges, "edge")
            check_probabilities(levels, "levels")

    @property
    def free_parameters(self) -> int:
        """Bins of all classes together."""
        return sum(map(len, self.levels))

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Count rows in bins of equal mass; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        curves = fit_each(examples, _bins)
        return cls(tuple(edges for edges, _ in curves), tuple(levels for _, levels in curves))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        curves = list(zip(self.edges, self.levels, strict=True))
        return apply_each(z, curves, lambda p, edges, levels: levels[np.searchsorted(edges, p, side="left")])

    def describe(self) -> str:
        """One line for people."""
        return f"one class against the rest, histogram: {self.free_parameters} bins in {len(self.levels)} classes"


def _bins(probability: Edges, truth: Edges, weights: Edges) -> tuple[Edges, Edges]:
    edges = equal_mass_edges(probability, BINS)
    of_row = np.searchsorted(edges, probability, side="left")
    rows = np.bincount(of_row, weights=weights, minlength=len(edges) + 1)
    true_rows = np.bincount(of_row, weights=weights * truth, minlength=len(edges) + 1)
    share = true_rows.sum() / rows.sum()
    return edges, np.clip((true_rows + share) / (rows + 1), 0, 1)
