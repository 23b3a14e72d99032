"""Smooth calibration error: no bins, the width of the smoothing follows from the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan, pi
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import Definition, Metric, Plan
from softmax_cli.numeric.metrics._rows import Rows, on_grid

_CELLS = 1 << 12
"""Cells of 0..1. A residual split over two nodes is off by less than (cell / bandwidth)^2 / 8 of its size."""
_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class SmoothEce:
    """smECE of the predicted class: the mean residual after smoothing by a Gaussian as wide as the result itself.

    Residuals (correct - confidence) are smoothed along the confidence by a Gaussian reflected at 0 and 1; the wider
    it is, the smaller the mean of their size, and smECE is the one bandwidth that equals it. Within a constant factor
    of the distance to the nearest calibrated predictor, and continuous: a confidence that moves across the edge of a
    bin changes nothing.

    Rows are kept as sums on 4,097 nodes, so memory does not grow with them. For a figure of 0.01 the grid is wrong by
    less than 1e-4 of it; one below 0.0005 says no more than that.

    Notes
    -----
    Blasiok & Nakkiran (2023), "Smooth ECE: principled reliability diagrams via kernel smoothing", arXiv:2309.12236.
    """

    rows: int
    residual: ExactSum
    """Sum of the residuals at every node, shape (nodes,)."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Put the residuals of a block of rows on the grid."""
        residual = rows.correct - rows.confidence
        place = rows.confidence * _CELLS
        left = np.minimum(place.astype(np.intp), _CELLS - 1)
        to_right = on_grid(residual * (place - left))
        parts = np.concatenate([on_grid(residual) - to_right, to_right])
        return cls(len(rows), ExactSum.of(parts, np.concatenate([left, left + 1]), _CELLS + 1))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.rows + other.rows, self.residual.plus(other.residual))

    @property
    def value(self) -> float:
        """The bandwidth, 0..1, at which the mean size of the smoothed residuals is the bandwidth itself."""
        if not self.rows:
            return nan
        frequencies = self._frequencies()
        low, high = 0.0, 1.0
        while high - low > _TOLERANCE:
            middle = (low + high) / 2
            if _smoothed_size(frequencies, middle) > middle:
                low = middle
            else:
                high = middle
        return high

    def _frequencies(self) -> NDArray[np.float64]:
        from scipy.fft import dct

        residual = self.residual.values / self.rows
        # The transform counts the inner nodes twice and the outer ones once.
        residual[[0, -1]] *= 2
        return np.asarray(dct(residual, type=1) / 2, np.float64)


def _smoothed_size(frequencies: NDArray[np.float64], bandwidth: float) -> float:
    """Integrate |smoothed residuals|: a reflected Gaussian shrinks the k-th cosine by exp(-(pi k bandwidth)^2 / 2)."""
    from scipy.fft import dct

    shrink = np.exp(-((pi * bandwidth * np.arange(len(frequencies))) ** 2) / 2)
    density = np.abs(dct(frequencies * shrink, type=1))
    return float((density.sum() - (density[0] + density[-1]) / 2) / _CELLS)


def figures(plan: Plan) -> Iterator[Definition]:
    """The fixed point."""
    yield Definition(
        "smooth_ece",
        "smooth ECE",
        lambda parts: parts[SmoothEce].value,
        lambda parts: "top-label, needs no bins",
        decides=True,
    )


METRIC = Metric(rank=100, folds=lambda plan: (SmoothEce,), figures=figures)
