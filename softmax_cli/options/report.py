"""Where the truth comes from, and the form of the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.source import COLUMNS

if TYPE_CHECKING:
    from softmax_cli.batches.columns import Columns
    from softmax_cli.batches.gates import Gate
    from softmax_cli.batches.parts import Plan
    from softmax_cli.batches.truth import Truth
    from softmax_cli.options.source import Opened

PANEL = "Report"


@dataclass(frozen=True)
class ReportOptions:
    """Truth from elsewhere, slices, the form of the report, gates."""

    labels: Annotated[
        str | None,
        typer.Option(
            metavar="FILE[:COLUMN]",
            help="Take the truth from another table, joined by id.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Tell the figures for every value of a column too.", rich_help_panel=PANEL),
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, for a program.", rich_help_panel=PANEL)
    ] = False
    per_class: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write precision, recall, F1, support, AUROC and ECE of every class (.csv .parquet .json ...).",
            rich_help_panel=PANEL,
        ),
    ] = None
    bins_out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the bins of the reliability diagram.", rich_help_panel=PANEL),
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.", rich_help_panel=PANEL)] = False
    fail_if: Annotated[
        list[str],
        typer.Option(
            metavar="'ECE > 0.05'",
            help="End with exit code 3 where this holds; may be given several times.",
            rich_help_panel=PANEL,
            show_default=False,
        ),
    ] = field(default_factory=list)

    def check(self, inputs: list[str], label: str | None) -> None:
        """Refuse, before anything is read, what cannot be written or does not go together."""
        from softmax_cli import formats
        from softmax_cli.sinks import check_target

        if self.labels is not None and label is not None:
            raise UsageError(
                "--label names a column of the table, --labels takes another table: FILE:COLUMN names its column"
            )
        targets = [path for path in (self.per_class, self.bins_out) if path is not None]
        for path in targets:
            form, _ = formats.by_suffix(path)
            if formats.name_of(form) in ("npy", "npz"):
                raise UsageError(f"{path}: an array file cannot hold names; choose .csv, .json or .parquet")
            check_target(path, [*inputs, *([self.labels] if self.labels else [])], self.force)
        if len(targets) == 2 and Path(targets[0]).resolve() == Path(targets[1]).resolve():
            raise UsageError(f"--per-class and --bins-out both name {targets[0]}: two tables need two files")

    def gates(self, plan: Plan, has_sets: bool) -> list[Gate]:
        """Return the gates."""
        from softmax_cli.batches.figures import names_of
        from softmax_cli.batches.gates import parse_gate

        names = names_of(plan, has_sets)
        return [parse_gate(said, names) for said in self.fail_if]

    def truth(self, opened: Opened) -> Truth:
        """Return where the truth comes from.

        Raises
        ------
        UsageError
            There is none.
        """
        from softmax_cli.batches.labels import ClassLookup
        from softmax_cli.batches.truth import OwnTruth
        from softmax_cli.perclass.labels import join_labels

        columns = opened.columns
        if self.by is not None and self.by not in opened.table.schema.names:
            raise UsageError(f"--by {self.by!r}: no such column; there are: {', '.join(opened.table.schema.names)}")
        if self.labels is not None:
            return join_labels(self.labels, columns)
        if columns.label is None:
            raise UsageError(_no_truth(columns))
        return OwnTruth(columns.label, ClassLookup.of(columns))


def _no_truth(columns: Columns) -> str:
    there = f"there are: {', '.join(columns.others)}" if columns.others else "there are scores only"
    return f"no column is named like a truth; {there}; name it with --label, or take it from a file with --labels"
