"""What is done to the logits before they become probabilities: remedies, (z - max z)/T or a calibration, terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.remedies import Remedy


@dataclass(frozen=True, slots=True)
class Term:
    """A constant per class that is added after the temperature: log weights, a ratio of priors."""

    name: str
    """The option it came from, as typed: ``--class-weights``."""
    formula: str
    """``+ log w``."""
    values: NDArray[np.float64] = field(compare=False)
    """Shape (classes,); ``-inf`` masks a class."""
    told: str
    """The direction in words: ``raises cat (x4)``."""


class Scale(Protocol):
    """What stands in the place of z/T: a calibration. Changes logits in place, each row by itself."""

    @property
    def step(self) -> str:
        """The operation in one line, with the option it came from."""

    def __call__(self, z: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return `z` itself."""


class Adjustment(NamedTuple):
    """Remedies for outliers first, then the temperature or a calibration that holds it, then the terms."""

    temperature: float = 1.0
    terms: tuple[Term, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    calibration: Scale | None = None

    @property
    def bias(self) -> NDArray[np.float64] | None:
        """Sum of the terms, shape (classes,); None when there is none."""
        return np.sum([term.values for term in self.terms], axis=0) if self.terms else None

    def steps(self) -> list[str]:
        """The operations in order, one line each."""
        scaled = [f"z / {self.temperature:g}  (--temperature)"] if self.temperature != 1 else []
        scaled += [self.calibration.step] if self.calibration is not None else []
        terms = [f"{term.formula}  ({term.name}: {term.told})" for term in self.terms]
        return [*(remedy.step for remedy in self.remedies), *scaled, *terms]


def direction(ratios: NDArray[np.float64], classes: tuple[str, ...]) -> str:
    """Tell a factor per class in words, the strongest first: ``raises cat (x4), lowers dog (x0.5)``.

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
