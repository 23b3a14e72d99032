"""Weights for classes from how often each was seen in training, one frozen rule per method.

Only ratios matter to a softmax; every rule fixes the common factor so that the weights stay near 1. With n_i examples
of class i, n in all and K classes, pi_i = n_i/n is the prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

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
        raise ValueError(f"weights {weights.tolist()}: expected finite numbers from 0 up")
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
        raise ValueError(f"prior {values.tolist()}: expected finite numbers above 0")
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
        raise ValueError(f"kept shares {shares.tolist()}: expected numbers above 0 and up to 1")
    return -np.log(shares)


def logit_adjustment(prior: Vector, tau: float) -> Vector:
    """-tau*log(prior); Menon et al. (2021), "Long-tail learning via logit adjustment", ICLR.

    Raises
    ------
    ValueError
        `tau` is not finite.
    """
    if not np.isfinite(tau):
        raise ValueError(f"tau {tau}: expected a finite number; 1 equals a uniform target prior")
    return -tau * np.log(normalize_prior(prior))


class Rule(Protocol):
    """Counts in, a value per class out, both of shape (classes,)."""

    @property
    def formula(self) -> str:
        """What is computed, for people."""

    def __call__(self, counts: Vector) -> Vector:
        """Return the values; ValueError where a count is not a finite number above 0."""


@dataclass(frozen=True, slots=True)
class Balanced:
    """n/(K n_i): every class counts the same in all (King & Zeng 2001). The mean over the examples is 1."""

    formula: str = "n / (K n_i)"

    def __call__(self, counts: Vector) -> Vector:
        """Return the weights."""
        return balanced(counts)


@dataclass(frozen=True, slots=True)
class InverseSquareRoot:
    """1/sqrt(n_i), mean 1 over the classes: half-way, on the log scale, between no weights and balanced ones."""

    formula: str = "1 / sqrt(n_i), mean 1"

    def __call__(self, counts: Vector) -> Vector:
        """Return the weights."""
        return _mean_one(np.sqrt(balanced(counts)))


@dataclass(frozen=True, slots=True)
class EffectiveNumber:
    """(1 - beta)/(1 - beta^n_i), mean 1 over the classes; Cui et al. (2019), "Class-balanced loss", CVPR.

    (1 - beta^n)/(1 - beta) is the number of examples that are not near-copies of others: beta = 0 weighs all classes
    alike, beta -> 1 is the inverse frequency. Written as it stands, 1 - beta^n loses its digits where beta is close
    to 1.
    """

    beta: float = 0.999

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise ValueError(f"beta {self.beta}: expected a number from 0 to below 1, such as 0.999")

    @property
    def formula(self) -> str:
        """What is computed, for people."""
        return f"(1 - beta) / (1 - beta^n_i), beta {self.beta:g}, mean 1"

    def __call__(self, counts: Vector) -> Vector:
        """Return the weights."""
        normalize_prior(counts)
        if self.beta == 0:
            return np.ones(len(counts))
        return _mean_one(-1 / np.expm1(counts * np.log(self.beta)))


@dataclass(frozen=True, slots=True)
class LogPrior:
    """pi_i^-tau, geometric mean 1: its logarithm, -tau*log(pi_i) + const, is the logit adjustment.

    Menon et al. (2021), "Long-tail learning via logit adjustment", ICLR. tau = 1 has the ratios of balanced weights.
    """

    tau: float = 1.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.tau):
            raise ValueError(f"tau {self.tau}: expected a finite number; 1 equals a uniform target prior")

    @property
    def formula(self) -> str:
        """What is computed, for people."""
        return f"pi_i^-{self.tau:g}, geometric mean 1: log w = -{self.tau:g} log(pi_i) + const"

    def __call__(self, counts: Vector) -> Vector:
        """Return the weights."""
        values = -self.tau * np.log(normalize_prior(counts))
        with np.errstate(over="ignore", under="ignore"):  # the caller sees inf or 0 and refuses that tau
            weights: Vector = np.exp(values - values.mean())
        return weights


@dataclass(frozen=True, slots=True)
class Prior:
    """n_i/n: the shares themselves, for ``--source-prior``; no weights."""

    formula: str = "n_i / n"

    def __call__(self, counts: Vector) -> Vector:
        """Return the shares, which sum to 1."""
        return normalize_prior(counts)


def _mean_one(weights: Vector) -> Vector:
    scaled: Vector = weights * (len(weights) / weights.sum())
    return scaled
