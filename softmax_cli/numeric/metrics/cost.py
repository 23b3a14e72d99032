"""Cost of the decisions of least expected cost: what they cost, and what the probabilities promised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.distributions.uncertainty import expected_costs
from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import Definition, Interval, Metric, Plan
from softmax_cli.numeric.metrics._replicates import MeanReplicates
from softmax_cli.numeric.metrics._rows import Rows


def row_costs(rows: Rows, costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the best decision of every row costs, and what it was expected to cost, shape (2, rows).

    Parameters
    ----------
    costs : array, shape (classes, decisions)
        As `expected_costs` takes them; of equals the first decision is taken.
    """
    expected = expected_costs(rows.p, costs)
    best = expected.argmin(axis=1)
    return np.stack([costs[rows.labels, best], np.take_along_axis(expected, best[:, None], axis=1)[:, 0]])


@dataclass(frozen=True, eq=False)
class Cost:
    """Costs added up, those that came about and those that were expected: equal where the model is calibrated."""

    rows: int
    totals: ExactSum

    @classmethod
    def of(cls, rows: Rows, plan: Plan) -> Self:
        """Add up a block of rows."""
        assert plan.costs is not None, "a plan without costs has no such fold"
        return cls(len(rows), ExactSum.of_rows(row_costs(rows, plan.costs)))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.rows + other.rows, self.totals.plus(other.totals))

    @property
    def means(self) -> tuple[float, float]:
        """Mean cost, and mean expected cost."""
        came, promised = self.totals.values.tolist()
        return (came / self.rows, promised / self.rows) if self.rows else (nan, nan)


class CostReplicates(MeanReplicates):
    """Replicates of the mean cost, less the least cost there is: what is resampled is not below 0."""

    @staticmethod
    def figure(rows: Rows, plan: Plan) -> NDArray[np.float64]:
        """Cost of the best decision of every row."""
        assert plan.costs is not None, "a plan without costs has no such figure"
        came: NDArray[np.float64] = row_costs(rows, plan.costs)[0] - plan.costs.min()
        return came


def figures(plan: Plan) -> Iterator[Definition]:
    """Both means, where there are costs."""
    if plan.costs is None:
        return
    least, greatest = float(plan.costs.min()), float(plan.costs.max())

    def limits(draws: MeanReplicates) -> tuple[float, float]:
        low, high = draws.limits
        return low + least, high + least

    yield Definition(
        "cost",
        "cost",
        lambda parts: parts[Cost].means[0],
        lambda parts: "mean, of the decisions of least expected cost",
        (least, greatest),
        Interval(CostReplicates, lambda draws, parts: limits(draws[CostReplicates])),
        decides=True,
    )
    yield Definition(
        "expected_cost",
        "  expected",
        lambda parts: parts[Cost].means[1],
        lambda parts: "what the probabilities promised for them",
        (least, greatest),
    )


METRIC = Metric(rank=105, folds=lambda plan: () if plan.costs is None else (Cost,), figures=figures)
