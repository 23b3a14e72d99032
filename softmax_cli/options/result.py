"""What is given out for a row: which numbers, how laid out, and when a prediction is withheld."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from softmax_cli.errors import UsageError

if TYPE_CHECKING:
    from softmax_cli.batches.calibration import Calibration
    from softmax_cli.batches.layout import Decision, Layout
    from softmax_cli.batches.scoring import Emit

PANEL = "Result"


@dataclass(frozen=True)
class ResultOptions:
    """Numbers, layout and threshold."""

    top_k: Annotated[
        int | None,
        typer.Option(
            "--top-k",
            "-k",
            min=0,
            help="List the K most probable classes instead of all; 0: all.",
            rich_help_panel=PANEL,
        ),
    ] = None
    layout: Annotated[
        str,
        typer.Option(
            help="wide (a column per class), long (a row per class), or list (all classes in one list column).",
            rich_help_panel=PANEL,
        ),
    ] = "wide"
    emit: Annotated[
        str,
        typer.Option(
            help="One or several of prob, logprob, logit (the adjusted logit), with commas.", rich_help_panel=PANEL
        ),
    ] = "prob"
    only_predictions: Annotated[
        bool,
        typer.Option("--only-predictions", help="Leave the columns of the classes out.", rich_help_panel=PANEL),
    ] = False
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="P",
            help="Abstain below this confidence: one number, or one a class as cat=0.9,dog=0.5 (unlisted: 0).",
            rich_help_panel=PANEL,
        ),
    ] = None
    abstain_label: Annotated[
        str | None,
        typer.Option(help="The prediction of a row below the threshold; unsaid: empty.", rich_help_panel=PANEL),
    ] = None

    def __post_init__(self) -> None:
        if self.only_predictions and (self.top_k or self.layout != "wide"):
            raise UsageError("--only-predictions leaves the classes out: it does not go with --top-k or --layout")
        if self.layout == "list" and self.top_k:
            raise UsageError("--layout list holds every class in its place: it does not go with --top-k")
        if self.layout == "long" and self.threshold is not None:
            raise UsageError("--layout long has no prediction to withhold: it does not go with --threshold")

    def emitted(self) -> tuple[Emit, ...]:
        """Return the kinds of number, in the order that was typed."""
        from softmax_cli.batches.scoring import Emit

        said = tuple(name.strip() for name in self.emit.split(","))
        for name in said:
            if name not in get_args(Emit):
                raise UsageError(f"--emit {name}: choose among {', '.join(get_args(Emit))}")
        if len(set(said)) < len(said):
            raise UsageError(f"--emit {self.emit}: the same twice")
        return cast("tuple[Emit, ...]", said)

    def notes(self, classes: int) -> list[str]:
        """Return what is to be said about a ranking that is longer than the classes."""
        if self.top_k is None or self.top_k <= classes:
            return []
        return [f"--top-k {self.top_k}: there are {classes} classes, and all are listed"]

    def build(self, classes: tuple[str, ...], shape: str, calibration: Calibration | None = None) -> Layout:
        """Return the layout; `shape` is the one that was said, or the one that the file format needs."""
        from softmax_cli.batches.layout import Layout

        if calibration is not None and self.layout == "long" and (calibration.sets or calibration.abstention):
            raise UsageError("--layout long has no place for sets and withheld predictions; choose wide or list")
        return Layout(shape, self._decision(classes, calibration), self.only_predictions)

    def _decision(self, classes: tuple[str, ...], calibration: Calibration | None) -> Decision:
        import numpy as np

        from softmax_cli.batches.layout import Decision
        from softmax_cli.perclass.values import align, read_class_values

        if self.threshold is None and calibration is not None and calibration.abstention is not None:
            return Decision(np.full(len(classes), calibration.abstention.confidence), self.abstain_label or "")
        if self.threshold is None and self.abstain_label is not None:
            raise UsageError("--abstain-label is for rows below a --threshold: say which")
        if self.threshold is None:
            return Decision()
        try:
            values = np.full(len(classes), float(self.threshold))
        except ValueError:
            per_class = read_class_values("--threshold", self.threshold, ("threshold",))
            values, _ = align("--threshold", per_class, classes, default=0.0)
        if not ((values >= 0) & (values <= 1)).all():
            raise UsageError(f"--threshold {self.threshold}: a confidence is from 0 to 1")
        return Decision(values, self.abstain_label or "")
