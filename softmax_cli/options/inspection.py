"""How a table is looked at, and how the report is given."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.talk import WorkOptions

if TYPE_CHECKING:
    from softmax_cli.batches.profile import Inspector
    from softmax_cli.batches.table import Table
    from softmax_cli.options.source import Opened

REPORT = "Report"


@dataclass(frozen=True)
class InspectionOptions(WorkOptions):
    """Limits, the form of the report, threads."""

    outlier_limit: Annotated[
        float,
        typer.Option(
            metavar="Z",
            help="Robust deviations (1.4826 MAD) from the median of its class, and from the logits that win rows, "
            "beyond which a logit is an outlier.",
            rich_help_panel=REPORT,
        ),
    ] = 6.0
    json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, for a program.", rich_help_panel=REPORT)
    ] = False
    rows_out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write every flagged row, with its place and reasons, to a CSV file; reads the input twice.",
            rich_help_panel=REPORT,
        ),
    ] = None
    classes_shown: Annotated[
        int, typer.Option(min=1, help="Classes in the table: the oddest, in file order.", rich_help_panel=REPORT)
    ] = 12
    all: Annotated[bool, typer.Option("--all", help="Show every class.", rich_help_panel=REPORT)] = False
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.", rich_help_panel=REPORT)] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.outlier_limit < math.inf:
            raise UsageError(
                f"--outlier-limit {self.outlier_limit:g}: a number of deviations above 0 is wanted, such as 6"
            )

    def check(self, inputs: list[str]) -> None:
        """Refuse, before anything is read, flagged rows that could not be written."""
        from softmax_cli.sinks import check_target
        from softmax_cli.sources.paths import STDIN

        if self.rows_out is None:
            return
        if not inputs or STDIN in inputs or any(Path(path).is_fifo() for path in inputs):
            raise UsageError("--rows-out reads the input twice, and a pipe is gone after once: save it to a file first")
        check_target(self.rows_out, inputs, self.force)

    def settle(self, opened: Opened) -> tuple[Inspector, Table]:
        """Return what the table is measured with, and the table with the first rows, which tell it, still in it."""
        from softmax_cli.batches.scores import score_dtype
        from softmax_cli.runs.inspecting import settled_inspector

        dtype = str(score_dtype(opened.table.schema, opened.columns))
        return settled_inspector(opened.table, opened.columns, dtype, self.outlier_limit)

    @property
    def shown(self) -> int | None:
        """Return how many classes the table shows; None: every one."""
        return None if self.all else self.classes_shown
