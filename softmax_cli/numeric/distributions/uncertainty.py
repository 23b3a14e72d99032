"""How sure a row is, and what to decide then: entropy, margin, energy, expected cost, place of the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.softmax import Temperature, row_sums


def expected_costs(p: NDArray[np.floating], costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected cost of every decision, shape (rows, decisions): sum_truth p_truth * cost[truth, decision].

    Parameters
    ----------
    p : array, shape (rows, classes)
        Probabilities.
    costs : array, shape (classes, decisions)
        What a decision costs where a class is true; finite. Decisions may be more than the classes, such as to abstain.

    Notes
    -----
    Elkan (2001), "The foundations of cost-sensitive learning", equation 1. Added up class by class, so that a row does
    not depend on its neighbours: BLAS would add the rows of a large block in another order than those of a small one.
    """
    total = np.zeros((len(p), costs.shape[1]))
    for truth, row in enumerate(costs):
        total += p[:, truth, None].astype(np.float64) * row
    return total


def entropy(log_p: NDArray[np.floating]) -> NDArray[np.floating]:
    """Entropy of every row, nats, shape (rows,): 0 where one class has it all, log(classes) where all are equal."""
    with np.errstate(invalid="ignore", under="ignore"):
        terms = np.exp(log_p)
        terms *= np.where(log_p == -np.inf, 0, log_p)  # 0 * -inf would be nan
    found: NDArray[np.floating] = np.abs(row_sums(terms))  # never -0
    return found


def margin(p: NDArray[np.floating]) -> NDArray[np.floating]:
    """Probability of the best class less that of the second best, 0 to 1, shape (rows,); 1 where there is one class."""
    if p.shape[1] < 2:
        return p[:, 0].copy()
    two = np.partition(p, p.shape[1] - 2, axis=1)[:, -2:]
    gap: NDArray[np.floating] = two[:, 1] - two[:, 0]
    return gap


def energy(z: NDArray[np.floating], temperature: Temperature = 1.0) -> NDArray[np.floating]:
    """Free energy of every row, -T log sum exp(z/T), shape (rows,), in the unit of the logits.

    Parameters
    ----------
    z : array, shape (rows, classes)
        Logits before they are divided by the temperature; ``-inf`` masks a class.
    temperature : float or array, shape (rows,)
        Above 0. At ``inf``, where the figure has no limit, it is ``-inf``.

    Notes
    -----
    Liu, Wang, Owens & Li (2020), "Energy-based out-of-distribution detection", equation 4: lower where the network has
    seen more of the kind. The largest logit is taken out first, so that exp does not overflow.
    """
    top = z.max(axis=1, initial=-np.inf)
    scale = np.asarray(temperature, z.dtype)
    with np.errstate(invalid="ignore", under="ignore", over="ignore"):
        terms = np.exp((z - top[:, None]) / scale[..., None])
        spread = np.log(row_sums(terms))
        found: NDArray[np.floating] = -(top + scale * spread)
    return found


def rank_of(ranked: NDArray[np.floating], labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Place of a class among the classes of its row, from 1, shape (rows,); of equals the earlier column comes first.

    Parameters
    ----------
    ranked : array, shape (rows, classes)
        What classes are ranked by, the largest first.
    labels : array of int, shape (rows,)
        Column of the class that is looked for.
    """
    column = np.asarray(labels, np.intp)[:, None]
    own = np.take_along_axis(ranked, column, axis=1)
    before = ranked > own
    before |= (ranked == own) & (np.arange(ranked.shape[1]) < column)
    places: NDArray[np.int64] = 1 + before.sum(axis=1, dtype=np.int64)
    return places
