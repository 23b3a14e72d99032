"""What is to be explained: scores as typed, one row of a table, or a topic; and how."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from softmax_cli.errors import UsageError
from softmax_cli.options.completion import class_values, column
from softmax_cli.options.pictures import PANEL, PasteOptions, PlotOptions, typed_command, write_page
from softmax_cli.options.run import ColorOptions
from softmax_cli.options.source import COLUMNS, SourceOptions
from softmax_cli.terminal.messages import print_message

if TYPE_CHECKING:
    from softmax_cli.explanation.example import Example
    from softmax_cli.explanation.topics import Topic
    from softmax_cli.numeric.explanation import Explanation
    from softmax_cli.tables.columns import Selection


RANK = 0
FIRST = ("temperature", "class_weights", "row", "id", "full", "json", "plot", "page")
EXAMPLES = (
    ("softmax-cli explain 2.0 1.0 0.1", "every step with your numbers"),
    ("softmax-cli explain logits.csv --row 17", "a row of a table"),
    ("softmax-cli explain 2 1 0.1 --page softmax.html", "a page on which the scores can be dragged"),
)


class SubjectOptions(SourceOptions):
    """Numbers, a row of a file, or a topic."""

    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="SCORES | FILE | TOPIC",
            help="Scores as 2.0 1.0 0.1 or cat=2.0 dog=1.0; a table, with --row or --id; or a topic: imbalance, "
            "temperature.",
            show_default=False,
        ),
    ] = []  # noqa: RUF012  # as typer wants it; nothing adds to it
    row: Annotated[int | None, typer.Option(min=1, help="Which row of the table, counted from 1.")] = None
    id: Annotated[str | None, typer.Option("--id", metavar="VALUE", help="Which row, by its id.")] = None
    id_column: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="The column of ids; default: found by its name.",
            rich_help_panel=COLUMNS,
            autocompletion=column,
        ),
    ] = None

    def __post_init__(self) -> None:
        if not self.paths:
            raise UsageError("nothing to explain: try softmax-cli explain 2.0 1.0 0.1, or explain logits.csv --row 1")
        for given in self.paths:  # numbers such as -1 have to pass for arguments, and a mistyped option with them
            if given.startswith("--") and not os.path.exists(given):
                raise UsageError(f"{given}: no such option; softmax-cli explain --help lists them")
        if self.row is not None and self.id is not None:
            raise UsageError("--row and --id exclude each other")

    @property
    def topic(self) -> str | None:
        """Return the name of the topic; None: scores or a file are meant."""
        is_name = len(self.paths) == 1 and self.paths[0].isidentifier() and not os.path.exists(self.paths[0])
        return self.paths[0] if is_name and self.row is None and self.id is None else None

    def example(self) -> Example:
        """Return the row that is meant."""
        from softmax_cli.explanation.example import find_by_id, find_by_row, typed_example
        from softmax_cli.storage.remote import is_remote
        from softmax_cli.stream.scores import open_scores

        typed = None if self._names_a_row else typed_example(self.paths)
        if typed is not None:
            return typed
        named = any(os.path.exists(path) or is_remote(path) for path in self.paths)
        if not named and not self._names_a_row and "-" not in self.paths:
            raise UsageError(
                f"{' '.join(self.paths)}: neither scores (2.0 1.0 0.1, cat=2.0 dog=1.0) nor a file nor a topic"
            )
        with open_scores(self.resolve()) as scores:
            if self.id is not None:
                return find_by_id(scores.table, scores.columns, self.id)
            return find_by_row(scores.table, scores.columns, self.row or 1)

    @property
    def _names_a_row(self) -> bool:
        return self.row is not None or self.id is not None

    def _selection(self) -> Selection:
        return super()._selection()._replace(id=self.id_column)  # --id is a value here


class ExplanationOptions(ColorOptions, PlotOptions):
    """Temperature, weights, and the form of the explanation."""

    temperature: Annotated[
        float,
        typer.Option(
            "--temperature", "-T", metavar="T", help="Divides the scores; above 1 flattens, below 1 sharpens."
        ),
    ] = 1.0
    class_weights: Annotated[
        str | None,
        typer.Option(
            "--class-weights",
            "-w",
            metavar="WEIGHTS",
            help="What probabilities are multiplied by: cat=4,dog=1, a file, or balanced:FILE (see predict).",
            autocompletion=class_values(),
        ),
    ] = None
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Also why the shift changes nothing, other temperatures, derivatives, other functions."
        ),
    ] = False
    json: Annotated[bool, typer.Option("--json", help="Print every number as JSON, for a program.")] = False
    page: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.html",
            help="Write a page on which scores, temperature and weights can be dragged (needs Jinja2).",
            rich_help_panel=PANEL,
        ),
    ] = None
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.", rich_help_panel=PANEL)] = False

    @property
    def files(self) -> list[tuple[str, str]]:
        """List what is to be written, each with the option that asks for it."""
        return super().files + ([] if self.page is None else [("--page", self.page)])

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.temperature > 0:
            raise UsageError(
                f"--temperature {self.temperature:g}: expected a number above 0 (T -> 0 is the largest score alone)"
            )

    def explain(self, example: Example) -> Explanation:
        """Return the numbers of an explanation."""
        import numpy as np

        from softmax_cli.numeric.explanation import explain_row
        from softmax_cli.weighting.logit_terms import weight_term

        weights = None
        if self.class_weights is not None:
            weights = np.exp(weight_term("--class-weights", self.class_weights, example.classes, []).values)
        try:
            return explain_row(example.logits, self.temperature, weights)
        except ValueError as error:
            raise UsageError(f"{example.where}: {error}") from None


CONTEXT = {"ignore_unknown_options": True}
"""A negative score, -1, would be taken for an option."""


def explain(subject: SubjectOptions, how: ExplanationOptions, pasting: PasteOptions) -> None:
    """Show what a softmax does, step by step, with real numbers.

    The numbers are scores that you type (explain 2.0 1.0 0.1, explain cat=2
    dog=-1 -T 2), one row of a table (explain logits.csv --row 17), or those of
    a worked topic (explain imbalance).
    """
    pasting.check_format(how.json)
    found = _explained(subject, how)
    if how.json:
        from softmax_cli.stream.outputs import print_json

        print_json(_plain(found))
        return
    if pasting.format is not None:
        from softmax_cli.explanation.pictures import explanation_tables, topic_tables
        from softmax_cli.page.report import print_tables

        tables = explanation_tables(*found, how.full) if isinstance(found, tuple) else topic_tables(found)
        print_tables(tables, pasting.format)
        return
    from softmax_cli.explanation.screen import show_explanation, show_topic
    from softmax_cli.terminal.console import make_console

    console = make_console(sys.stdout, how.colors)
    if isinstance(found, tuple):
        show_explanation(console, *found, how.full)
    else:
        show_topic(console, found)


def explained(subject: SubjectOptions, how: ExplanationOptions) -> dict[str, object]:
    """Explain, draw what was asked for, and return every number, for Python."""
    return _plain(_explained(subject, how))


def _explained(subject: SubjectOptions, how: ExplanationOptions) -> Topic | tuple[Example, Explanation]:
    how.check(subject.paths, how.force)
    if how.page is not None:
        from softmax_cli.page import check_page

        check_page(how.page, "--page")
    if subject.topic is not None:
        from softmax_cli.explanation.topics import read_topic

        for flag, path in how.files:
            raise UsageError(f"{flag} shows scores or a row, not a topic: softmax-cli explain 2 1 0.1 {flag} {path}")
        return read_topic(subject.topic)
    example = subject.example()
    explanation = how.explain(example)
    if how.files:
        _draw(example, explanation, how)
    return example, explanation


def _plain(found: Topic | tuple[Example, Explanation]) -> dict[str, object]:
    if not isinstance(found, tuple):
        return found.to_json()
    from softmax_cli.explanation.example import to_json

    return to_json(*found)


def _draw(example: Example, explanation: Explanation, how: ExplanationOptions) -> None:
    if how.plot is not None:
        from softmax_cli.explanation.pictures import write_explanation_plots

        write_explanation_plots(example, explanation, how.plot, how.force)
    if how.page is not None:
        from softmax_cli.explanation.pictures import explanation_page

        write_page(explanation_page(example, explanation, typed_command()), how.page, how.force)
        print_message(f"{how.page}: open it in a browser")


def takes(word: str) -> bool:
    """Whether a line that begins with this word, and no command, may be meant for this one: a score."""
    return word.replace(".", "", 1).lstrip("-").isdigit()


PYTHON = explained
