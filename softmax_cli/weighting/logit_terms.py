"""Weights, priors and shares as users give them, made into terms that are added to log-probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError, listed
from softmax_cli.numeric import class_weights
from softmax_cli.prediction.scorer import Term
from softmax_cli.weighting.class_values import COUNT_COLUMNS, align, count_labels, read_class_values

BALANCED = "balanced:"


def weight_term(flag: str, given: str, classes: tuple[str, ...], notes: list[str], undo: bool = False) -> Term:
    """Return + log w, or - log w to undo weights that the model was trained with.

    Raises
    ------
    UsageError
        A weight is negative, belongs to no class, or is 0 where it is to be undone.
    """
    if given.startswith(BALANCED):
        weights = _balanced(flag, given.removeprefix(BALANCED), classes, notes)
    else:
        values = read_class_values(flag, given, ("weight", "class_weight", "w"))
        weights, unlisted = align(flag, values, classes, 1.0, notes)
        negative = [f"{name}={value:g}" for name, value in zip(classes, weights, strict=True) if value < 0]
        if negative:
            raise UsageError(f"{flag} {negative[0]}: a weight is 0 (masks the class) or more")
        notes += [f"{flag}: not listed, weight 1: {listed(unlisted)}"] if unlisted else []
    if undo and not weights.all():
        raise UsageError(f"{flag}: a weight of 0 cannot be undone: the model never learned that class")
    if not weights.any():
        raise UsageError(f"{flag}: every class is masked by a weight of 0")
    signed, ratios = (-1.0, 1 / weights) if undo else (1.0, weights)
    formula = "- log w" if undo else "+ log w"
    return Term(flag, formula, signed * class_weights.log_weights(weights), direction(ratios, classes))


def _balanced(flag: str, given: str, classes: tuple[str, ...], notes: list[str]) -> NDArray[np.float64]:
    found = count_labels(flag, given, None)
    counts, missing = align(flag, found.counts, classes, 0.0, notes)
    notes += [f"{flag}: {found.missing:,} rows of {given} have no label and do not count"] if found.missing else []
    if missing or not counts.all():
        absent = [name for name, count in zip(classes, counts, strict=True) if not count]
        raise DataError(
            f"{flag} {BALANCED}{given}: no training example of {listed(absent)}; give weights for every class"
        )
    return class_weights.balanced(counts)


def read_prior(flag: str, given: str, classes: tuple[str, ...], notes: list[str]) -> NDArray[np.float64]:
    """Read a prior, shape (classes,), summing to 1, from counts or shares for every class, or ``uniform``."""
    if given == "uniform":
        return np.full(len(classes), 1 / len(classes))
    preferred = ("prior", "share", flag.removeprefix("--").replace("-", "_"), *COUNT_COLUMNS)
    values, _ = align(flag, read_class_values(flag, given, preferred), classes, None, notes)
    wrong = [f"{name}={value:g}" for name, value in zip(classes, values, strict=True) if value <= 0]
    if wrong:
        raise UsageError(f"{flag} {wrong[0]}: a prior is above 0; leave a class out with --class-weights NAME=0")
    prior = class_weights.normalize_prior(values)
    if abs(values.sum() - 1) > 1e-9:
        shares = [f"{name} {share:.4g}" for name, share in zip(classes, prior, strict=True)]
        notes.append(f"{flag}: {values.sum():g} in all, as shares: {listed(shares)}")
    return prior


def prior_term(flag: str, source: NDArray[np.float64], target: NDArray[np.float64], classes: tuple[str, ...]) -> Term:
    """Return + log(target/source)."""
    return Term(
        flag,
        "+ log(target/source prior)",
        class_weights.log_prior_ratio(target, source),
        direction(target / source, classes),
    )


def kept_share_term(flag: str, given: str, classes: tuple[str, ...]) -> Term:
    """Return - log(share): a class of which few rows were kept is more frequent than the model has seen."""
    shares, _ = align(flag, read_class_values(flag, given, ("share", "kept_share", "kept")), classes, default=1.0)
    wrong = [f"{name}={value:g}" for name, value in zip(classes, shares, strict=True) if not 0 < value <= 1]
    if wrong:
        raise UsageError(f"{flag} {wrong[0]}: a share is above 0 and at most 1")
    return Term(flag, "- log(kept share)", class_weights.log_kept_share(shares), direction(1 / shares, classes))


def logit_adjustment_term(flag: str, source: NDArray[np.float64], tau: float, classes: tuple[str, ...]) -> Term:
    """Return - tau*log(prior)."""
    if not np.isfinite(tau):
        raise UsageError(f"{flag} {tau}: expected a finite number; 1 equals a uniform target prior")
    values = class_weights.logit_adjustment(source, tau)
    # Only ratios between classes matter; the mean keeps the figures near 1.
    return Term(flag, f"- {tau:g}*log(prior)", values, direction(np.exp(values - values.mean()), classes))


def direction(ratios: NDArray[np.float64], classes: tuple[str, ...]) -> str:
    """Spell a factor per class in words, the strongest first: ``raises cat (x4), lowers dog (x0.5)``.

    Parameters
    ----------
    ratios : array, shape (classes,)
        What the odds of each class are multiplied by; 0 masks it.
    """
    with np.errstate(divide="ignore"):
        strength = np.abs(np.log(ratios))
    order = [i for i in np.argsort(-strength, kind="stable") if ratios[i] != 1]
    words = [f"{_verb(ratios[i])} {classes[i]}{'' if ratios[i] == 0 else f' (x{ratios[i]:.4g})'}" for i in order[:4]]
    words += [f"changes {len(order) - 4} more"] if len(order) > 4 else []
    return ", ".join(words) or "changes nothing"


def _verb(ratio: float) -> str:
    if ratio == 0:
        return "masks"
    return "raises" if ratio > 1 else "lowers"
