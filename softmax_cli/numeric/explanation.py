"""The softmax of one row, step by step: the numbers that ``explain`` shows.

p_i = exp(a_i) / sum_j exp(a_j) with a = z/T + log w. For every c, exp(a_i - c) = exp(a_i)/exp(c): a shift divides all
terms and their sum by the same number, so p stays, and c = max a keeps every term within what a float can hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.activations import ACTIVATIONS, scale_
from softmax_cli.numeric.class_weights import Vector, log_weights
from softmax_cli.numeric.softmax import log_softmax, softmax

Row = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Naive:
    """The formula as it stands in books, without the shift."""

    exponentials: Vector
    total: float
    p: Vector
    """nan where it is inf/inf or 0/0."""

    @property
    def fails(self) -> bool:
        """Whether it overflowed, or lost every class to an underflow."""
        return not (0 < self.total < np.inf)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One row, shape (classes,) each; ``-inf`` is a masked class. Made by `explain_row`."""

    logits: Vector
    temperature: float
    weights: Vector
    scaled: Vector
    """z/T."""
    adjusted: Vector
    """z/T + log w."""
    p: Row
    log_p: Row

    @property
    def highest(self) -> float:
        """What is subtracted: the largest adjusted logit."""
        return float(self.adjusted.max())

    @property
    def shifted(self) -> Vector:
        """Adjusted logits less the largest: 0 for the best class, negative for all others."""
        with np.errstate(over="ignore"):
            return self.adjusted - self.highest

    @property
    def exponentials(self) -> Vector:
        """Exponentials of the shifted: 1 for the best class, between 0 and 1 for all others."""
        with np.errstate(under="ignore"):
            return np.exp(self.shifted)

    @property
    def total(self) -> float:
        """Sum of the exponentials, from 1 to the number of classes."""
        return float(self.exponentials.sum())

    @property
    def ranking(self) -> list[int]:
        """Classes from the most to the least probable; ties go to the earlier."""
        order: list[int] = np.argsort(-self.adjusted, kind="stable").tolist()
        return order

    @property
    def entropy(self) -> float:
        """-sum p log p, in nats: 0 is certain, log K is uniform."""
        return float(np.sum(np.where(self.p > 0, -self.p * np.where(self.p > 0, self.log_p, 0), 0)))

    @property
    def margin(self) -> float:
        """Probability of the best class less that of the second, 0 to 1."""
        best = np.sort(self.p)[::-1]
        return float(best[0] - best[1]) if len(best) > 1 else 1.0

    def naive(self, shift: float = 0.0) -> Naive:
        """Compute p without subtracting the largest; `shift` is added to every adjusted logit first."""
        with np.errstate(all="ignore"):
            exponentials = np.exp(self.adjusted + shift)
            total = exponentials.sum()
            return Naive(exponentials, float(total), exponentials / total)

    def at_temperature(self, temperature: float) -> Row:
        """Return p at another temperature, with the same weights."""
        return softmax(self.logits, temperature=temperature, class_weights=self.weights)

    def without(self, position: int) -> Row | None:
        """Return p as if one class were masked; None where no other is left."""
        logits = self.logits.copy()
        logits[position] = -np.inf
        p = softmax(logits, temperature=self.temperature, class_weights=self.weights)
        return None if np.isnan(p).any() else p

    def jacobian(self, positions: list[int]) -> Row:
        """dp_i/dz_j = p_i (d_ij - p_j)/T for some classes, shape (positions, positions)."""
        p = self.p[positions]
        matrix: Row = (np.diag(p) - np.outer(p, p)) / self.temperature
        return matrix

    def alternatives(self) -> dict[str, Row]:
        """What other functions make of the same adjusted logits, and what dividing scores by their sum gives."""
        found: dict[str, Row] = {name: self._activated(name) for name in ACTIVATIONS}
        with np.errstate(all="ignore"):
            found["z / sum z"] = self.logits / self.logits.sum()
        return found

    def _activated(self, name: str) -> Vector:
        activation = ACTIVATIONS[name]
        rows = activation.adjust_(self.logits[None].copy(), self.temperature, log_weights(self.weights))
        p: Vector = activation.probabilities_(rows)[0]
        return p


def explain_row(logits: Vector, temperature: float = 1.0, weights: Vector | None = None) -> Explanation:
    """Take the softmax of one row apart.

    Parameters
    ----------
    logits : array, shape (classes,)
        float64; ``-inf`` masks a class.
    temperature : float
        Above 0.
    weights : array, shape (classes,), optional
        What probabilities are multiplied by before renormalising; 0 masks the class. None: all 1.

    Raises
    ------
    ValueError
        No distribution follows from the row, or the temperature or a weight is out of range.
    """
    w = np.ones(len(logits)) if weights is None else weights
    p = softmax(logits, temperature=temperature, class_weights=w)
    if np.isnan(p).any() or not len(p):
        raise ValueError("no distribution follows from nan, +inf, or nothing but -inf")
    return Explanation(
        logits=logits,
        temperature=temperature,
        weights=w,
        scaled=scale_(logits[None].copy(), temperature)[0],
        adjusted=scale_(logits[None].copy(), temperature, log_weights(w))[0],
        p=p,
        log_p=log_softmax(logits, temperature=temperature, class_weights=w),
    )
