"""Histogram binning, one class against the rest: the share of true rows among those with a similar probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix
from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._one_vs_rest import StepCurves, equal_mass_edges, fit_each

BINS = 15
"""At most: half of their ends part the rows into equal numbers, half part 0 to 1 into equal widths."""

Edges = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Histogram(StepCurves):
    """q = the share of rows of the class among those in the same bin (lo, hi] of p, divided by the sum over classes.

    With bins of equal numbers of rows alone, all that are likely of one of a hundred classes would fall into one bin;
    with bins of equal width alone (Guo et al. 2017), nearly all rows into the first.

    A share counts one more row, split as the class is among all rows (an m-estimate with m = 1): no bin then says 0
    or 1 for sure.

    Notes
    -----
    Zadrozny & Elkan (2001), "Obtaining calibrated probability estimates from decision trees and naive Bayesian
    classifiers", ICML: histogram binning, and the m-estimate.
    """

    name: ClassVar[str] = "histogram"

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Count rows in bins; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        return cls.of(fit_each(examples, _bins))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return self.apply(z)

    def describe(self) -> str:
        """One line for people."""
        return f"one class against the rest, histogram: {self.free_parameters} bins in {len(self.levels)} classes"


def _bins(probability: Edges, truth: Edges, weights: Edges) -> tuple[Edges, Edges]:
    edges = _edges(probability)
    of_row = np.searchsorted(edges, probability, side="left")
    rows = np.bincount(of_row, weights=weights, minlength=len(edges) + 1)
    true_rows = np.bincount(of_row, weights=weights * truth, minlength=len(edges) + 1)
    share = true_rows.sum() / rows.sum()
    return edges, np.clip((true_rows + share) / (rows + 1), 0, 1)


def _edges(ascending: Edges) -> Edges:
    """Upper ends of all bins but the last, none of which is empty; each half way between two rows."""
    half = (BINS + 1) // 2
    edges = np.concatenate([equal_mass_edges(ascending, half), np.arange(1, half) / half])
    below = np.unique(np.searchsorted(ascending, edges, side="right"))
    below = below[(below > 0) & (below < len(ascending))]
    return (ascending[below - 1] + ascending[below]) / 2
