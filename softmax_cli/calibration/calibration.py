"""A calibration as it is kept: fitted parameters, what they were fitted to, and thresholds for sets and abstention.

What was fitted to one kind of table is wrong for another, silently. So a calibration knows its classes and what was
done to the logits before and after it, and refuses to be used otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, UsageError, listed
from softmax_cli.numeric.calibrators import Calibrator
from softmax_cli.prediction.prediction_sets import SetRule
from softmax_cli.prediction.scorer import LogitStep, Term
from softmax_cli.tables.column_names import Kind

if TYPE_CHECKING:
    from softmax_cli.numeric.model_selection import Scores


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """A calibrator as the step of a transform that stands in the place of z/T."""

    calibrator: Calibrator

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"{self.calibrator.describe()}  (--calibration: {self.calibrator.name})"

    def __call__(self, z: NDArray[np.floating]) -> NDArray[np.floating]:
        """Put calibrated log-probabilities in the place of logits, shape (rows, classes), and return them."""
        z[...] = self.calibrator.log_p(z)
        return z


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over rows that the calibrator was not fitted to."""

    nll: float
    """Negative log-likelihood, nats."""
    brier: float
    """Sum over classes: 0..2."""
    ece: float
    """Top label, 15 equal-width bins."""

    @classmethod
    def of(cls, scores: Scores) -> Self:
        """Take them from a cross-validation."""
        return cls(scores.nll, scores.brier, scores.ece)


@dataclass(frozen=True, slots=True)
class FitRecord:
    """Where a calibration comes from."""

    data: str
    """Name of the table."""
    data_hash: str
    """``sha256:...`` of its scores and labels."""
    rows: int
    kind: str
    """How its scores were read: logits, prob, logprob."""
    objective: str
    """nll, ece-grid, or none where nothing was fitted."""
    folds: int
    seed: int
    before: Figures
    after: Figures
    remedies: tuple[str, ...] = ()
    """What was done to the logits before, one line each."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChosenThreshold:
    """A threshold and what it did on the rows that it was chosen on: an estimate, not a guarantee."""

    confidence: float
    """Least confidence of a prediction, 0..1."""
    risk: float
    """Share of the answered rows that were wrong."""
    coverage: float
    """Share of rows answered."""
    asked: str
    """The option, as typed."""
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What a calibration file holds."""

    calibrator: Calibrator
    classes: tuple[str, ...]
    fit: FitRecord
    bias: NDArray[np.float64] | None = None
    """Log weights and prior ratios that the thresholds below were chosen with, summed; shape (classes,)."""
    sets: SetRule | None = None
    abstention: ChosenThreshold | None = None

    @property
    def scale(self) -> Scaled:
        """The step that takes the place of z/T in a transform."""
        return Scaled(self.calibrator)

    def check_classes(self, classes: tuple[str, ...]) -> None:
        """Refuse a table of other classes.

        Raises
        ------
        DataError
            A class is missing, new, or in another place.
        """
        if classes == self.classes:
            return
        missing = [name for name in self.classes if name not in classes]
        new = [name for name in classes if name not in self.classes]
        if not missing and not new:
            raise DataError(
                f"--calibration: fitted to the same classes in another order ({_few(self.classes)}; the table has "
                f"{_few(classes)}); bring the columns into that order"
            )
        parts = [f"the table lacks {_few(missing)}"] if missing else []
        parts += [f"the calibration does not know {_few(new)}"] if new else []
        raise DataError(
            f"--calibration: fitted to {len(self.classes)} other classes: {', and '.join(parts)}; "
            "choose the class columns with --logits, or fit a calibration for this table: softmax-cli calibrate"
        )

    def check_kind(self, kind: Kind) -> None:
        """Refuse probabilities where it was fitted to logits, or the other way round, if that makes a difference.

        The logarithm of a probability is a logit less a number for the row; most methods do not see that number.

        Raises
        ------
        DataError
            They differ, and this calibrator sees it.
        """
        if (kind == "logits") == (self.fit.kind == "logits"):
            return
        z = np.arange(2.0 * len(self.classes)).reshape(2, -1) % 7
        if not np.allclose(self.calibrator.log_p(z), self.calibrator.log_p(z - 3)):
            raise DataError(
                f"--calibration: {self.calibrator.name} was fitted to {self.fit.kind} and the table is read as {kind}, "
                "which is not the same to it; give what it was fitted to (--input), or fit temperature or dirichlet"
            )

    def check_remedies(self, remedies: tuple[LogitStep, ...]) -> None:
        """Refuse other remedies than it was fitted with.

        Raises
        ------
        UsageError
            They differ.
        """
        here = tuple(remedy.step for remedy in remedies)
        if here != self.fit.remedies:
            raise UsageError(
                f"--calibration: fitted to logits with {_listed(self.fit.remedies)} and applied with {_listed(here)}; "
                "give the same options"
            )

    def check_terms(self, terms: tuple[Term, ...]) -> None:
        """Refuse other weights and priors than those that its thresholds were chosen with.

        Raises
        ------
        UsageError
            What is added to the log-probabilities differs.
        """
        if self.sets is None and self.abstention is None:
            return
        then = np.zeros(len(self.classes)) if self.bias is None else self.bias
        now = np.sum([np.zeros(len(self.classes)), *(term.values for term in terms)], axis=0)
        if not np.array_equal(then, now):
            kind = "conformal threshold" if self.sets is not None else "threshold to abstain"
            raise UsageError(
                f"--calibration: its {kind} was chosen with other class weights or priors than these, and promises "
                "nothing with them; give the same options, or choose it again: softmax-cli calibrate"
            )


def _listed(steps: tuple[str, ...]) -> str:
    return "; ".join(steps) if steps else "no remedy"


def _few(names: list[str] | tuple[str, ...]) -> str:
    return listed([*map(repr, names)], 5)
