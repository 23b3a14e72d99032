"""Man pages, written when they are asked for from what ``--help`` is written from: the options and their texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from softmax_cli.errors import UsageError, did_you_mean
from softmax_cli.options.parser import name_values
from softmax_cli.version import __version__

PROGRAM = "softmax-cli"
EXITS = (
    ("0", "Done; also where the reader of a pipe has seen enough."),
    ("1", "The data or the machine are at fault: a bad row, a damaged file, a full disk."),
    ("2", "What was typed cannot be carried out, and nothing was started."),
    ("3", "A condition of --fail-if holds."),
    ("130, 143", "Stopped by a signal; what was begun is cleaned up."),
)
ELSEWHERE = (
    ("SOFTMAX_CLI_*", "An option that was not typed: SOFTMAX_CLI_TEMPERATURE=1.5."),
    ("NO_COLOR", "If it is set, nothing is coloured."),
    (
        "softmax-cli.toml",
        "Beside the data: options that were not typed and are in no variable, temperature = 1.5; "
        "those in a table [predict] are for one command. Or the table [tool.softmax-cli] of a pyproject.toml.",
    ),
)


def man_page(program: Any, name: str | None) -> str:
    """Write the man page of a command, or of the program.

    Parameters
    ----------
    program : Group
        As typer makes it, with every command.
    name : str or None
        Of the command; None: the program.

    Raises
    ------
    UsageError
        There is no such command.
    """
    if name is not None and name not in program.commands:
        raise UsageError(f"no command is called {name!r}; {did_you_mean(name, list(program.commands))}")
    command = program if name is None else program.commands[name]
    called = PROGRAM if name is None else f"{PROGRAM} {name}"
    context = command.make_context(called, [], resilient_parsing=True)
    name_values(command, context)
    lines = [*_head(command, called), *_options(command, context)]
    if name is None:
        lines += [
            ".SH COMMANDS",
            *_listed((one, text.help.partition("\n\n")[0]) for one, text in program.commands.items()),
        ]
    lines += [".SH EXAMPLES", *_examples(command.examples), ".SH EXIT STATUS", *_listed(EXITS)]
    lines += [".SH ENVIRONMENT AND FILES", *_listed(ELSEWHERE), ".SH SEE ALSO"]
    others = [PROGRAM, *(f"{PROGRAM}-{one}" for one in program.commands)]
    lines += [", ".join(rf"\fB{_text(one)}\fR(1)" for one in others if one != called.replace(" ", "-"))]
    return "\n".join(lines) + "\n"


def _head(command: Any, called: str) -> Iterator[str]:
    page = called.replace(" ", "-")
    summary, *paragraphs = command.help.split("\n\n")
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    named = [_text(one.metavar if one.required else f"[{one.metavar}]...") for one in arguments]
    yield f'.TH {page.upper()} 1 "" "{PROGRAM} {__version__}" "User Commands"'
    yield from (".nh", ".ad l")  # names of options stay whole, words stay together
    yield from (".SH NAME", rf"{_text(page)} \- {_text(summary).rstrip('.')}", ".SH SYNOPSIS")
    yield " ".join((rf"\fB{_text(called)}\fR", "[OPTION]..." if named else "COMMAND [OPTION]... [FILE]...", *named))
    yield ".SH DESCRIPTION"
    for paragraph in (summary, *paragraphs):
        yield from (".PP", _text(paragraph))


def _options(command: Any, context: Any) -> Iterator[str]:
    """Write arguments and options under the headings that the help has for them."""
    panels: dict[str, list[tuple[str, str]]] = {}
    for one in command.get_params(context):
        is_argument = one.param_type_name == "argument"
        _, text = one.get_help_record(context)
        text, *more = re.split(r"  \\?\[", text)  # typer's "  [default: 1.0; x>=0]", escaped by some releases
        default = re.match("default: ([^;]+?)[];]", "".join(more))
        names = one.metavar if is_argument else ", ".join(sorted(one.opts, key=len))
        typed = names if is_argument or not one.metavar else f"{names} {one.metavar}"
        panel = "Arguments" if is_argument else getattr(one, "rich_help_panel", None) or "Options"
        panels.setdefault(panel, []).append((typed, f"{text} (default: {default[1]})" if default else text))
    yield ".SH OPTIONS"
    for panel, held in panels.items():
        yield from (f".SS {_text(panel)}", *_listed(held))


def _listed(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Write terms, each with what it means."""
    for term, meaning in rows:
        yield from (".TP", rf"\fB{_text(term)}\fR", _text(meaning))


def _examples(examples: Sequence[tuple[str, str]]) -> Iterator[str]:
    for command, result in examples:
        yield from (".PP", _text(result[:1].upper() + result[1:]) + ":", ".PP", ".nf", f"    {_text(command)}", ".fi")


def _text(text: str) -> str:
    """Return text on one line for troff: hyphens that can be copied, and no character that it takes for its own."""
    joined = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("^", r"\(ha")
    joined = joined.replace("`", r"\(ga").replace("~", r"\(ti")
    return rf"\&{joined}" if joined.startswith(".") else joined
