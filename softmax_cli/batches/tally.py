"""What a run adds up to, batch by batch: the figures under the table, the same for a stream, a thread and an engine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.badrows import Policy

CONFIDENCE_UNIT = 2.0**-32
"""What confidences are counted in. A mean of rounded ones is off by half of that at most, 1.2e-10."""


def confidence_units(confidence: NDArray[np.floating]) -> int:
    """Add up confidences, 0 to 1, shape (rows,), each rounded to whole units; up to 2^31 rows."""
    return int(np.rint(confidence * (1 / CONFIDENCE_UNIT)).sum(dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Counts of what was scored; parts add up with `plus`.

    All figures are whole numbers, so they do not depend on how the rows were cut into batches or in which order these
    are added.
    """

    rows: int
    """Rows that were read, the bad ones among them."""
    bad_rows: int
    """Rows that no distribution follows from."""
    bad_policy: Policy
    """What became of the bad rows."""
    counts: NDArray[np.int64]
    """How many rows have each class as their most probable one, shape (classes,); adds up to `scored`."""
    confidence: int
    """Sum over the scored rows of the probability of the most probable class, as `confidence_units`."""

    def __post_init__(self) -> None:
        if int(self.counts.sum()) != self.scored:
            raise ValueError(f"counts add up to {self.counts.sum()}, but {self.scored} rows were scored")

    @property
    def scored(self) -> int:
        """Rows that have a distribution."""
        return self.rows - self.bad_rows

    @property
    def mean_confidence(self) -> float | None:
        """Mean probability of the most probable class, 0 to 1; None when no row was scored."""
        return self.confidence / self.scored * CONFIDENCE_UNIT if self.scored else None

    def plus(self, other: Tally) -> Tally:
        """Add the figures of the rows that follow.

        Raises
        ------
        ValueError
            The two are of runs with other classes or another policy, so that their sum would mean nothing.
        """
        if self.counts.shape != other.counts.shape:
            raise ValueError(f"{len(self.counts)} classes cannot be added to {len(other.counts)}")
        if self.bad_policy != other.bad_policy:
            raise ValueError(f"bad rows: {self.bad_policy} cannot be added to {other.bad_policy}")
        return Tally(
            rows=self.rows + other.rows,
            bad_rows=self.bad_rows + other.bad_rows,
            bad_policy=self.bad_policy,
            counts=self.counts + other.counts,
            confidence=self.confidence + other.confidence,
        )
