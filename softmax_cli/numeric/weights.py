"""Class weights, priors and kept shares, as terms that are added to log-probabilities: log w, never w times a logit.

Multiplying a negative logit by a weight above 1 lowers its class; adding log w raises it, by the factor w on the odds.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


def balanced(counts: Vector) -> Vector:
    """Weights n/(K n_i), shape (classes,), that make every class count the same (King & Zeng 2001).

    Raises
    ------
    ValueError
        A class has no example, or a count is not a number.
    """
    usable = np.isfinite(counts) & (counts > 0)
    if not usable.all():
        raise ValueError(f"no example of the classes at {np.flatnonzero(~usable).tolist()}")
    balancing: Vector = counts.sum() / (len(counts) * counts)
    return balancing


def log_weights(weights: Vector) -> Vector:
    """Natural logarithm of weights, shape (classes,); a weight of 0 gives ``-inf``, which masks the class.

    Raises
    ------
    ValueError
        A weight is negative or not finite.
    """
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"weights {weights.tolist()}: finite numbers from 0 up are wanted")
    with np.errstate(divide="ignore"):
        return np.log(weights)


def normalize_prior(values: Vector) -> Vector:
    """Shares, summing to 1, from counts or shares above 0.

    Raises
    ------
    ValueError
        A value is not above 0 or not finite.
    """
    if not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"prior {values.tolist()}: finite numbers above 0 are wanted")
    shares: Vector = values / values.sum()
    return shares


def log_prior_ratio(target: Vector, source: Vector) -> Vector:
    """log(target/source): from the class frequencies of training to those of use (Saerens et al. 2002)."""
    return np.log(normalize_prior(target)) - np.log(normalize_prior(source))


def log_kept_share(shares: Vector) -> Vector:
    """-log(share), where `shares` of the rows of each class, above 0 and up to 1, were kept for training.

    Dal Pozzolo et al. (2015), "Calibrating probability with undersampling for unbalanced classification".

    Raises
    ------
    ValueError
        A share is out of range.
    """
    if not ((shares > 0) & (shares <= 1)).all():
        raise ValueError(f"kept shares {shares.tolist()}: numbers above 0 and up to 1 are wanted")
    return -np.log(shares)


def logit_adjustment(prior: Vector, tau: float) -> Vector:
    """-tau*log(prior); Menon et al. (2021), "Long-tail learning via logit adjustment", ICLR.

    Raises
    ------
    ValueError
        `tau` is not finite.
    """
    if not np.isfinite(tau):
        raise ValueError(f"tau {tau}: a finite number is wanted; 1 equals a uniform target prior")
    return -tau * np.log(normalize_prior(prior))
