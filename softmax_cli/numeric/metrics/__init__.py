"""The metrics: this folder is their registry, and a new metric is one new module in it.

A module holds `METRIC`: the figures that it gives, and the folds that these are computed from. A fold keeps what a
figure needs of some rows: ``of(rows, plan)`` makes it of a block, ``plus`` merges the folds of disjoint rows. Counts
are integers and real sums are `ExactSum`, so a figure has the same bits whatever the cut into blocks and the order of
merging. A figure of no rows at all is nan. Folds that several metrics or the diagrams of a report share lie in the
modules with an underscore.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from math import inf
from typing import Protocol, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.bootstrap import REPLICATES
from softmax_cli.numeric.metrics._rows import BINS, Rows


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured."""

    bins: int = BINS
    scheme: str = "width"
    """width or mass."""
    norm: str = "l1"
    kind: str = "top-label"
    """top-label or classwise."""
    top_k: tuple[int, ...] = (5,)
    clip: float | None = None
    """Keeps the probability of the truth within [clip, 1 - clip] for the log loss."""
    replicates: int = REPLICATES
    """Of the bootstrap; 0: no intervals."""
    seed: int = 0
    answer_from: float | None = None
    """Least confidence that is answered, of a calibration that abstains; None: it does not."""
    sets: bool = False
    """Whether there are prediction sets."""
    of_classes: bool = False
    """Whether a table of all classes is asked for: its errors are worth keeping every probability, for equal mass."""
    costs: NDArray[np.float64] | None = field(default=None, compare=False)
    """What decisions cost, shape (classes, decisions); None: nobody asks."""

    def __post_init__(self) -> None:
        if self.bins < 1:
            raise ValueError(f"{self.bins} bins: expected at least one")
        if not all(k >= 1 for k in self.top_k):
            raise ValueError(f"k {min(self.top_k)}: at least one class has to be listed")
        if self.clip is not None and not 0 < self.clip < 0.5:
            raise ValueError(f"clip {self.clip}: expected a probability strictly between 0 and 0.5")


class Part(Protocol):
    """What is kept of some rows."""

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows.

        Raises
        ------
        ValueError
            The parts are of different classes, bins or replicates, or they grow too large.
        """


class Fold(Part, Protocol):
    """What figures need of some rows."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan) -> Self:
        """Measure a block of rows."""


class Replicates(Part, Protocol):
    """What an interval needs of some rows: a fold for each replicate of the bootstrap."""

    @classmethod
    def of(cls, rows: Rows, plan: Plan, weight: NDArray[np.float64]) -> Self:
        """Resample a block of rows; `weight` says how often each replicate drew them, shape (rows, replicates)."""


F = TypeVar("F", bound=Part)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Parts of the same rows, by their class."""

    by_class: Mapping[type[Part], Part]

    def __getitem__(self, kind: type[F]) -> F:
        return cast("F", self.by_class[kind])

    def plus(self, other: Self) -> Self:
        """Merge with the parts of other rows, class by class."""
        return type(self)({kind: part.plus(other.by_class[kind]) for kind, part in self.by_class.items()})


Limits = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Interval:
    """How to get 95 % bootstrap limits."""

    replicates: type[Replicates]
    limits: Callable[[Parts, Parts], Limits]
    """From the replicates and the folds."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One figure: what it is called, what has to be said beside it, and how to get it from the folds."""

    name: str
    """Stable, for gates and programs: ``log_loss``."""
    title: str
    value: Callable[[Parts], float]
    note: Callable[[Parts], str]
    """Unit, range, settings, what the figure rests on."""
    range: Limits = (0.0, 1.0)
    """Least and greatest value that there can be."""
    interval: Interval | None = None
    """None: it has no limits."""
    decides: bool = False
    """Whether it is one of the few that are looked at first, for all rows and for slices."""
    diagram: str | None = None
    """The diagram that it sums up: ``reliability`` or ``risk_coverage``."""
    more_is_better: bool = False

    @property
    def is_compared(self) -> bool:
        """Whether two models are compared by it: it is looked at first, and has replicates."""
        return self.decides and self.interval is not None


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of every class."""

    name: str
    """Stable, for programs."""
    title: str
    values: Callable[[Parts], NDArray[np.float64] | None]
    """Shape (classes,), nan where nothing is known; None: the plan does not measure it."""
    rank: int
    """Place among the columns, from the left."""


def _nothing(given: object) -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True)
class Metric:
    """What a module of this folder offers."""

    rank: int
    """Place of its figures in a report."""
    folds: Callable[[Plan], Sequence[type[Fold]]]
    """What is kept of the rows; a plan may do without it."""
    figures: Callable[[Plan], Iterable[Definition]]
    columns: Callable[[Plan], Iterable[Column]] = _nothing
    in_slices: bool = True
    """Whether it is measured for every slice; not where its folds are large."""
    sentences: Callable[[Parts], Iterable[str]] = _nothing
    """What it adds to the verdict of some rows, at least one."""


@cache
def names() -> tuple[str, ...]:
    """Names of the metrics there are, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


@cache
def metrics() -> tuple[Metric, ...]:
    """The metrics, in the order in which they are reported."""
    found = [cast("Metric", import_module(f"{__name__}.{name}").METRIC) for name in names()]
    return tuple(sorted(found, key=lambda metric: metric.rank))


def definitions(plan: Plan, in_slices: bool = False) -> tuple[Definition, ...]:
    """List the figures of a plan, in the order in which they are reported; `in_slices` only those of every slice."""
    chosen = [metric for metric in metrics() if metric.in_slices or not in_slices]
    return tuple(figure for metric in chosen for figure in metric.figures(plan))


def figure_names() -> tuple[str, ...]:
    """Names of the figures of a plan in which nothing was chosen."""
    return tuple(figure.name for figure in definitions(Plan()))


def compared(plan: Plan) -> tuple[Definition, ...]:
    """List the figures that several tables are compared by."""
    return tuple(figure for figure in definitions(plan) if figure.is_compared)


def columns(plan: Plan) -> tuple[Column, ...]:
    """List the figures of every class, from the left."""
    found = [column for metric in metrics() for column in metric.columns(plan)]
    return tuple(sorted(found, key=lambda column: column.rank))


def folds(plan: Plan, in_slices: bool = False) -> tuple[type[Fold], ...]:
    """List what is kept of the rows, each fold once."""
    chosen = [metric for metric in metrics() if metric.in_slices or not in_slices]
    return tuple(dict.fromkeys(fold for metric in chosen for fold in metric.folds(plan)))


def replicates(plan: Plan) -> tuple[type[Replicates], ...]:
    """List what is drawn for the intervals, each once."""
    found = [figure.interval for figure in definitions(plan)]
    return tuple(dict.fromkeys(interval.replicates for interval in found if interval is not None))


def within(limits: Limits, definition: Definition) -> Limits:
    """Keep limits within the range of their figure."""
    least, greatest = definition.range
    low, high = (min(max(limit, least), greatest) for limit in limits)
    return low, high


ANY_SIZE = (0.0, inf)
"""Range of a loss."""
