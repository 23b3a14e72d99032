"""Remedies for outlying logits: off unless asked for, each told and recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError

if TYPE_CHECKING:
    from softmax_cli.batches.remedies import Remedy

PANEL = "Outlying logits (off by default; in this order, before the temperature)"


@dataclass(frozen=True)
class RemedyOptions:
    """Bounds on logits, and their scale."""

    clip_logits: Annotated[
        str | None,
        typer.Option(
            metavar="LO,HI",
            help="Move logits beyond LO or HI to that bound; several at one bound become equal.",
            rich_help_panel=PANEL,
        ),
    ] = None
    winsorize: Annotated[
        float | None,
        typer.Option(
            metavar="Q",
            help="Pull each row within its own Q and 1-Q quantiles (0 < Q < 0.5), between ranks linearly: from "
            "Q = 1/(K-1) on the best two of K classes become equal.",
            rich_help_panel=PANEL,
        ),
    ] = None
    softcap: Annotated[
        float | None,
        typer.Option(
            metavar="C",
            help="C*tanh(z/C): never beyond +-C, almost z near 0, the order is kept.",
            rich_help_panel=PANEL,
        ),
    ] = None
    standardize: Annotated[
        str | None,
        typer.Option(
            metavar="row",
            help="row: (z - mean)/deviation over the classes of each row; takes away how sure the model was of one "
            "row against another.",
            rich_help_panel=PANEL,
        ),
    ] = None

    def __post_init__(self) -> None:
        if self.winsorize is not None and not 0 < self.winsorize < 0.5:
            raise UsageError(f"--winsorize {self.winsorize:g}: a share above 0 and below 0.5 is wanted, such as 0.05")
        if self.softcap is not None and not 0 < self.softcap < math.inf:
            raise UsageError(f"--softcap {self.softcap:g}: a finite number above 0 is wanted, such as 30")
        if self.standardize not in (None, "row"):
            raise UsageError(f"--standardize {self.standardize}: only row is possible: over the classes of each row")
        if self.clip_logits is not None:
            self._bounds(self.clip_logits)

    def build(self, classes: tuple[str, ...]) -> tuple[Remedy, ...]:
        """Return the remedies in the order in which they are applied."""
        from softmax_cli.batches import remedies

        if self.standardize is not None and len(classes) < 3:
            raise UsageError("--standardize row: with two classes every row would become -1, 1; use --temperature")
        chosen: list[Remedy] = []
        if self.clip_logits is not None:
            chosen.append(remedies.Clip(*self._bounds(self.clip_logits)))
        if self.winsorize is not None:
            chosen.append(remedies.Winsorize(self.winsorize))
        if self.softcap is not None:
            chosen.append(remedies.Softcap(self.softcap))
        if self.standardize is not None:
            chosen.append(remedies.Standardize())
        return tuple(chosen)

    def notes(self, classes: tuple[str, ...]) -> list[str]:
        """Return what is to be said about them."""
        notes = [remedy.step for remedy in self.build(classes)]
        equal = math.floor((self.winsorize or 0) * (len(classes) - 1))
        if equal:
            notes.append(
                f"--winsorize {self.winsorize:g}: of {len(classes)} classes the best {equal + 1} of a row become "
                "equal, and the first of them is predicted; a smaller Q keeps the order"
            )
        return notes

    @staticmethod
    def _bounds(said: str) -> tuple[float, float]:
        try:
            low, high = (float(part) for part in said.split(","))
        except ValueError:
            raise UsageError(f"--clip-logits {said}: two numbers are wanted, such as --clip-logits=-30,30") from None
        if not -math.inf < low < high < math.inf:
            raise UsageError(f"--clip-logits {said}: finite bounds are wanted, the lower one first")
        return low, high
