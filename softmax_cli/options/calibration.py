"""A calibration that was fitted before, in the place of a temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.softmax import PANEL, SoftmaxOptions

if TYPE_CHECKING:
    from softmax_cli.batches.adjustment import Term
    from softmax_cli.batches.calibration import Calibration
    from softmax_cli.batches.columns import Columns
    from softmax_cli.batches.remedies import Remedy


@dataclass(frozen=True)
class CalibrationOptions:
    """The file that ``softmax-cli calibrate`` writes."""

    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Apply what softmax-cli calibrate has fitted, instead of --temperature. Adds set (a list of classes) "
            "and set_size, and withholds predictions, where the file holds thresholds for that.",
            rich_help_panel=PANEL,
        ),
    ] = None

    def check(self, softmax: SoftmaxOptions) -> None:
        """Refuse, before anything is read, what a calibration excludes.

        Raises
        ------
        UsageError
            A temperature, another activation or float32 was said as well.
        """
        if self.calibration is None:
            return
        if softmax.temperature != 1:
            raise UsageError("--temperature and --calibration exclude each other: a calibration holds its own T")
        if softmax.activation != "softmax":
            raise UsageError(f"--calibration gives softmax probabilities; --activation {softmax.activation} gives none")
        if softmax.dtype == "float32":
            raise UsageError("--calibration was fitted in float64, and its thresholds hold there: drop --dtype float32")

    def load(self, columns: Columns, terms: tuple[Term, ...], remedies: tuple[Remedy, ...]) -> Calibration | None:
        """Read the file, and refuse a table, weights or remedies that it was not made for; None: there is none.

        Raises
        ------
        UsageError
            There is no such file, or weights or remedies differ.
        DataError
            It is no calibration, or the table has other classes.
        """
        if self.calibration is None:
            return None
        from softmax_cli.store import read_calibration

        found = read_calibration(self.calibration)
        found.check_classes(columns.classes)
        found.check_kind(columns.kind)
        found.check_remedies(remedies)
        found.check_terms(terms)
        return found

    def dtype(self, otherwise: str) -> str:
        """Return the type to compute in: a calibration and its thresholds are made of float64."""
        return otherwise if self.calibration is None else "float64"
