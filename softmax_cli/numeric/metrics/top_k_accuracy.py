"""Top-k accuracy: how often the truth is among the k likeliest classes, and what ties leave open."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics.top_label import log_p_of_truth


@dataclass(frozen=True)
class TopKAccuracy:
    """Share of rows with the truth among the k largest probabilities, ties to the earlier class.

    Classes that tie with the truth at the k-th place may be listed in any order; `pessimistic` puts the truth behind
    all of them and `optimistic` before, so a model that says the same of every class cannot pass for a good one.
    """

    k: int
    rows: int
    hits: int
    surely: int
    possibly: int

    @classmethod
    def of(cls, log_p: NDArray[np.float64], labels: NDArray[np.integer], *, k: int = 5) -> Self:
        """Judge a block of rows.

        Raises
        ------
        ValueError
            `k` is below 1.
        """
        if k < 1:
            raise ValueError(f"k {k}: at least one class has to be listed")
        truth = log_p_of_truth(log_p, labels)[:, None]
        above = (log_p > truth).sum(axis=1)
        equal = log_p == truth
        earlier = (equal & (np.arange(log_p.shape[1]) < np.asarray(labels)[:, None])).sum(axis=1)
        hits, surely, possibly = (
            int((rank < k).sum()) for rank in (above + earlier, above + equal.sum(axis=1) - 1, above)
        )
        return cls(k, len(log_p), hits, surely, possibly)

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if self.k != other.k:
            raise ValueError(f"top-{self.k} does not add up with top-{other.k}")
        return type(self)(
            self.k,
            self.rows + other.rows,
            self.hits + other.hits,
            self.surely + other.surely,
            self.possibly + other.possibly,
        )

    @property
    def value(self) -> float:
        """Share of rows, 0..1, ties to the earlier class."""
        return self.hits / self.rows if self.rows else nan

    @property
    def bounds(self) -> tuple[float, float]:
        """Pessimistic and optimistic share; equal where no tie matters."""
        return (self.surely / self.rows, self.possibly / self.rows) if self.rows else (nan, nan)
