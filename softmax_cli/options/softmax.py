"""How scores become probabilities, apart from what concerns imbalance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError

if TYPE_CHECKING:
    from softmax_cli.batches.adjustment import Term
    from softmax_cli.batches.calibration import Calibration
    from softmax_cli.batches.remedies import Remedy
    from softmax_cli.batches.scoring import Emit, Scoring
    from softmax_cli.options.source import Opened

PANEL = "Softmax"


@dataclass(frozen=True)
class SoftmaxOptions:
    """Temperature, activation, precision and truncation."""

    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            "-T",
            help="Divides the logits: above 1 flattens the distribution, below 1 sharpens it; inf is uniform.",
            rich_help_panel=PANEL,
        ),
    ] = 1.0
    activation: Annotated[
        str,
        typer.Option(
            help="softmax, sigmoid (multi-label: each class alone, no sum), sparsemax or entmax15 (exact zeros).",
            rich_help_panel=PANEL,
        ),
    ] = "softmax"
    dtype: Annotated[
        str | None,
        typer.Option(
            help="Compute in float64 or float32; unsaid: float32 for binary files that hold nothing wider.",
            rich_help_panel=PANEL,
        ),
    ] = None
    top_p: Annotated[
        float | None,
        typer.Option(
            help="Keep the smallest set of best classes whose probability reaches P, and renormalise.",
            rich_help_panel=PANEL,
        ),
    ] = None
    min_p: Annotated[
        float | None,
        typer.Option(
            help="Keep classes with at least P times the largest probability, and renormalise.", rich_help_panel=PANEL
        ),
    ] = None

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise UsageError(f"--temperature {self.temperature:g}: {_wrong_temperature(self.temperature)}")
        if self.dtype not in (None, "float32", "float64"):
            raise UsageError(f"--dtype {self.dtype}: choose float32 or float64")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise UsageError(f"--top-p {self.top_p:g}: a probability above 0 and up to 1 is wanted")
        if self.min_p is not None and not 0 <= self.min_p <= 1:
            raise UsageError(f"--min-p {self.min_p:g}: a share from 0 to 1 is wanted")
        if self.activation != "softmax" and not (self.top_p is None and self.min_p is None):
            raise UsageError(
                f"--top-p and --min-p cut a softmax distribution; --activation {self.activation} has none to cut"
            )

    def scoring(
        self,
        terms: tuple[Term, ...],
        emit: tuple[Emit, ...],
        top: int,
        remedies: tuple[Remedy, ...] = (),
        calibration: Calibration | None = None,
    ) -> Scoring:
        """Return the numeric half of a transform."""
        from softmax_cli.batches.adjustment import Adjustment
        from softmax_cli.batches.scoring import Scoring, Truncation
        from softmax_cli.numeric.activations import ACTIVATIONS

        if self.activation not in ACTIVATIONS:
            raise UsageError(f"--activation {self.activation}: choose one of {', '.join(ACTIVATIONS)}")
        return Scoring(
            Adjustment(self.temperature, terms, remedies, None if calibration is None else calibration.scale),
            self.activation,
            Truncation(self.top_p, self.min_p),
            emit,
            top,
            None if calibration is None else calibration.sets,
        )

    def precision(self, opened: Opened) -> str:
        """Return the type to compute in."""
        from softmax_cli.batches.scores import score_dtype

        return self.dtype or str(score_dtype(opened.table.schema, opened.columns))


def _wrong_temperature(temperature: float) -> str:
    if math.isnan(temperature):
        return "a number above 0 is wanted"
    if temperature == 0:
        return "division by zero; T -> 0 puts everything on the largest logit, which --only-predictions gives"
    return "a negative temperature would turn the ranking of the classes around; a number above 0 is wanted"
