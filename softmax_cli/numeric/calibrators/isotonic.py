"""Isotonic regression, one class against the rest: the best non-decreasing curve, whatever its form."""

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
    fit_each,
    isotonic_steps,
)
from softmax_cli.numeric.calibrators._parameters import OfCurves

Knots = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Isotonic(OfCurves):
    """q = a non-decreasing function of p for each class, divided by their sum; straight lines between the knots.

    It stays above 0 and below 1, where least squares alone would reach them (see `isotonic_steps`); all other levels
    are those of least squares.

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
    def fit(cls, examples: Examples) -> Self:
        """Least squares among the non-decreasing curves; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        return cls.of(fit_each(examples, _curve))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return apply_each(z, list(zip(self.knots, self.levels, strict=True)), np.interp)

    def describe(self) -> str:
        """One line for people."""
        return f"one class against the rest, isotonic: {self.free_parameters} levels in {len(self.levels)} classes"


def _curve(probability: Knots, truth: Knots, weights: Knots) -> tuple[Knots, Knots]:
    found = isotonic_steps(probability, truth, weights)
    # Inside a flat piece nothing changes: its two ends are enough.
    ends = np.stack([found.start[:-1], found.start[1:] - 1], axis=1)
    keep = np.stack([np.ones(len(ends), np.bool_), ends[:, 0] < ends[:, 1]], axis=1)
    return found.points[ends[keep]], np.repeat(found.level, 2)[keep.ravel()]
