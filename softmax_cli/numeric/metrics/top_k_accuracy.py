"""Top-k accuracy: how often the truth is among the k likeliest classes, and what ties leave open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np

from softmax_cli.numeric.metrics import Definition, Metric, Parts, Plan
from softmax_cli.numeric.metrics._rows import Rows


@dataclass(frozen=True)
class TopK:
    """Rows with the truth among the k largest probabilities, for each k, ties to the earlier class.

    Classes that tie with the truth at the k-th place may be listed in any order; the pessimistic count puts the truth
    behind all of them and the optimistic one before, so a model that says the same of every class cannot pass for a
    good one.
    """

    rows: int
    hits: dict[int, tuple[int, int, int]]
    """Pessimistic, ties to the earlier class, optimistic; by k."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan) -> Self:
        """Rank the truths of a block of rows."""
        truth = rows.log_p_of_truth[:, None]
        above = (rows.log_p > truth).sum(axis=1)
        equal = rows.log_p == truth
        earlier = (equal & (np.arange(rows.classes) < rows.labels[:, None])).sum(axis=1)
        ranks = (above + equal.sum(axis=1) - 1, above + earlier, above)
        low, given, high = ({k: int((rank < k).sum()) for k in plan.top_k} for rank in ranks)
        return cls(len(rows), {k: (low[k], given[k], high[k]) for k in plan.top_k})

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if self.hits.keys() != other.hits.keys():
            raise ValueError(f"top {[*self.hits]} does not add up with top {[*other.hits]}")
        merged = {
            k: (low + other.hits[k][0], given + other.hits[k][1], high + other.hits[k][2])
            for k, (low, given, high) in self.hits.items()
        }
        return type(self)(self.rows + other.rows, merged)

    def value(self, k: int) -> float:
        """Share of rows, 0..1, ties to the earlier class."""
        return self.hits[k][1] / self.rows if self.rows else nan

    def bounds(self, k: int) -> tuple[float, float]:
        """Pessimistic and optimistic share; equal where no tie matters."""
        low, _, high = self.hits[k]
        return (low / self.rows, high / self.rows) if self.rows else (nan, nan)


def _note(parts: Parts, k: int) -> str:
    low, high = parts[TopK].bounds(k)
    return "no tie matters" if not low < high else f"ties leave open {low:.6g} to {high:.6g}"


def _definition(k: int) -> Definition:
    return Definition(
        f"top_{k}_accuracy", f"top-{k} accuracy", lambda parts: parts[TopK].value(k), lambda parts: _note(parts, k)
    )


def figures(plan: Plan) -> Iterator[Definition]:
    """One for every k."""
    yield from map(_definition, plan.top_k)


METRIC = Metric(rank=20, folds=lambda plan: (TopK,) if plan.top_k else (), figures=figures)
