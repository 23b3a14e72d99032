"""How frequent the classes are where a model is used, estimated from its own probabilities, without labels.

Expectation-maximisation; Saerens, Latinne & Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori
probabilities", Neural Computation 14(1). It finds the prior q under which the rows are most likely, given
probabilities p for the prior of the training data: repeat q_i <- mean over the rows of q_i/source_i p_i / sum_j
q_j/source_j p_j. That is only as good as p is calibrated: an over-confident model is believed too much.

Where classes overlap, a short step says little: the steps shrink by a constant factor, and what is left to go is
step * factor / (1 - factor), hundreds of steps. So the iteration stops at that sum, in terms of the probabilities that
the prior makes, and after every two steps it leaps ahead along the logarithms of the prior (SQUAREM; Varadhan & Roland
2008, "Simple and globally convergent methods for accelerating the convergence of any EM algorithm", Scandinavian
Journal of Statistics 35(2)). A leap that makes the rows less likely is taken back.

The rows are gone through once an iteration, in blocks, so that they need not be in memory. Sums are taken block by
block in order: the result depends on how the rows are cut into blocks, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.class_weights import Vector, normalize_prior
from softmax_cli.numeric.softmax import argmax, row_sums

TOLERANCE = 1e-7
"""Largest distance of a probability from where it would converge that ends the iteration."""
_SLOWEST = 1 - 1e-4
"""Steps that seem to shrink more slowly than this have reached the last bits."""
MOST_ITERATIONS = 1000
_MOST_CLASSES = 2000
"""Standard errors take a matrix of classes by classes."""

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
    """How far, at most, a probability is from where it would converge."""
    error: Vector | None = None
    """Standard error of each share, shape (classes,); None: not known."""

    @property
    def converged(self) -> bool:
        """Whether all probabilities are as good as where they converge."""
        return self.distance < TOLERANCE


def estimate_prior(blocks: Blocks, source: Vector, most_iterations: int = MOST_ITERATIONS) -> PriorEstimate:
    """Estimate the prior of the rows, starting at `source`, the prior that their probabilities were learned under.

    Raises
    ------
    ValueError
        There is no row, or a source prior is not above 0.
    """
    start = normalize_prior(source)
    search = _Search(start, start)
    while search.distance >= TOLERANCE and search.iterations < most_iterations:
        search.take(_stepped(blocks, search.at, start))
    prior = search.prior
    error = _standard_errors(blocks, prior, start) if len(prior) <= _MOST_CLASSES else None
    return PriorEstimate(
        start, prior, search.rows, rows_changed(blocks, start, prior), search.iterations, search.distance, error
    )


def rows_changed(blocks: Blocks, source: Vector, prior: Vector) -> int:
    """Count the rows that go to another class where the prior changes from `source`."""
    return sum(int((argmax(p) != argmax(p * (prior / source))).sum()) for p in blocks())


def _standard_errors(blocks: Blocks, prior: Vector, start: Vector) -> Vector | None:
    """Return those of a maximum of likelihood among shares that sum to 1, from the curvature there.

    With u_i = (p_i/source_i) / sum_j q_j p_j/source_j the rows add u u^T to the information H, and the covariance is
    H^-1 - H^-1 1 1^T H^-1 / (1^T H^-1 1) (Silvey 1959, "The Lagrangian multiplier test", for the constraint). A class
    without a share lies on a bound, where this says nothing: 0. None: some classes cannot be told apart.
    """
    held = prior > 0
    information = np.zeros((int(held.sum()), int(held.sum())))
    for p in blocks():
        u = (p / start)[:, held]
        u /= (u @ prior[held])[:, None]
        information += u.T @ u
    try:
        inverse = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return None
    sums = inverse.sum(axis=1)
    variance = np.diag(inverse) - sums**2 / sums.sum()
    if not (np.isfinite(variance) & (variance > -np.finfo(np.float64).eps)).all():
        return None
    error = np.zeros(len(prior))
    error[held] = np.sqrt(np.maximum(variance, 0))
    return error


@dataclass(frozen=True, slots=True)
class _Step:
    """What one pass over the rows makes of a prior."""

    prior: Vector
    """The next one."""
    log_likelihood: float
    """Of the rows under the prior that the pass began with, but for a constant; mean."""
    largest: Vector
    """Probability of each class in the row where it is largest."""
    rows: int

    def moved(self, origin: Vector) -> float:
        """Return the most that the step may change any probability of any row, to first order."""
        return float((self.largest * np.abs(_log_ratio(self.prior, origin))).sum())


def _stepped(blocks: Blocks, prior: Vector, start: Vector) -> _Step:
    expected, largest = np.zeros(len(start)), np.zeros(len(start))
    rows, log_likelihood = 0, 0.0
    for p in blocks():
        p *= prior / start
        sums = row_sums(p)
        p /= sums[:, None]
        expected += p.sum(axis=0)
        log_likelihood += float(np.log(sums).sum())
        np.maximum(largest, p.max(axis=0), out=largest)
        rows += len(p)
    if not rows:
        raise ValueError("no row to estimate a prior from")
    return _Step(expected / expected.sum(), log_likelihood / rows, largest, rows)


@dataclass(slots=True)
class _Search:
    """Two steps of EM, a leap, two steps, ..."""

    at: Vector
    """Where the next step begins."""
    prior: Vector
    """Where the last step ended that was not taken back."""
    iterations: int = 0
    rows: int = 0
    distance: float = np.inf
    """How far, at most, a probability under `prior` is from where it would converge."""
    origin: Vector | None = None
    """Where the step before began; None: the next step is the first of two."""
    moved: float = 0.0
    slowest: float = 0.0
    log_likelihood: float = -np.inf
    longest: float = 1.0
    leapt: bool = False

    def take(self, step: _Step) -> None:
        """Go on from `at` by a step, or back from a leap that was none."""
        self.iterations += 1
        self.rows = step.rows
        if self.leapt and not step.log_likelihood >= self.log_likelihood:
            self.at, self.leapt = self.prior, False
            self.longest = max(1.0, self.longest / 4)
            return
        self.log_likelihood, self.leapt = step.log_likelihood, False
        moved, shrinks = step.moved(self.at), _SLOWEST
        if self.origin is not None and self.moved:
            self.slowest = shrinks = max(self.slowest, min(moved / self.moved, _SLOWEST))
        self.distance = min(1.0, moved * shrinks / (1 - shrinks))
        self.moved, self.prior = moved, step.prior
        if self.origin is None:
            self.origin, self.at = self.at, step.prior
        else:
            self.at, self.origin, self.leapt = self._leap(self.origin, self.at, step.prior), None, True

    def _leap(self, first: Vector, second: Vector, third: Vector) -> Vector:
        """Return where steps that shrink as these two would end; classes that have nothing keep nothing."""
        step = _log_ratio(second, first)
        bend = _log_ratio(third, second) - step
        turn = np.sqrt((third * bend**2).sum())
        length = max(1.0, float(np.sqrt((third * step**2).sum()) / turn)) if turn else 1.0
        if length >= self.longest:
            length, self.longest = self.longest, 4 * self.longest
        log_ratio = np.where(third > 0, 2 * length * step + length**2 * bend, -np.inf)
        leapt: Vector = np.where(third > 0, first, 0.0) * np.exp(log_ratio - log_ratio.max())
        return leapt / leapt.sum() if np.isfinite(leapt).all() else third


def _log_ratio(after: Vector, before: Vector) -> Vector:
    """Return log(after/before), 0 for classes that have nothing left."""
    both = (after > 0) & (before > 0)
    return np.log(after, out=np.zeros(len(after)), where=both) - np.log(before, out=np.zeros(len(after)), where=both)
