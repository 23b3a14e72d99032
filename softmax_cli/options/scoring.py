"""Everything between the scores that were read and the probabilities: four groups that only make sense together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from softmax_cli.options.calibration import CalibrationOptions
from softmax_cli.options.imbalance import ImbalanceOptions
from softmax_cli.options.remedies import RemedyOptions
from softmax_cli.options.softmax import SoftmaxOptions
from softmax_cli.options.source import Opened

if TYPE_CHECKING:
    from softmax_cli.batches.calibration import Calibration
    from softmax_cli.batches.columns import Columns
    from softmax_cli.batches.scoring import Emit, Scoring
    from softmax_cli.numeric.em import PriorEstimate


class Chosen(NamedTuple):
    """What the options come to for one table."""

    scoring: Scoring
    calibration: Calibration | None
    notes: list[str]
    """What the user is to be told."""


@dataclass(frozen=True)
class ScoringOptions:
    """Remedies, temperature and activation, or a calibration, and corrections for imbalance."""

    remedies: RemedyOptions
    softmax: SoftmaxOptions
    calibration: CalibrationOptions
    imbalance: ImbalanceOptions

    def __post_init__(self) -> None:
        self.calibration.check(self.softmax)

    def build(self, columns: Columns, emit: tuple[Emit, ...], top: int, estimate: PriorEstimate | None) -> Chosen:
        """Return the numeric half of a transform, and what belongs to it.

        Parameters
        ----------
        estimate : PriorEstimate or None
            What --estimate-prior has found; None: nothing yet.
        """
        terms, notes = self.imbalance.build(columns.classes, self.softmax.activation, estimate)
        steps = self.remedies.build(columns.classes)
        calibration = self.calibration.load(columns, terms, steps)
        scoring = self.softmax.scoring(terms, emit, top, steps, calibration)
        return Chosen(scoring, calibration, [*self.remedies.notes(columns.classes), *notes])

    def before_prior(self, columns: Columns) -> Scoring:
        """Return what comes before the prior, for --estimate-prior; refuses what does not go together."""
        calibration = self.build(columns, ("prob",), 0, None).calibration
        terms, _ = self.imbalance.before_prior().build(columns.classes, self.softmax.activation)
        return self.softmax.scoring(terms, ("prob",), 0, self.remedies.build(columns.classes), calibration)

    def dtype(self, opened: Opened) -> str:
        """Return the type to compute in."""
        return self.calibration.dtype(self.softmax.precision(opened))
