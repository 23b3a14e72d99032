"""Choice among methods: the least cross-validated negative log-likelihood wins.

All methods see the same folds, hence they are compared in pairs. A simpler method within one standard error of the
best does not win (the one-standard-error rule of Breiman et al. 1984 would take it): it is named, for a reader to
prefer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from softmax_cli.numeric.calibration import Calibrator, by_name, names
from softmax_cli.numeric.calibration.fitting.examples import Examples
from softmax_cli.numeric.calibration.model_selection.cross_validation import CrossValidation, cross_validated
from softmax_cli.numeric.calibration.model_selection.scores import paired_error


@dataclass(frozen=True)
class Ranked:
    """A method, and how far it is behind the best one."""

    cross_validation: CrossValidation
    behind: float
    """Negative log-likelihood above that of the best; nats, 0 for the best itself."""
    behind_error: float
    """Standard error of `behind`, from the paired differences of the rows."""


@dataclass(frozen=True)
class Refusal:
    """A method that cannot be fitted to these rows."""

    method: str
    reason: ValueError
    """`AbsentClasses` holds the indices of the classes."""


@dataclass(frozen=True)
class Selection:
    """All methods that were tried."""

    ranked: tuple[Ranked, ...]
    """Least negative log-likelihood first, the simpler one first where equal; not empty."""
    refused: tuple[Refusal, ...]

    @property
    def best(self) -> CrossValidation:
        """The method to take; whether it beats no calibration at all, `verdict` says."""
        return self.ranked[0].cross_validation

    @property
    def simpler(self) -> tuple[str, ...]:
        """Methods with fewer parameters that are within one standard error of the best, the simplest first."""
        near = [
            other.cross_validation
            for other in self.ranked[1:]
            if other.behind <= other.behind_error < float("inf")
            and other.cross_validation.free_parameters < self.best.free_parameters
        ]
        return tuple(found.method for found in sorted(near, key=lambda found: found.free_parameters))


def select(
    z: NDArray[Any],
    labels: NDArray[Any],
    weights: NDArray[Any] | None = None,
    *,
    methods: Sequence[type[Calibrator]] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Selection:
    """Cross-validate several methods, all of them where none is named, on the same folds.

    Raises
    ------
    ValueError
        The rows fit no method at all, or every method refuses them.
    """
    examples = Examples.checked(z, labels, weights)
    results: list[CrossValidation] = []
    refused: list[Refusal] = []
    for method in [by_name(name) for name in names()] if methods is None else methods:
        try:
            results.append(
                cross_validated(method.fit, examples.z, examples.labels, examples.weights, folds=folds, seed=seed)
            )
        except ValueError as reason:
            refused.append(Refusal(method.name, reason))
    if not results:
        raise ValueError("; ".join(f"{refusal.method}: {refusal.reason}" for refusal in refused))
    results.sort(key=lambda result: (result.after.nll, result.free_parameters))
    best = results[0]
    return Selection(
        tuple(
            Ranked(
                result,
                result.after.nll - best.after.nll if result is not best else 0.0,
                paired_error(result.row_scores, best.row_scores, examples.weights),
            )
            for result in results
        ),
        tuple(refused),
    )
