"""How frequent the classes are where a model is used, estimated from its own probabilities, without labels.

Expectation-maximisation; Saerens, Latinne & Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori
probabilities", Neural Computation 14(1). It finds the prior q under which the rows are most likely, given
probabilities p for the prior of the training data: repeat q_i <- mean over the rows of q_i/source_i p_i / sum_j
q_j/source_j p_j. That is only as good as p is calibrated: an over-confident model is believed too much.

The rows are gone through once an iteration, in blocks, so that they need not be in memory. Sums are taken block by
block in order: the result depends on how the rows are cut into blocks, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.class_weights import Vector, normalize_prior
from softmax_cli.numeric.softmax import row_sums
from softmax_cli.numeric.topk import argmax

TOLERANCE = 1e-6
"""Largest L1 distance between two priors in a row that ends the iteration."""
MOST_ITERATIONS = 1000

Blocks = Callable[[], Iterable[NDArray[np.float64]]]
"""Goes through the probabilities once more, shape (rows, classes) each; a block may be overwritten."""


@dataclass(frozen=True, slots=True)
class PriorEstimate:
    """What the iteration came to."""

    source: Vector
    """Where it started, shape (classes,), summing to 1."""
    prior: Vector
    """Where it ended, shape (classes,), summing to 1."""
    rows: int
    changed: int
    """Rows that go to another class under the new prior."""
    iterations: int
    distance: float
    """L1 distance of the last step."""

    @property
    def converged(self) -> bool:
        """Whether the last step was smaller than the tolerance."""
        return self.distance < TOLERANCE


def estimate_prior(blocks: Blocks, source: Vector, most_iterations: int = MOST_ITERATIONS) -> PriorEstimate:
    """Estimate the prior of the rows, starting at `source`, the prior that their probabilities were learned under.

    Raises
    ------
    ValueError
        There is no row, or a source prior is not above 0.
    """
    start = normalize_prior(source)
    prior = start
    distance, iterations, rows = np.inf, 0, 0
    while distance >= TOLERANCE and iterations < most_iterations:
        expected = np.zeros(len(start))
        rows = 0
        for p in blocks():
            expected += _responsibilities_(p, prior / start).sum(axis=0)
            rows += len(p)
        if not rows:
            raise ValueError("no row to estimate a prior from")
        updated = expected / expected.sum()
        distance = float(np.abs(updated - prior).sum())
        prior = updated
        iterations += 1
    changed = sum(int((argmax(p) != argmax(p * (prior / start))).sum()) for p in blocks())
    return PriorEstimate(start, prior, rows, changed, iterations, distance)


def _responsibilities_(p: NDArray[np.float64], ratio: Vector) -> NDArray[np.float64]:
    """Probabilities under another prior, in place."""
    p *= ratio
    p /= row_sums(p)[:, None]
    return p
