"""Rows to learn from, checked once: every method refuses the same faults with the same words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import adjust_, log_normalize_

Found = TypeVar("Found")

_SHOWN = 12
"""Classes that a message lists before it says how many more there are."""
_SHARED_VALUES = 2**24
"""Larger tables (128 MB) are not held a second time for the sake of a few seconds."""


class AbsentClasses(ValueError):
    """A method that fits every class on its own was given no example of some."""

    def __init__(self, classes: tuple[int, ...], where: str = "the rows to fit to") -> None:
        super().__init__(classes, where)
        self.classes = classes
        """Indices, for a caller who knows the names."""
        self.where = where

    def __str__(self) -> str:
        """Say which and what to do."""
        shown = ", ".join(map(str, self.classes[:_SHOWN]))
        more = f" and {len(self.classes) - _SHOWN} more" if len(self.classes) > _SHOWN else ""
        return (
            f"none of {self.where} is labelled with the classes at {shown}{more}, whose own parameters need examples; "
            "temperature fits one number for all classes and needs no example of each"
        )


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows with a known class and a weight that may not be lost in any of them.

    Several methods are fitted to the same rows, and most begin alike: what they share is worked out once (`once`,
    `rowwise`).
    """

    held: NDArray[np.float64] | None
    """See `z`; None: these are rows of a large table, copied only for a method that needs all of them at once."""
    labels: NDArray[np.int64]
    """Shape (rows,); no row's own class is masked."""
    weights: NDArray[np.float64]
    """Shape (rows,); sums to 1."""
    count: float
    """How many rows they stand for: the sum of the weights as they were given."""
    whole: Examples | None = field(default=None, repr=False)
    """The rows that these were taken from."""
    taken: NDArray[np.int64] | None = field(default=None, repr=False)
    """Which of them, in rising order."""
    _found: dict[Callable[..., Any], Any] = field(default_factory=dict, repr=False)

    @classmethod
    def checked(cls, z: NDArray[Any], labels: NDArray[Any], weights: NDArray[Any] | None = None) -> Self:
        """Take rows to fit to; those of weight 0 are left out.

        Raises
        ------
        ValueError
            A shape does not fit, a logit is ``nan`` or ``+inf``, a label is no class, a true class is masked, a
            weight is negative, or nothing is left.
        """
        z = np.ascontiguousarray(z, np.float64)
        labels = np.asarray(labels)
        if z.ndim != 2 or labels.shape != z.shape[:1]:
            raise ValueError(
                f"logits of shape {z.shape} and labels of shape {labels.shape}: expected (rows, classes) and (rows,)"
            )
        if z.shape[1] < 2:
            raise ValueError("there is one class: its probability is 1 whatever is fitted")
        weights = _counts(weights, len(labels))
        if not weights.all():
            z, labels, weights = z[weights > 0], labels[weights > 0], weights[weights > 0]
        if len(labels) == 0:
            raise ValueError("there is no row to fit to")
        _check_rows(z, labels)
        count = float(weights.sum())
        return cls(z, labels.astype(np.int64), weights / count, count)

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.labels)

    @property
    def classes(self) -> int:
        """How many there are, those without an example included."""
        return int(self._source.shape[1])

    @property
    def z(self) -> NDArray[np.float64]:
        """Logits, shape (rows, classes), C order; finite or ``-inf``."""
        return self.held if self.held is not None else self.once(_copied)

    @property
    def _source(self) -> NDArray[np.float64]:
        """The logits that these are, or are some rows of."""
        if self.held is not None:
            return self.held
        return cast(Examples, self.whole).z

    def block(self, rows: slice) -> NDArray[np.float64]:
        """Return the logits of some rows; the others are not copied for it."""
        if self.held is None and _copied not in self._found:
            return self._source[cast("NDArray[np.int64]", self.taken)[rows]]
        return self.z[rows]

    def subset(self, rows: NDArray[np.int64]) -> Examples:
        """Take some rows, their indices in rising order; the weights are scaled to sum to 1 again."""
        weights = self.weights[rows]
        share = float(weights.sum())
        held = self.z[rows] if self.z.size <= _SHARED_VALUES else None
        return Examples(held, self.labels[rows], weights / share, share * self.count, self, rows)

    def once(self, find: Callable[[Examples], Found]) -> Found:
        """Return ``find(self)``, worked out the first time only: it is shared, and nobody may change it."""
        if find not in self._found:
            self._found[find] = find(self)
        return cast(Found, self._found[find])

    def rowwise(self, find: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return ``find(z)``, of which every row follows from the same row of z: shared by all that hold the row."""

        def of_rows(examples: Examples) -> NDArray[np.float64]:
            whole = examples.whole
            if whole is None or (whole.z.size > _SHARED_VALUES and find not in whole._found):
                return find(examples.z)
            return whole.rowwise(find)[examples.taken]

        if find not in self._found:
            self._found[find] = of_rows(self)
        return cast("NDArray[np.float64]", self._found[find])

    def require_every_class(self) -> None:
        """Refuse rows that leave a class out.

        Raises
        ------
        AbsentClasses
            A class has no example.
        """
        absent = np.flatnonzero(np.bincount(self.labels, minlength=self.classes) == 0)
        if len(absent):
            raise AbsentClasses(tuple(absent.tolist()))


def _copied(examples: Examples) -> NDArray[np.float64]:
    return cast(Examples, examples.whole).z[examples.taken]


def _counts(weights: NDArray[Any] | None, rows: int) -> NDArray[np.float64]:
    if weights is None:
        return np.ones(rows)
    weights = np.asarray(weights, np.float64)
    if weights.shape != (rows,):
        raise ValueError(f"weights of shape {weights.shape}: expected one for each of {rows} rows")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("row weights must be finite and 0 or more")
    return weights


def _check_rows(z: NDArray[np.float64], labels: NDArray[Any]) -> None:
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are {labels.dtype}; expected class indices")
    stray = np.flatnonzero((labels < 0) | (labels >= z.shape[1]))
    if len(stray):
        raise ValueError(f"row {stray[0]}: label {labels[stray[0]]} is none of the classes 0 to {z.shape[1] - 1}")
    bad = np.flatnonzero(~(z.max(axis=1) < np.inf))
    if len(bad):
        raise ValueError(f"row {bad[0]} has nan or +inf; expected numbers, or -inf for a masked class")
    masked = np.flatnonzero(z[np.arange(len(z)), labels] == -np.inf)
    if len(masked):
        raise ValueError(
            f"row {masked[0]}: its true class has probability 0 (-inf), and no parameter can raise it; "
            f"{len(masked)} such rows: leave them out, or give probabilities that are not rounded to 0"
        )


LARGEST = 1e300
"""Bounds logits so that a product with a weight, and a sum of such, stays finite."""
_LOWEST_LOG = -745.0
"""log of the smallest float64 above 0: stands for the log of a probability that was rounded to 0."""


def check_classes(z: NDArray[Any], classes: int) -> None:
    """Refuse logits of other classes than were fitted.

    Raises
    ------
    ValueError
        There are more or fewer.
    """
    if z.ndim != 2 or z.shape[1] != classes:
        raise ValueError(f"logits of shape {z.shape}: the calibration was fitted to {classes} classes")


def log_softmax_rows(z: NDArray[Any]) -> NDArray[np.float64]:
    """Log-probabilities as they stand, a new array in C order: sums depend on the memory order, results must not."""
    rows = np.array(z, np.float64, order="C")
    adjust_(rows)
    log_normalize_(rows)
    return rows


def finite_rows(z: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Copy of the logits with 0 where a class is masked, so that it adds nothing to others, and the mask.

    Rows that hold ``nan`` or ``+inf`` keep a ``nan``.
    """
    x = np.array(z, np.float64, order="C")
    masked = x == -np.inf
    x[masked] = 0
    x[x == np.inf] = np.nan
    return np.clip(x, -LARGEST, LARGEST, out=x), masked


def normalized(q: NDArray[np.float64], masked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Log-probabilities from exponents, in place, with the masked classes at ``-inf``."""
    q[masked] = -np.inf
    adjust_(q)
    log_normalize_(q)
    return q


def log_uniform(z: NDArray[Any]) -> NDArray[np.float64]:
    """Logarithm of the same probability for every class that is not masked, shape (rows, classes)."""
    masked = np.asarray(z) == -np.inf
    with np.errstate(divide="ignore"):
        return np.where(masked, -np.inf, -np.log((~masked).sum(axis=1, keepdims=True)))


def check_rows(rows: float) -> None:
    """Refuse a number of fitted rows that `smoothed` cannot take."""
    if rows <= 0:
        raise ValueError(f"'rows' is {rows:g}: expected a number above 0")


def smoothed(log_p: NDArray[np.float64], rows: float) -> NDArray[np.float64]:
    """Log-probabilities as if one more row than the `rows` that were fitted had been uniform among the classes.

    No class is then less likely than 1/(classes (rows + 1)): fewer rows cannot tell a small probability from a smaller
    one, and one truth there would cost more than they bear out. This is the Laplace smoothing of "ts-mix" in the
    library of Berta et al. (2025), probmetrics, which smooths before its last step instead.
    """
    with np.errstate(invalid="ignore"):  # nan stays nan, silently
        mixed = np.logaddexp(log_p - np.log1p(1 / rows), log_uniform(log_p) - np.log1p(rows))
    return np.asarray(np.minimum(mixed, 0.0), np.float64)


def log_one_minus_rows(z: NDArray[Any]) -> NDArray[np.float64]:
    """Logarithms of the probability that it is another class, from logits, shape (rows, classes)."""
    return log_one_minus(log_softmax_rows(z))


def log_one_minus(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log(1 - p) from log p, without loss near p = 0 and p = 1; at least -745, also where p was rounded to 1.

    Two forms, each exact where the other cancels; Maechler (2012), "Accurately computing log(1 - exp(-|a|))".
    """
    with np.errstate(divide="ignore", under="ignore"):
        result = np.exp(log_p)
        np.log1p(np.negative(result, out=result), out=result)
        likely = log_p > -np.log(2)
        result[likely] = np.log(-np.expm1(log_p[likely]))
    return np.maximum(result, _LOWEST_LOG)
