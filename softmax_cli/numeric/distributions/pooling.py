"""Several models as one: pools of their distributions, how far the members disagree, and the best weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.distributions.uncertainty import entropy
from softmax_cli.numeric.softmax import adjust_, argmax, log_normalize_

Members = Sequence[NDArray[np.float64]]
"""One matrix a member, shape (rows, classes)."""
Weights = NDArray[np.float64]
"""Shape (members,), at least 0, adding up to 1."""


def equal_weights(members: int) -> Weights:
    """Return one share for each member."""
    return np.full(members, 1 / members)


def linear_pool(log_p: Members, weights: Weights) -> NDArray[np.float64]:
    """Log of the weighted mean of the probabilities, shape (rows, classes).

    A class is ruled out only where every member with a weight rules it out; Stone (1961), "The opinion pool".

    Parameters
    ----------
    log_p : sequence of arrays, each of shape (rows, classes)
        Log-probabilities of every member; ``-inf`` is 0.
    weights : array, shape (members,)
        At least 0, adding up to 1.
    """
    pooled: NDArray[np.float64] | None = None
    for member, weight in zip(log_p, weights.tolist(), strict=True):
        if weight > 0:
            part = member + np.log(weight)
            pooled = part if pooled is None else np.logaddexp(pooled, part)
    assert pooled is not None, "weights add up to 1"
    return pooled


def log_pool(log_p: Members, weights: Weights) -> NDArray[np.float64]:
    """Log of the normalised geometric mean of the probabilities, shape (rows, classes); parameters as `linear_pool`.

    A class that one member with a weight rules out is ruled out; a row where nothing is left is ``nan``. From logits in
    place of `log_p` it gives the same, since a constant a row makes no difference: the pool of logits *is* this one.
    Genest & Zidek (1986), "Combining probability distributions".
    """
    pooled = mean_logits(log_p, weights)
    log_normalize_(adjust_(pooled))
    return pooled


def mean_logits(z: Members, weights: Weights) -> NDArray[np.float64]:
    """Weighted mean of logits, shape (rows, classes); ``-inf`` where a member with a weight has it."""
    pooled = np.zeros_like(z[0])
    for member, weight in zip(z, weights.tolist(), strict=True):
        if weight > 0:
            pooled += member * weight
    return pooled


POOLS: Mapping[str, Callable[[Members, Weights], NDArray[np.float64]]] = MappingProxyType(
    {"linear": linear_pool, "log": log_pool, "logit": log_pool}
)


class Disagreement(NamedTuple):
    """How far the members disagree on each row; all of shape (rows,)."""

    vote_entropy: NDArray[np.float64]
    """Entropy of the votes, nats: 0 where all members predict the same class."""
    mutual_information: NDArray[np.float64]
    """Entropy of the mean distribution less the mean entropy, nats, at least 0: what the members do not know together
    beyond what each does not know by itself (BALD)."""
    agreement: NDArray[np.float64]
    """Share of the pairs of members that predict the same class, 0..1; 1 where there is one member."""


def disagreement(log_p: Members, weights: Weights, votes: Sequence[NDArray[np.int32]] | None = None) -> Disagreement:
    """Measure how far the members disagree, row by row.

    Parameters
    ----------
    log_p, weights
        As for `linear_pool`. Votes count one each, whatever the weights.
    votes : sequence of arrays, each of shape (rows,)
        The class that each member predicts; by default that of the largest `log_p`.

    Notes
    -----
    Vote entropy: Dagan & Engelson (1995), "Committee-based sampling". BALD: Houlsby, Huszár, Ghahramani & Lengyel
    (2011), "Bayesian active learning for classification and preference learning"; it is the Jensen-Shannon divergence
    of the members with their weights.
    """
    votes = [argmax(member) for member in log_p] if votes is None else votes
    members, rows = len(log_p), len(log_p[0])
    same = np.zeros((members, rows), np.int64)  # for each vote, how many members cast it
    for first in range(members):
        for second in range(members):
            same[first] += votes[first] == votes[second]
    # Each vote stands for 1/members of the distribution of votes, and its class has the share same/members.
    cast = np.abs(np.log(same / members).sum(axis=0)) / members
    pairs = members * (members - 1)
    agreement = (same.sum(axis=0) - members) / pairs if pairs else np.ones(rows)
    single = sum((entropy(member) * weight for member, weight in zip(log_p, weights, strict=True)), np.zeros(rows))
    shared = entropy(linear_pool(log_p, weights)) - single
    return Disagreement(cast, np.maximum(shared, 0.0), agreement)


GAP = 1e-6
"""Weights are good enough when no others have a mean loss lower by more nats than this."""
_FLOOR = 1e-300
"""Least probability of the truth while weights are searched: its logarithm is finite."""


class Fit(NamedTuple):
    """Weights that were fitted, and how good they are."""

    weights: Weights
    loss: float
    """Mean negative log-likelihood of the truth, nats."""
    gap: float
    """The loss is at most this much, in nats, above that of the best weights."""


def fit_linear_weights(truth_log_p: NDArray[np.float64]) -> Fit:
    """Find the weights of the linear pool with the least negative log-likelihood.

    Parameters
    ----------
    truth_log_p : array, shape (rows, members)
        Log-probability that each member gives to the true class. Rows where it is ``-inf`` for every member are left
        out: no weights can help them.

    Raises
    ------
    ValueError
        No row is left.

    Notes
    -----
    Log-concave in the weights (Breiman 1996, "Stacked regressions", for densities Smyth & Wolpert 1999).
    """
    known = truth_log_p[np.isfinite(truth_log_p).any(axis=1)]
    scale = known.max(axis=1, keepdims=True)
    p = np.exp(known - scale)
    shift = -float(scale.mean()) if len(known) else np.nan

    def loss(weights: Weights) -> tuple[float, NDArray[np.float64]]:
        mixed = np.maximum(p @ weights, _FLOOR)
        return shift - float(np.log(mixed).mean()), -(p / mixed[:, None]).mean(axis=0)

    return _minimise(loss, p.shape[1], len(known))


def fit_log_weights(log_p: Members, labels: NDArray[np.integer]) -> Fit:
    """Find the weights of the log pool with the least negative log-likelihood; they add up to 1.

    Parameters
    ----------
    log_p : sequence of arrays, each of shape (rows, classes)
        Log-probabilities or logits of every member. Rows where a member rules the truth out are left out.
    labels : array of int, shape (rows,)
        Column of the true class.

    Raises
    ------
    ValueError
        No row is left.
    """
    truth = np.asarray(labels, np.intp)[:, None]
    of_truth = np.concatenate([np.take_along_axis(member, truth, axis=1) for member in log_p], axis=1)
    known = np.isfinite(of_truth).all(axis=1)
    kept = [member[known] for member in log_p]
    masked = np.any([member == -np.inf for member in kept], axis=0)
    z = np.stack([np.where(masked, 0.0, member) for member in kept])
    of_truth = of_truth[known]

    def loss(weights: Weights) -> tuple[float, NDArray[np.float64]]:
        pooled = np.einsum("m,mrc->rc", weights, z)
        pooled[masked] = -np.inf
        expected = of_truth @ weights
        top = pooled.max(axis=1, keepdims=True)
        terms = np.exp(pooled - top)
        total = terms.sum(axis=1, keepdims=True)
        value = float((np.log(total)[:, 0] + top[:, 0] - expected).mean())
        return value, np.einsum("rc,mrc->m", terms / total, z) / len(z[0]) - of_truth.mean(axis=0)

    return _minimise(loss, len(log_p), int(known.sum()))


_NOTHING = 1e-12
"""A weight below is what rounding has left of 0."""


def _minimise(loss: Callable[[Weights], tuple[float, NDArray[np.float64]]], members: int, rows: int) -> Fit:
    """Minimise a convex function over the weights that are at least 0 and add up to 1.

    Sequential quadratic programming, then exponentiated gradients (Kivinen & Warmuth 1997) where that has stopped too
    early. By convexity the loss at w is at most w . gradient - min(gradient) above the least.
    """
    if rows == 0:
        raise ValueError("no row has a truth that a member gives a probability to: there is nothing to fit weights on")
    from scipy.optimize import Bounds, LinearConstraint, minimize

    start = equal_weights(members)
    found = minimize(
        loss,
        start,
        jac=True,
        method="SLSQP",
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(np.ones(members), 1, 1),
        options={"ftol": 1e-14, "maxiter": 300},
    )
    weights = np.where(found.x > _NOTHING, found.x, 0)
    weights /= weights.sum()
    return _polish(loss, weights if loss(weights)[0] <= loss(start)[0] else start)


def _polish(loss: Callable[[Weights], tuple[float, NDArray[np.float64]]], weights: Weights) -> Fit:
    value, gradient = loss(weights)
    step = 1.0
    for _ in range(10_000):
        gap = float(weights @ gradient - gradient.min())
        if gap <= GAP or step < 1e-12:
            break
        moved = np.maximum(weights, 1e-12) * np.exp(-step * (gradient - gradient.min()))
        moved /= moved.sum()
        better, slope = loss(moved)
        if better <= value:
            weights, value, gradient, step = moved, better, slope, step * 1.5
        else:
            step /= 2
    return Fit(weights, value, float(weights @ gradient - gradient.min()))
