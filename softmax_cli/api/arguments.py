"""What Python gives, put where a command finds it: tables as files, values of options as they would be typed."""

from __future__ import annotations

import inspect
import os
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar, get_args

import numpy as np

from softmax_cli import commands
from softmax_cli.api.frames import LABELS, Data, Kind, as_json, shape_of, stored_table
from softmax_cli.api.results import CalibrationResult, Result
from softmax_cli.api.wording import Call, in_python_words, in_words_of_python, plain
from softmax_cli.errors import UsageError, did_you_mean
from softmax_cli.options.parser import call, parameters_of
from softmax_cli.options.pictures import CALL
from softmax_cli.stream.inputs import NAMES

Function = TypeVar("Function", bound=Callable[..., Any])
Value = TypeVar("Value")
LONGEST_SHOWN = 80
"""Characters of a value, where the call stands on a page."""

OF_ROWS = (LABELS, "validation")
"""Options that take a value, or several, for each row."""
OF_CLASSES = ("class_weights", "undo_class_weights", "source_prior", "target_prior", "kept_share", "threshold")
"""Those that take a number for each class, also as a list in the order of the classes."""
SUBJECTS = ("paths", "labels")
"""Options that name what a command works on; a function takes it as its first argument."""
OF_A_TERMINAL = ("json", "dry_run", "color", "all", "full", "table", "classes_shown")
"""Options about what is printed, which a function has not."""


class Given(NamedTuple):
    """A command, and what it is called with."""

    run: Callable[..., Any]
    values: dict[str, Any]
    kind: Kind
    """Of the first table."""
    folder: str
    """For files of this call."""

    def call(self, **more: Any) -> Any:
        """Run the command, and return what it has found."""
        return call(self.run, {**self.values, **more})

    def plain(self, report: Any) -> Any:
        """Return a report as JSON has it, with data called by its name."""
        return plain(report, self.folder)


@contextmanager
def given(function: Function, tables: Sequence[Data], options: Mapping[str, Any]) -> Iterator[Given]:
    """Put data and values where the command of a function finds them, and let its messages speak of arguments.

    Raises
    ------
    UsageError
        There is no such option.
    """
    command = Command.named(function.__name__)
    known, base = command.options, "data" if command.subject == "paths" else command.subject
    typed: dict[str, tuple[Any, str]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="softmax-cli-") as folder,
        in_words_of_python(Call(function.__name__, folder, typed)),
    ):
        for option in options.keys() - known.keys():
            short = [
                name for name, one in known.items() if f"-{option}" in (get_args(one.annotation)[1].param_decls or ())
            ]
            meant = f"did you mean {short[0]!r}?" if short else did_you_mean(option, list(known))
            raise UsageError(f"{option}: no such option; {meant}")
        names = [f"{base}{place or ''}" for place, _ in enumerate(tables)]
        stored = [stored_table(one, folder, name) for one, name in zip(tables, names, strict=True)]
        options = {name: value for name, value in options.items() if value is not None}
        values = {name: _value(value, folder, name, known[name].annotation) for name, value in options.items()}
        typed |= {name: (options[name], spelling) for name, spelling in values.items() if isinstance(spelling, str)}
        paths = [path for path, _ in stored]
        values |= {command.subject: paths if command.subject == "paths" else paths[0]}
        first = stored[0][1] if stored else Kind("path")
        shown = [*names, *(f"{name}={_shown(value)}" for name, value in options.items())]
        spelled = [*zip(paths, names, strict=True), *((spelling, name) for name, (_, spelling) in typed.items())]
        in_memory = {path: name for path, name in spelled if path.startswith(f"{folder}{os.sep}")}
        with _set(CALL, f"{function.__name__}({', '.join(shown)})"), _set(NAMES, in_memory):
            yield Given(command.run, {"quiet": True, **values}, first, folder)


@contextmanager
def _set(variable: ContextVar[Value], value: Value) -> Iterator[None]:
    before = variable.set(value)
    try:
        yield
    finally:
        variable.reset(before)


def _shown(value: Any) -> str:
    """Write a value as it was given, if it is short."""
    shown = repr(value) if isinstance(value, str | int | float | list | tuple | Mapping) else "..."
    return shown if len(shown) <= LONGEST_SHOWN else "..."


def _value(value: Any, folder: str, name: str, annotation: Any) -> Any:
    """Spell a value as the option of a command takes it; a table, an array or a mapping becomes a file."""
    hint, option = get_args(annotation)
    kinds = get_args(hint) or (hint,)
    if bool in kinds and not isinstance(value, bool | np.bool_):
        raise UsageError(f"{name}={value!r}: expected True or False")
    if bool in kinds:
        return bool(value)
    if int in kinds or float in kinds:
        return _number(value, name, int in kinds, option)
    if isinstance(value, int | float | np.number) and name != LABELS:
        return str(value)
    if isinstance(value, CalibrationResult):
        value.save(path := os.path.join(folder, f"{name}.json"))
        return path
    if isinstance(value, Result):
        value = value.figures
    if name not in OF_ROWS and len(shape_of(value)) == 1 and not hasattr(value, "index"):
        value = value.tolist() if hasattr(value, "tolist") else list(value)
    if hint == list[str]:
        return [value] if isinstance(value, str) else list(map(str, value))
    if isinstance(value, str | os.PathLike):
        return os.fspath(value)
    if isinstance(value, list | tuple) and name not in OF_ROWS:
        is_file = name in OF_CLASSES and not all(isinstance(one, str) for one in value)
        return as_json(list(value), folder, name) if is_file or name == "classes" else ",".join(map(str, value))
    if name == LABELS and isinstance(value, Mapping):
        value = {"id": list(value), "label": list(value.values())}
    if name == "costs" and hasattr(value, "rename_axis") and "truth" not in value.columns:
        value = value.rename_axis("truth").reset_index()
    return stored_table(value, folder, name)[0]


def _number(value: Any, name: str, is_whole: bool, option: Any) -> Any:
    """Return a number that an option takes."""
    value = value.item() if isinstance(value, np.generic) else value
    is_one = isinstance(value, int if is_whole else int | float) and not isinstance(value, bool)
    lowest = "" if option.min is None else f", {option.min} at least"
    highest = "" if option.max is None else f", {option.max} at most"
    if not is_one or not (option.min is None or value >= option.min) or not (option.max is None or value <= option.max):
        kind = "whole number" if is_whole else "number"
        raise UsageError(f"{name}={value!r}: expected a {kind}{lowest}{highest}")
    return value


class Command(NamedTuple):
    """What a function runs."""

    run: Callable[..., Any]
    subject: str
    """Which of `SUBJECTS` it takes."""
    options: dict[str, inspect.Parameter]

    @classmethod
    def named(cls, name: str) -> Command:
        """Find the command of a name, and its options."""
        run = commands.load(name).PYTHON
        parameters = parameters_of(run)
        subject = next(one for one in SUBJECTS if one in parameters)
        hidden = (subject, *OF_A_TERMINAL)
        options = {name: one for name, one in parameters.items() if name not in hidden}
        if "quiet" in options:  # notes are for a person at a terminal
            options["quiet"] = options["quiet"].replace(default=True)
        return cls(run, subject, options)


def describe(function: Function) -> Function:
    """Give a function the options of its command, for help and completion: signature, and what each does."""
    options = Command.named(function.__name__).options.values()
    first = next(iter(inspect.signature(function).parameters.values()))
    if first.kind is not first.VAR_POSITIONAL:
        first = first.replace(kind=first.POSITIONAL_ONLY)
    untyped = [one.replace(annotation=one.empty) for one in options]
    vars(function)["__signature__"] = inspect.Signature([first.replace(annotation=first.empty), *untyped])
    call = Call(function.__name__)
    lines = [line for one in options for line in _explained(one, call)]
    text, mark, examples = inspect.cleandoc(function.__doc__ or "").partition("Examples\n--------\n")
    function.__doc__ = "\n".join(
        [text.rstrip(), "", "Other Parameters", "----------------", *lines, "", mark + examples]
    )
    return function


def _explained(option: inspect.Parameter, call: Call) -> list[str]:
    """Return the name of an option, its default, and its help, in lines."""
    text = in_python_words(get_args(option.annotation)[1].help or "", call)
    wrapped = textwrap.wrap(text, 100, initial_indent="    ", subsequent_indent="    ")
    default = "" if option.default in (None, False) else f" : default {option.default!r}"
    return [f"{option.name}{default}", *wrapped]
