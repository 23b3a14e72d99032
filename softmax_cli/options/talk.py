"""What commands share beside their job: threads, notes on standard error, and colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

import typer

from softmax_cli.display.talk import tell
from softmax_cli.errors import UsageError

if TYPE_CHECKING:
    from softmax_cli.display.console import Color

PANEL = "Run"
COLORS = ("auto", "always", "never")


@dataclass(frozen=True, kw_only=True)
class ColorOptions:
    """Whether what is shown is coloured."""

    color: Annotated[str, typer.Option(help="auto, always or never.", rich_help_panel=PANEL)] = "auto"

    def __post_init__(self) -> None:
        if self.color not in COLORS:
            raise UsageError(f"--color {self.color}: choose one of {', '.join(COLORS)}")

    @property
    def colors(self) -> Color:
        """Return whether to colour what is shown."""
        return cast("Color", self.color)


@dataclass(frozen=True, kw_only=True)
class TalkOptions(ColorOptions):
    """What is said beside the data."""

    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes on standard error.", rich_help_panel=PANEL)] = (
        False
    )

    def say(self, *notes: str) -> None:
        """Tell something on standard error, unless quiet."""
        if not self.quiet:
            for note in notes:
                tell(note)

    def warn(self, warning: str) -> None:
        """Tell, also when quiet, that the result is probably not what was meant."""
        tell(f"warning: {warning}")


@dataclass(frozen=True, kw_only=True)
class WorkOptions(TalkOptions):
    """How many threads do the work."""

    threads: Annotated[
        int | None, typer.Option(min=1, help="Worker threads; unsaid: all cores.", rich_help_panel=PANEL)
    ] = None

    @property
    def workers(self) -> int:
        """Return the number of worker threads."""
        from softmax_cli.pipeline import available_threads

        return self.threads or available_threads()
