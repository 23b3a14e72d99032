"""Bootstrap intervals of figures that are means over rows: log loss, Brier score, accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.bootstrap import REPLICATES, interval, weights
from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics.ratio import ratio
from softmax_cli.numeric.metrics.weighted import drawn_rows, weighted_sum

_ROWS = 1 << 11
"""Rows whose weights are drawn at a time: 3 MB as float64 for 200 replicates, which stays in the cache."""


@dataclass(frozen=True, eq=False)
class MeanIntervals:
    """Poisson-bootstrap replicates of the means of several figures of a row, drawn together.

    Memory does not grow with the rows.

    A replicate divides by the rows that it drew. The limits are the percentiles of the replicates.
    """

    seed: int
    rows: NDArray[np.int64]
    """Rows drawn, shape (replicates,)."""
    sums: Mapping[str, ExactSum]
    """Sum of each figure over the drawn rows where it is finite, one group for each replicate."""
    infinite: Mapping[str, NDArray[np.int64]]
    """Drawn rows where it is infinite, shape (replicates,)."""

    @classmethod
    def of(
        cls, figures: Mapping[str, NDArray[np.float64]], *, first_row: int, seed: int = 0, replicates: int = REPLICATES
    ) -> Self:
        """Resample a block of rows.

        Parameters
        ----------
        figures : mapping of name to array, shape (rows,)
            For instance ``{"log_loss": row_log_loss(log_p, labels), "accuracy": correct}``; not below 0, inf allowed.
        first_row : int
            Number of the first row of the block in the whole table: what makes the draw independent of the cut.
        seed, replicates : int
            As for `weights`.

        Raises
        ------
        ValueError
            A figure is nan, or `seed` or `first_row` is out of range.
        """
        (count,) = {len(figure) for figure in figures.values()}
        drawn = np.zeros(replicates, np.int64)
        sums = {name: ExactSum.zero(replicates) for name in figures}
        infinite = {name: np.zeros(replicates, np.int64) for name in figures}
        for start in range(0, count, _ROWS):
            rows = min(_ROWS, count - start)
            weight = weights(seed, first_row + start, rows, replicates).astype(np.float64)
            drawn += drawn_rows(weight, np.ones(rows))
            for name, figure in figures.items():
                block = np.asarray(figure[start : start + rows], np.float64)
                beyond = block == inf
                sums[name] = sums[name].plus(weighted_sum(weight, np.where(beyond, 0.0, block)))
                infinite[name] += drawn_rows(weight, beyond)
        return cls(seed, drawn, sums, infinite)

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows of the same table.

        Raises
        ------
        ValueError
            The parts were drawn with different seeds, replicates or figures.
        """
        if (self.seed, len(self.rows), set(self.sums)) != (other.seed, len(other.rows), set(other.sums)):
            raise ValueError("replicates of different seeds, numbers or figures do not add up")
        return type(self)(
            self.seed,
            self.rows + other.rows,
            {name: part.plus(other.sums[name]) for name, part in self.sums.items()},
            {name: part + other.infinite[name] for name, part in self.infinite.items()},
        )

    def replicates(self, name: str) -> NDArray[np.float64]:
        """Mean of a figure in every replicate, shape (replicates,); nan where no row was drawn."""
        return np.where(self.infinite[name] > 0, inf, ratio(self.sums[name].values, self.rows))

    def interval(self, name: str, *, level: float = 0.95) -> tuple[float, float]:
        """Percentile limits of the mean of a figure."""
        return interval(self.replicates(name), level=level)

    @property
    def value(self) -> dict[str, tuple[float, float]]:
        """95 % limits of every figure."""
        return {name: self.interval(name) for name in self.sums}
