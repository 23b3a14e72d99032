"""How a run behaves: bad rows, threads, and what it says on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.talk import PANEL, WorkOptions

if TYPE_CHECKING:
    from softmax_cli.batches.badrows import Policy

POLICIES = ("error", "skip", "null")


@dataclass(frozen=True)
class RunOptions(WorkOptions):
    """Bad rows, threads, talk."""

    on_bad_row: Annotated[
        str,
        typer.Option(
            help="A row that cannot be scored: error (stop), skip (leave it out) or null (keep it, unscored).",
            rich_help_panel=PANEL,
        ),
    ] = "error"
    rejects: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Keep every bad row, with its place and reason, in a CSV file.", rich_help_panel=PANEL
        ),
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print columns and operations in order; only the first block is read.",
            rich_help_panel=PANEL,
        ),
    ] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.on_bad_row not in POLICIES:
            raise UsageError(f"--on-bad-row {self.on_bad_row}: choose one of {', '.join(POLICIES)}")
        if self.rejects is not None and self.on_bad_row == "error":
            raise UsageError("--rejects keeps rows that are passed over: add --on-bad-row skip or null")

    @property
    def policy(self) -> Policy:
        """Return what becomes of bad rows."""
        return cast("Policy", self.on_bad_row)
