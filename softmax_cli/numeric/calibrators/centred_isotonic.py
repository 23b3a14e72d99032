"""Centred isotonic regression, one class against the rest: a curve that rises wherever the rows say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._one_vs_rest import fit_each, isotonic_steps
from softmax_cli.numeric.calibrators.isotonic import Isotonic

Knots = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CentredIsotonic(Isotonic):
    """q = straight lines through the middles of the pieces of `Isotonic`, divided by the sum over classes.

    Isotonic regression is flat over each piece and rises between two of them: all rows of a piece get the same
    probability, and their order is lost. Through the middle of each piece (the mean of its rows), at the same level,
    the curve keeps the order and estimates as well. Pieces of which no row was true, or all, stay flat: nothing there
    says that the curve rises.

    Notes
    -----
    Oron & Flournoy (2017), "Centered isotonic regression: point and interval estimation for dose-response studies",
    Statistics in Biopharmaceutical Research 9(3).
    """

    name: ClassVar[str] = "centred-isotonic"

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Isotonic regression, then the middles; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            A class has no example.
        """
        return cls.of(fit_each(examples, _curve))

    def describe(self) -> str:
        """One line for people."""
        counted = f"{self.free_parameters} levels in {len(self.levels)} classes"
        return f"one class against the rest, centred isotonic: {counted}"


def _curve(probability: Knots, truth: Knots, weights: Knots) -> tuple[Knots, Knots]:
    found = isotonic_steps(probability, truth, weights)
    first, last = found.points[found.start[:-1]], found.points[found.start[1:] - 1]
    rows = np.add.reduceat(found.mass, found.start[:-1])
    middle = np.clip(np.add.reduceat(found.mass * found.points, found.start[:-1]) / rows, first, last)
    knots = np.stack([np.where(found.certain, first, middle), np.where(found.certain, last, middle)], axis=1)
    keep = np.stack([np.ones(len(knots), np.bool_), knots[:, 0] < knots[:, 1]], axis=1)
    return knots[keep], np.repeat(found.level, 2)[keep.ravel()]
