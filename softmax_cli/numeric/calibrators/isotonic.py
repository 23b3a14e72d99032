"""Isotonic regression, one class against the rest: the best non-decreasing curve, whatever its form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix
from softmax_cli.numeric.calibrators._one_vs_rest import apply_each, check_probabilities, check_rising, fit_each
from softmax_cli.numeric.calibrators._parameters import OfCurves

Knots = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Isotonic(OfCurves):
    """q = a non-decreasing function of p for each class, divided by their sum; straight lines between the knots.

    It reaches 0 and 1: a truth to which it gives 0 costs an infinite log loss, which cross-validation shows. A row
    where every class gets 0 stays as it was.

    Notes
    -----
    Zadrozny & Elkan (2002), KDD; pool-adjacent-violators of scipy.
    """

    name: ClassVar[str] = "isotonic"

    knots: tuple[Knots, ...]
    """For each class, probabilities before, rising."""
    levels: tuple[Knots, ...]
    """For each class, probabilities after, at the knots; never falling."""

    def __post_init__(self) -> None:
        if [len(knots) for knots in self.knots] != [len(levels) for levels in self.levels]:
            raise ValueError("'knots' and 'levels' differ in length: expected one level for each knot of each class")
        for knots, levels in zip(self.knots, self.levels, strict=True):
            check_rising(knots, "knot")
            check_probabilities(levels, "levels")
            if len(levels) == 0 or (np.diff(levels) < 0).any():
                raise ValueError("the levels of a class fall, or there are none: expected a curve that never falls")

    @property
    def free_parameters(self) -> int:
        """Distinct levels of all classes together."""
        return sum(len(np.unique(levels)) for levels in self.levels)

    @classmethod
    def fit(cls, z: Matrix, labels: NDArray[Any], weights: NDArray[Any] | None = None) -> Self:
        """Least squares among the non-decreasing curves; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        curves = fit_each(z, labels, weights, _curve)
        return cls(tuple(knots for knots, _ in curves), tuple(levels for _, levels in curves))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return apply_each(z, list(zip(self.knots, self.levels, strict=True)), np.interp)

    def describe(self) -> str:
        """One line for people."""
        return f"one class against the rest, isotonic: {self.free_parameters} levels in {len(self.levels)} classes"


def _curve(probability: Knots, truth: Knots, weights: Knots) -> tuple[Knots, Knots]:
    from scipy.optimize import isotonic_regression

    # Equal probabilities must get one level: they count as one point with their mean.
    points, at = np.unique(probability, return_inverse=True)
    mass = np.bincount(at, weights=weights)
    levels = np.clip(isotonic_regression(np.bincount(at, weights=weights * truth) / mass, weights=mass).x, 0, 1)
    # Inside a flat piece nothing changes: its two ends are enough.
    inner = np.zeros(len(levels), np.bool_)
    inner[1:-1] = (levels[1:-1] == levels[:-2]) & (levels[1:-1] == levels[2:])
    return points[~inner], levels[~inner]
