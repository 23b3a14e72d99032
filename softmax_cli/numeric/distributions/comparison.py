"""Two models on the same rows: how alike their distributions are, in parts that merge exactly."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from typing import Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics._bins import width_bin, width_edges
from softmax_cli.numeric.metrics._counts import Confusion
from softmax_cli.numeric.softmax import argmax, row_sums

_FRACTION_BITS = 7
"""Bits of the fraction that tell bins of a gap apart: a quantile is off by less than 2^-7 of itself."""
_SHIFT = 23 - _FRACTION_BITS
_LOWEST = int(np.float32(2.0**-60).view(np.int32)) >> _SHIFT
_BINS = (int(np.float32(1.0).view(np.int32)) >> _SHIFT) - _LOWEST + 2
"""Bin 0 holds what is below 2^-60, the last one gaps of 1."""


def row_kl(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kullback-Leibler divergence KL(p || q) of every row, nats, shape (rows,): 0..inf.

    sum p (log p - log q); a class with p = 0 adds nothing, one with p > 0 and q = 0 makes it infinite; Kullback &
    Leibler (1951), "On information and sufficiency".
    """
    with np.errstate(invalid="ignore", under="ignore"):
        terms = np.exp(log_p) * (log_p - log_q)
    terms[log_p == -np.inf] = 0
    found: NDArray[np.float64] = np.maximum(row_sums(terms), 0.0)
    return found


def row_js(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Jensen-Shannon divergence of every row, nats, shape (rows,): 0..log 2, the same both ways.

    Lin (1991), "Divergence measures based on the Shannon entropy".
    """
    middle = np.logaddexp(log_p, log_q) - np.log(2)
    return np.minimum((row_kl(log_p, middle) + row_kl(log_q, middle)) / 2, np.log(2))


@dataclass(frozen=True, eq=False)
class Similarity:
    """How alike two models are on some rows. Memory does not grow with the rows."""

    rows: int
    agreeing: int
    """Rows where both predict the same class."""
    kl: ExactSum
    """Sums over the rows where it is finite: of KL(a || b), and of KL(b || a)."""
    infinite: tuple[int, int]
    """Rows where KL(a || b), and KL(b || a), is infinite: one rules out what the other does not."""
    js: ExactSum
    variation: ExactSum
    """Sum of the total variation distances, half the sum over the classes of |p_a - p_b|."""
    largest: float
    """Largest |p_a - p_b| of all rows and classes."""
    gaps: NDArray[np.int64]
    """Rows by their largest |p_a - p_b|, in bins of a relative width of 2^-7, shape (bins,)."""
    moments: ExactSum
    """Sums over rows and classes of x^2, x y and y^2, with x and y the logits of a and b less their mean in the row."""

    @classmethod
    def of(
        cls,
        log_p: NDArray[np.float64],
        log_q: NDArray[np.float64],
        predictions: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None,
    ) -> Self:
        """Compare a block of rows.

        Parameters
        ----------
        log_p, log_q : array, shape (rows, classes)
            Log-probabilities of the same rows by a and by b.
        predictions : two arrays of shape (rows,), optional
            The classes that a and b predict; by default those of the largest log-probability.
        """
        first, second = (argmax(log_p), argmax(log_q)) if predictions is None else predictions
        kl = np.stack([row_kl(log_p, log_q), row_kl(log_q, log_p)])
        infinite = kl == inf
        gap = np.abs(np.exp(log_p) - np.exp(log_q))
        worst = gap.max(axis=1, initial=0.0)
        return cls(
            rows=len(log_p),
            agreeing=int((first == second).sum()),
            kl=ExactSum.of_rows(np.where(infinite, 0.0, kl)),
            infinite=(int(infinite[0].sum()), int(infinite[1].sum())),
            js=ExactSum.of(row_js(log_p, log_q)),
            variation=ExactSum.of(row_sums(gap) / 2),
            largest=float(worst.max(initial=0.0)),
            gaps=np.bincount(_bin(worst), minlength=_BINS).astype(np.int64),
            moments=ExactSum.of_rows(_moments(log_p, log_q)),
        )

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(
            self.rows + other.rows,
            self.agreeing + other.agreeing,
            self.kl.plus(other.kl),
            (self.infinite[0] + other.infinite[0], self.infinite[1] + other.infinite[1]),
            self.js.plus(other.js),
            self.variation.plus(other.variation),
            max(self.largest, other.largest),
            self.gaps + other.gaps,
            self.moments.plus(other.moments),
        )

    @property
    def agreement(self) -> float:
        """Share of the rows where both predict the same class, 0..1."""
        return self.agreeing / self.rows if self.rows else nan

    @property
    def mean_kl(self) -> tuple[float, float]:
        """Mean of KL(a || b) and of KL(b || a), nats, 0..inf."""
        means = [self._mean(total) for total in self.kl.values.tolist()]
        return (inf if self.infinite[0] else means[0], inf if self.infinite[1] else means[1])

    @property
    def mean_js(self) -> float:
        """Mean Jensen-Shannon divergence, nats, 0..log 2."""
        return self._mean(self.js.value)

    @property
    def mean_variation(self) -> float:
        """Mean total variation distance, 0..1."""
        return self._mean(self.variation.value)

    def quantile(self, share: float) -> float:
        """Largest |p_a - p_b| that `share` of the rows do not exceed, 0..1; rounded up by less than 1 %."""
        if not self.rows:
            return nan
        reached = np.searchsorted(np.cumsum(self.gaps), share * self.rows)
        return 0.0 if reached == 0 else min(_upper_edge(int(reached)), self.largest)

    @property
    def correlation(self) -> float:
        """Correlation of the logits, -1..1, whatever the scale of each model and the shift of each row.

        1: b is a at another temperature. nan where the logits of a model are all equal.
        """
        xx, xy, yy = self.moments.values.tolist()
        return min(max(xy / (xx * yy) ** 0.5, -1.0), 1.0) if xx > 0 and yy > 0 else nan

    @property
    def scale(self) -> float:
        """Factor from the logits of a to those of b, by least squares: 0.5 where b is a at twice the temperature."""
        xx, xy, _ = self.moments.values.tolist()
        return xy / xx if xx > 0 else nan

    def _mean(self, total: float) -> float:
        return total / self.rows if self.rows else nan


def _bin(gap: NDArray[np.float64]) -> NDArray[np.intp]:
    codes = (gap.astype(np.float32).view(np.int32) >> _SHIFT).astype(np.intp) - _LOWEST + 1
    return np.clip(codes, 0, _BINS - 1)


def _upper_edge(number: int) -> float:
    return float(np.int32((number + _LOWEST) << _SHIFT).view(np.float32))


def _moments(log_p: NDArray[np.float64], log_q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of squares and products of each row about its mean, over the classes that neither masks, shape (3, rows)."""
    use = np.isfinite(log_p) & np.isfinite(log_q)
    count = np.maximum(use.sum(axis=1), 1)
    x, y = (np.where(use, log, 0.0) for log in (log_p, log_q))
    x -= np.where(use, (row_sums(x) / count)[:, None], 0.0)
    y -= np.where(use, (row_sums(y) / count)[:, None], 0.0)
    return np.stack([row_sums(x * x), row_sums(x * y), row_sums(y * y)])


SAME, FLIPPED, FIRST_RIGHT, SECOND_RIGHT = range(4)
"""What becomes of a prediction: it stays; it changes, and neither is known to be right; it changes, and a or b is."""
CONFIDENCE_BINS = 100
"""Bins of a confidence, (lower, upper] of equal width, 0 in the first."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What two models predict on some rows, and how sure each is. Memory does not grow with the rows."""

    pairs: Confusion
    """Rows by the class that a predicts and the class that b predicts."""
    confidences: NDArray[np.int64]
    """Rows by what becomes of the prediction, and by the bins of both confidences, shape (4, bins of a, bins of b)."""

    @classmethod
    def of(
        cls,
        log_p: NDArray[np.float64],
        log_q: NDArray[np.float64],
        predictions: tuple[NDArray[np.int32], NDArray[np.int32]],
        labels: NDArray[np.integer],
    ) -> Self:
        """Count a block of rows.

        Parameters
        ----------
        log_p, log_q : array, shape (rows, classes)
            Log-probabilities of the same rows by a and by b.
        predictions : two arrays of shape (rows,)
            The classes that a and b predict.
        labels : array of int, shape (rows,)
            The truths; below 0 where there is none.
        """
        first, second = predictions
        cases = [first == second, first == labels, second == labels]
        kind = np.select(cases, [SAME, FIRST_RIGHT, SECOND_RIGHT], FLIPPED)
        edges, rows = width_edges(CONFIDENCE_BINS), np.arange(len(kind))
        a, b = (width_bin(np.exp(log[rows, one]), edges) for log, one in ((log_p, first), (log_q, second)))
        shape = (4, CONFIDENCE_BINS, CONFIDENCE_BINS)
        cells = np.ravel_multi_index((kind, a, b), shape)
        counts = np.bincount(cells, minlength=int(np.prod(shape))).astype(np.int64)
        return cls(Confusion.of_pairs(first, second, log_p.shape[1]), counts.reshape(shape))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        return type(self)(self.pairs.plus(other.pairs), self.confidences + other.confidences)

    @property
    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows by the class that a predicts, and by the class that b predicts, shape (classes,) each."""
        found = np.zeros((2, self.pairs.classes), np.int64)
        for side, classes in zip(found, np.divmod(self.pairs.pairs, self.pairs.classes), strict=True):
            np.add.at(side, classes, self.pairs.counts)
        return found[0], found[1]


@dataclass(frozen=True)
class Flips:
    """Rows by who is right, which is all that a paired test of two accuracies needs."""

    both_right: int
    only_first: int
    """Rows that a gets right and b wrong."""
    only_second: int
    """Rows that b gets right and a wrong."""
    both_wrong: int

    @classmethod
    def of(cls, first: NDArray[np.integer], second: NDArray[np.integer], labels: NDArray[np.integer]) -> Self:
        """Count a block of rows, by the predictions of a and b and the truth, each of shape (rows,)."""
        a, b = first == labels, second == labels
        return cls(int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum()), int((~a & ~b).sum()))

    def plus(self, other: Self) -> Self:
        """Merge with the counts of other rows."""
        return type(self)(
            self.both_right + other.both_right,
            self.only_first + other.only_first,
            self.only_second + other.only_second,
            self.both_wrong + other.both_wrong,
        )

    @property
    def p_value(self) -> float:
        """Exact two-sided McNemar test, 0..1: how often chance alone would part the two as far, were they as good.

        The rows that only one gets right are a coin tossed so many times; McNemar (1947), "Note on the sampling error
        of the difference between correlated proportions", with binomial probabilities in place of his approximation.
        """
        from scipy.stats import binom

        tosses = self.only_first + self.only_second
        return min(1.0, 2 * float(binom.cdf(min(self.only_first, self.only_second), tosses, 0.5)))
