"""What prediction sets promised and kept: coverage and size, overall and by class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.metrics import ANY_SIZE, Column, Definition, Metric, Plan
from softmax_cli.numeric.metrics._rows import Rows, ratio


@dataclass(frozen=True, eq=False)
class Coverage:
    """How often a prediction set holds the truth, and how many classes it holds; counted by true class."""

    support: NDArray[np.int64]
    """Rows, shape (classes,)."""
    covered: NDArray[np.int64]
    """Rows whose set holds the truth."""
    size: NDArray[np.int64]
    """Classes in the sets of these rows, added up."""
    sizes: NDArray[np.int64]
    """Rows by the size of their set, shape (classes + 1,)."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan | None = None) -> Self:
        """Count a block of rows that have prediction sets."""
        sets, labels, classes = rows.sets, rows.labels, rows.classes
        assert sets is not None, "a plan with sets is made for rows with sets"
        held = sets.sum(axis=1)
        return cls(
            np.bincount(labels, minlength=classes),
            np.bincount(labels[sets[np.arange(len(rows)), labels]], minlength=classes),
            np.bincount(labels, held, classes).astype(np.int64),
            np.bincount(held, minlength=classes + 1),
        )

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        if len(self.support) != len(other.support):
            raise ValueError(f"{len(self.support)} classes do not add up with {len(other.support)}")
        return type(self)(
            self.support + other.support, self.covered + other.covered, self.size + other.size, self.sizes + other.sizes
        )

    @property
    def value(self) -> float:
        """Share of rows whose set holds the truth, 0..1."""
        rows = int(self.support.sum())
        return int(self.covered.sum()) / rows if rows else nan

    @property
    def mean_size(self) -> float:
        """Mean number of classes in a set."""
        rows = int(self.support.sum())
        return int(self.size.sum()) / rows if rows else nan

    @property
    def by_class(self) -> NDArray[np.float64]:
        """Coverage of each true class, shape (classes,); nan where it has no row."""
        return ratio(self.covered, self.support)

    @property
    def mean_size_by_class(self) -> NDArray[np.float64]:
        """Mean size of the sets of each true class, shape (classes,); nan where it has no row."""
        return ratio(self.size, self.support)


def figures(plan: Plan) -> Iterator[Definition]:
    """Coverage and size, where there are sets."""
    if not plan.sets:
        return
    yield Definition(
        "coverage",
        "set coverage",
        lambda parts: parts[Coverage].value,
        lambda parts: "share of sets that hold the truth",
    )
    yield Definition(
        "mean_set_size",
        "set size",
        lambda parts: parts[Coverage].mean_size,
        lambda parts: "classes in a set, mean",
        ANY_SIZE,
    )


def columns(plan: Plan) -> Iterator[Column]:
    """Coverage and size of every true class, where there are sets."""

    def column(name: str, title: str, values: Callable[[Coverage], NDArray[np.float64]], rank: int) -> Column:
        return Column(name, title, lambda parts: values(parts[Coverage]) if plan.sets else None, rank)

    yield column("coverage", "coverage", lambda fold: fold.by_class, 30)
    yield column("mean_set_size", "set size", lambda fold: fold.mean_size_by_class, 31)


METRIC = Metric(rank=150, folds=lambda plan: (Coverage,) if plan.sets else (), figures=figures, columns=columns)
