"""Rows to learn from, checked once: every method refuses the same faults with the same words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

_SHOWN = 12
"""Classes that a message lists before it says how many more there are."""


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


@dataclass(frozen=True)
class Examples:
    """Rows with a known class and a weight that may not be lost in any of them."""

    z: NDArray[np.float64]
    """Shape (rows, classes), C order; finite or ``-inf``."""
    labels: NDArray[np.int64]
    """Shape (rows,); no row's own class is masked."""
    weights: NDArray[np.float64]
    """Shape (rows,); sums to 1."""

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
                f"logits of shape {z.shape} and labels of shape {labels.shape}: (rows, classes) and (rows,) are wanted"
            )
        if z.shape[1] < 2:
            raise ValueError("there is one class: its probability is 1 whatever is fitted")
        weights = _counts(weights, len(labels))
        if not weights.all():
            z, labels, weights = z[weights > 0], labels[weights > 0], weights[weights > 0]
        if len(labels) == 0:
            raise ValueError("there is no row to fit to")
        _check_rows(z, labels)
        return cls(z, labels.astype(np.int64), weights / weights.sum())

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.z)

    @property
    def classes(self) -> int:
        """How many there are, those without an example included."""
        return int(self.z.shape[1])

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


def _counts(weights: NDArray[Any] | None, rows: int) -> NDArray[np.float64]:
    if weights is None:
        return np.ones(rows)
    weights = np.asarray(weights, np.float64)
    if weights.shape != (rows,):
        raise ValueError(f"weights of shape {weights.shape}: one for each of {rows} rows is wanted")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("row weights must be finite and 0 or more")
    return weights


def _check_rows(z: NDArray[np.float64], labels: NDArray[Any]) -> None:
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are {labels.dtype}; class indices are wanted")
    stray = np.flatnonzero((labels < 0) | (labels >= z.shape[1]))
    if len(stray):
        raise ValueError(f"row {stray[0]}: label {labels[stray[0]]} is none of the classes 0 to {z.shape[1] - 1}")
    bad = np.flatnonzero(~(z.max(axis=1) < np.inf))
    if len(bad):
        raise ValueError(f"row {bad[0]} has nan or +inf; numbers are wanted, or -inf for a masked class")
    masked = np.flatnonzero(z[np.arange(len(z)), labels] == -np.inf)
    if len(masked):
        raise ValueError(
            f"row {masked[0]}: its true class has probability 0 (-inf), and no parameter can raise it; "
            f"{len(masked)} such rows: leave them out, or give probabilities that are not rounded to 0"
        )
