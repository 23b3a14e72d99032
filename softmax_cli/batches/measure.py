"""The fold of ``evaluate``: a table and its slices, batch by batch.

A part has the same bits however the rows were cut into batches; parts are added in the order of the input all the
same, because a few keep their rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.judge import Judged
from softmax_cli.batches.parts import Parts, Plan
from softmax_cli.errors import UsageError
from softmax_cli.numeric.metrics.auroc import Auroc

MOST_SLICES = 100
"""Every slice keeps parts of its own; a column of ids would make one of each row."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What is known of the rows so far: all of them together, and slice by slice."""

    whole: Parts
    auroc: Auroc
    """Of the whole alone: its parts are large."""
    slices: dict[str, Parts] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, judged: Judged) -> Self:
        """Measure one batch."""
        slices = {
            name: Parts.of(plan, judged.log_p[rows], judged.labels[rows], _some(judged.sets, rows))
            for name, rows in judged.slices.items()
        }
        whole = Parts.of(plan, judged.log_p, judged.labels, judged.sets)
        return cls(whole, Auroc.of(judged.log_p, judged.labels), slices)

    def plus(self, other: Self) -> Self:
        """Merge with the rows that follow; slices stand in the order in which they came up.

        Raises
        ------
        UsageError
            There are too many slices.
        """
        slices = dict(self.slices)
        for name, parts in other.slices.items():
            slices[name] = slices[name].plus(parts) if name in slices else parts
        if len(slices) > MOST_SLICES:
            raise UsageError(f"--by: the column has more than {MOST_SLICES} values; name one with fewer")
        return type(self)(self.whole.plus(other.whole), self.auroc.plus(other.auroc), slices)


def _some(sets: NDArray[np.bool_] | None, rows: NDArray[np.intp]) -> NDArray[np.bool_] | None:
    return None if sets is None else sets[rows]
