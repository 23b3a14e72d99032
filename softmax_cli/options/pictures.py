"""Plots and pages: what is drawn beside what is printed, and into which files."""

import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.completion import one_of, some_of
from softmax_cli.options.parser import Options

PANEL = "Plots and pages"


class PlotOptions(Options, panel=PANEL):
    """A sheet of plots."""

    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw plots: a .png, .svg or .pdf (needs matplotlib).")
    ] = None

    @property
    def files(self) -> list[tuple[str, str]]:
        """List what is to be written, each with the option that asks for it."""
        return [] if self.plot is None else [("--plot", self.plot)]

    def check(self, inputs: Sequence[str], force: bool, others: Sequence[str | None] = ()) -> None:
        """Refuse, before anything is read, files that cannot be written or drawn.

        Parameters
        ----------
        others : sequence of str or None
            More files that the command writes.
        """
        from softmax_cli.storage.writing import check_target

        taken = {Path(other).resolve() for other in others if other is not None}
        for flag, path in self.files:
            check_target(path, inputs, force)
            if Path(path).resolve() in taken:
                raise UsageError(f"{flag} {path}: another output has this name; two files need two names")
            taken.add(Path(path).resolve())
        if self.plot is not None:
            from softmax_cli.page.plot import check_plot

            check_plot(self.plot)


class PasteOptions(Options, panel=PANEL):
    """Tables for a paper or a ticket."""

    format: Annotated[
        str | None,
        typer.Option(
            metavar="MARKUP",
            help="Print the tables as markdown, latex or html, to paste into a ticket, a paper or a page.",
            autocompletion=one_of(registry="softmax_cli.formats:markups"),
        ),
    ] = None

    def check_format(self, json: bool) -> None:
        """Refuse, before anything is read, what is no such format."""
        from softmax_cli import formats

        if self.format is not None and self.format not in formats.markups():
            choices = ", ".join(formats.markups())
            raise UsageError(f"--format {self.format}: choose one of {choices}; a program reads --json")
        if self.format is not None and json:
            raise UsageError("--format and --json exclude each other")


class PictureOptions(PlotOptions, panel=PANEL):
    """A sheet of plots, and a page with everything on it."""

    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.html", help="Write the report as a page for a browser: one file, no network (needs Jinja2)."
        ),
    ] = None

    @property
    def files(self) -> list[tuple[str, str]]:
        """List what is to be written, each with the option that asks for it."""
        return super().files + ([] if self.report is None else [("--report", self.report)])

    def check(self, inputs: Sequence[str], force: bool, others: Sequence[str | None] = ()) -> None:
        """Refuse, before anything is read, files that cannot be written or drawn."""
        super().check(inputs, force, others)
        if self.report is not None:
            from softmax_cli.page import check_page

            check_page(self.report, "--report")


class ChosenPictureOptions(PictureOptions, ABC):
    """Which of several plots are drawn."""

    plots: str | None = None

    @abstractmethod
    def known(self) -> Sequence[str]:
        """Name the plots that there are."""

    def names(self) -> list[str]:
        """Return the names of the plots to draw."""
        known = self.known()
        chosen = list(known) if self.plots is None else [name.strip() for name in self.plots.split(",")]
        for name in chosen:
            if name not in known:
                raise UsageError(f"--plots {self.plots}: no plot is called {name!r}; there are: {', '.join(known)}")
        return chosen

    def check(self, inputs: Sequence[str], force: bool, others: Sequence[str | None] = ()) -> None:
        """Refuse, before anything is read, files that cannot be written or drawn."""
        super().check(inputs, force, others)
        if self.plots is not None:
            if self.plot is None:
                raise UsageError("--plots chooses what --plot FILE draws: add --plot plots.png")
            self.names()


class EvaluationPictureOptions(ChosenPictureOptions, panel=PANEL):
    """The plots of a labelled table."""

    plots: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Which of reliability, confidence, confusion, risk, classes --plot draws; default: all.",
            autocompletion=some_of("reliability", "confidence", "confusion", "risk", "classes"),
        ),
    ] = None

    def known(self) -> Sequence[str]:
        """Name the plots that there are."""
        from softmax_cli.evaluation.pictures import PLOTS

        return tuple(PLOTS)


class ComparisonPictureOptions(ChosenPictureOptions, panel=PANEL):
    """The plots of two tables."""

    plots: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Which of confidence, flips, classes, gaps (needs truths) --plot draws, for each file beside the "
            "first; default: all.",
            autocompletion=some_of("confidence", "flips", "classes", "gaps"),
        ),
    ] = None

    def known(self) -> Sequence[str]:
        """Name the plots that there are."""
        from softmax_cli.evaluation.pairs.pictures import PLOTS

        return tuple(PLOTS)

    def drawn(self, has_truth: bool) -> list[str]:
        """Return the names of the plots to draw, of tables with truths or without."""
        from softmax_cli.evaluation.pairs.pictures import NEEDS_TRUTHS

        names = self.names()
        if has_truth:
            return names
        if self.plots is not None and (lacking := [name for name in names if name in NEEDS_TRUTHS]):
            raise UsageError(f"--plots {self.plots}: {lacking[0]} needs truths: say --label COLUMN or --labels FILE")
        return [name for name in names if name not in NEEDS_TRUTHS]


CALL: ContextVar[str | None] = ContextVar("CALL", default=None)
"""The call of a Python function, which stands for its command line."""


def typed_command() -> str:
    """Return the command line, or the call of a Python function, as it could be typed again."""
    return CALL.get() or shlex.join(["softmax-cli", *sys.argv[1:]])


def write_page(page: bytes, path: str, force: bool) -> None:
    """Write a page under its name, whole or not at all."""
    from softmax_cli.storage.writing import whole_file

    with whole_file(path, force) as file:
        file.write(page)
