"""How a run behaves: bad rows, threads, and what it says on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

import typer

from softmax_cli.display.talk import tell
from softmax_cli.errors import UsageError

if TYPE_CHECKING:
    from softmax_cli.batches.badrows import Policy
    from softmax_cli.display.console import Color

PANEL = "Run"
POLICIES = ("error", "skip", "null")
COLORS = ("auto", "always", "never")


@dataclass(frozen=True)
class RunOptions:
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
    threads: Annotated[
        int | None, typer.Option(min=1, help="Worker threads; unsaid: all cores.", rich_help_panel=PANEL)
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Print columns and operations in order; only the first block is read.",
            rich_help_panel=PANEL,
        ),
    ] = False
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes on standard error.", rich_help_panel=PANEL)] = (
        False
    )
    color: Annotated[str, typer.Option(help="auto, always or never.", rich_help_panel=PANEL)] = "auto"

    def __post_init__(self) -> None:
        if self.on_bad_row not in POLICIES:
            raise UsageError(f"--on-bad-row {self.on_bad_row}: choose one of {', '.join(POLICIES)}")
        if self.color not in COLORS:
            raise UsageError(f"--color {self.color}: choose one of {', '.join(COLORS)}")
        if self.rejects is not None and self.on_bad_row == "error":
            raise UsageError("--rejects keeps rows that are passed over: add --on-bad-row skip or null")

    @property
    def policy(self) -> Policy:
        """Return what becomes of bad rows."""
        return cast("Policy", self.on_bad_row)

    @property
    def colors(self) -> Color:
        """Return whether to colour what is shown."""
        return cast("Color", self.color)

    @property
    def workers(self) -> int:
        """Return the number of worker threads."""
        from softmax_cli.pipeline import available_threads

        return self.threads or available_threads()

    def say(self, *notes: str) -> None:
        """Tell something on standard error, unless quiet."""
        if not self.quiet:
            for note in notes:
                tell(note)

    def warn(self, warning: str) -> None:
        """Tell, also when quiet, that the result is probably not what was meant."""
        tell(f"warning: {warning}")
