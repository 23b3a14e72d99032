"""Every metric of some rows at once, in parts that add up exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from typing import Self

import numpy as np

from softmax_cli.errors import DataError, UsageError
from softmax_cli.evaluation.labelled import LabelledScores, Mistakes
from softmax_cli.numeric.bootstrap import weights
from softmax_cli.numeric.metrics import Fold, Parts, Plan, folds, replicates
from softmax_cli.numeric.metrics._bins import WidthBins
from softmax_cli.numeric.metrics._counts import ClassCounts, ConfidenceHistogram, Confusion
from softmax_cli.numeric.metrics._ranking import Ranking
from softmax_cli.numeric.metrics._rows import Rows

DIAGRAMS: tuple[type[Fold], ...] = (ClassCounts, WidthBins, Ranking, ConfidenceHistogram, Confusion)
"""What a report shows beside its figures."""

MOST_SLICES = 100
"""Every slice keeps parts of its own; a column of ids would make one of each row."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is known of the rows so far: all of them together, and slice by slice."""

    whole: Parts
    mistakes: Mistakes
    slices: dict[str, Parts] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, labelled: LabelledScores) -> Self:
        """Measure one batch.

        Raises
        ------
        DataError
            A part has grown too large.
        """
        rows = labelled.rows
        with _as_data_error():
            whole = parts_of((*folds(plan), *DIAGRAMS), rows, plan)
            kinds = (*folds(plan, in_slices=True), ClassCounts)
            slices = {name: parts_of(kinds, rows.take(some), plan) for name, some in labelled.slices.items()}
            return cls(whole, labelled.mistakes, slices)

    @property
    def rows(self) -> int:
        """Rows that were measured."""
        return self.whole[ClassCounts].rows

    def plus(self, other: Self) -> Self:
        """Merge with the rows that follow; slices stand in the order in which they came up.

        Raises
        ------
        DataError
            A part has grown too large.
        UsageError
            There are too many slices.
        """
        slices = dict(self.slices)
        with _as_data_error():
            for name, parts in other.slices.items():
                slices[name] = slices[name].plus(parts) if name in slices else parts
            whole = self.whole.plus(other.whole)
        if len(slices) > MOST_SLICES:
            raise UsageError(f"--by: the column has more than {MOST_SLICES} values; name one with fewer")
        return type(self)(whole, self.mistakes.plus(other.mistakes), slices)


def parts_of(kinds: Iterable[type[Fold]], rows: Rows, plan: Plan) -> Parts:
    """Measure a block of rows, each fold once."""
    return Parts({kind: kind.of(rows, plan) for kind in dict.fromkeys(kinds)})


@contextmanager
def _as_data_error() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise DataError(str(error)) from None


_DRAWN_ROWS = 1 << 11
"""Rows whose weights are drawn at a time: 3 MB as float64 for 200 replicates, which stays in the cache."""


def resample(plan: Plan, rows: Rows, first_row: int) -> Parts:
    """Resample one batch for the bootstrap.

    Parameters
    ----------
    first_row : int
        Number of the first of these rows in the whole table: what makes the draw independent of the cut.
    """
    kinds = replicates(plan)

    def part(start: int) -> Parts:
        block = rows.take(slice(start, start + _DRAWN_ROWS))
        weight = weights(plan.seed, first_row + start, len(block), plan.replicates).astype(np.float64)
        return Parts({kind: kind.of(block, plan, weight) for kind in kinds})

    return reduce(Parts.plus, map(part, range(0, max(len(rows), 1), _DRAWN_ROWS)))
