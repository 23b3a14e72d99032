"""What Python gives, put where a command finds it: tables and arrays as files, values as they would be typed."""

from __future__ import annotations

import inspect
import json
import os
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args

import numpy as np
import pyarrow as pa

from softmax_cli import commands
from softmax_cli.api.results import CalibrationResult, Result
from softmax_cli.api.wording import Call, in_python_words, in_words_of_python
from softmax_cli.errors import UsageError, did_you_mean
from softmax_cli.options.parser import parameters_of
from softmax_cli.options.pictures import CALL
from softmax_cli.stream.inputs import NAMES
from softmax_cli.tables.columns import OUTPUT_NAMES

if TYPE_CHECKING:
    import pandas as pd

Function = TypeVar("Function", bound=Callable[..., Any])
Value = TypeVar("Value")
Data = Any
"""A pandas or polars frame, anything with Arrow's PyCapsule interface, an array of shape (rows, classes), or a path."""
LONGEST_SHOWN = 80
"""Characters of a value, where the call stands on a page."""

SUBJECTS = ("paths", "labels")
"""Options that name what a command works on; a function takes it as its first argument."""
OF_A_TERMINAL = ("json", "dry_run", "color", "all", "full", "table", "classes_shown")
"""Options about what is printed, which a function has not."""


class Kind(NamedTuple):
    """What a table came as, so that the result goes back as the same."""

    name: str
    """pandas, polars, batch, table, array, mapping or path."""
    levels: tuple[str, ...] = ()
    """Columns that hold the index of a pandas frame."""
    names: tuple[Any, ...] = ()
    """What its levels are called."""
    schema: pa.Schema | None = None
    """As Arrow has the columns of a frame."""
    dtypes: Mapping[str, Any] = {}
    """As the frame has them."""

    def returned(self, table: pa.Table) -> Any:
        """Return a table as what was given."""
        if self.name == "polars":
            import polars

            frame = polars.DataFrame(table)
            return frame.with_columns(polars.col(name).cast(self.dtypes[name]) for name in self._kept(table))
        if self.name == "batch":
            return pa.RecordBatch.from_struct_array(table.to_struct_array().combine_chunks())
        return self._as_pandas(table) if self.name == "pandas" else table

    def _as_pandas(self, table: pa.Table) -> pd.DataFrame:
        frame: pd.DataFrame = table.to_pandas(strings_to_categorical=False)
        frame = frame.astype({name: self.dtypes[name] for name in self._kept(table)})
        if self.levels and {*self.levels} <= {*frame}:
            frame = frame.set_index(list(self.levels))
            frame.index.names = list(self.names)
        return frame

    def _kept(self, table: pa.Table) -> Iterator[str]:
        """Find the columns that have passed through as they were, but for what Arrow calls their type."""
        for field in table.schema:
            if self.schema is None or field.name not in self.dtypes or field.name in OUTPUT_NAMES:
                continue
            given = self.schema.field(field.name).type
            is_category = pa.types.is_dictionary(given)
            if not _are_alike(given.value_type if is_category else given, field.type):
                continue
            categories: Any = getattr(self.dtypes[field.name], "categories", ()) if is_category else ()
            there = {*table.column(field.name).unique().to_pylist()} if is_category else set()
            if not hasattr(categories, "__iter__") or there <= {*categories, None}:
                yield field.name


def _are_alike(one: pa.DataType, other: pa.DataType) -> bool:
    texts = (pa.string(), pa.large_string(), pa.string_view())
    return bool(one == other or (one in texts and other in texts))


class Given(NamedTuple):
    """A command, and what it is called with."""

    run: Callable[..., Any]
    values: dict[str, Any]
    kind: Kind
    """Of the first table."""
    folder: str
    """For files of this call."""


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
            raise UsageError(f"{option}: no such option; {did_you_mean(option, list(known))}")
        names = [f"{base}{place or ''}" for place, _ in enumerate(tables)]
        stored = [stored_table(one, folder, name) for one, name in zip(tables, names, strict=True)]
        values = {name: _value(value, folder, name, known[name].annotation) for name, value in options.items()}
        typed |= {name: (options[name], spelling) for name, spelling in values.items() if isinstance(spelling, str)}
        paths = [path for path, _ in stored]
        values |= {command.subject: paths if command.subject == "paths" else paths[0]}
        first = stored[0][1] if stored else Kind("path")
        shown = [*names, *(f"{name}={_shown(value)}" for name, value in options.items())]
        in_memory = {path: name for (path, kind), name in zip(stored, names, strict=True) if kind.name != "path"}
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


def stored_table(data: Data, folder: str, name: str) -> tuple[str, Kind]:
    """Put a table where a command finds it."""
    if isinstance(data, str | os.PathLike):
        return os.fspath(data), Kind("path")
    if isinstance(data, Mapping):
        return _as_json(data, folder, name), Kind("mapping")
    library = type(data).__module__.partition(".")[0]
    if library in ("pandas", "polars"):
        if not hasattr(data, "shape"):
            raise UsageError(f"{name}: a {type(data).__name__} holds no rows yet: collect() them first")
        table, kind = _of_frame(data.to_frame() if len(data.shape) == 1 else data, library)
    elif isinstance(data, pa.Table | pa.RecordBatch) or hasattr(data, "__arrow_c_stream__"):
        table, kind = pa.table(data), Kind("batch" if isinstance(data, pa.RecordBatch) else "table")
    else:
        array = np.asarray(data)
        if array.dtype == np.object_ and array.ndim != 1:
            raise UsageError(
                f"{name}: a {type(data).__name__} that is no table; expected a DataFrame, an Arrow table, an array of "
                "numbers of shape (rows, classes), or a path"
            )
        if array.ndim != 1 or (name.startswith("data") and array.dtype != np.object_):
            np.save(path := os.path.join(folder, f"{name}.npy"), array)
            return path, Kind("array")
        table, kind = pa.table({name: pa.array(array.tolist(), from_pandas=True)}), Kind("table")
    path = os.path.join(folder, f"{name}.arrow")
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return path, kind


def _of_frame(data: Any, library: str) -> tuple[pa.Table, Kind]:
    if library == "polars":
        table = pa.table(data)
        return table, Kind(library, schema=table.schema, dtypes=dict(data.schema))
    table = pa.Table.from_pandas(data.rename(columns=str), preserve_index=True)
    levels = json.loads(table.schema.metadata[b"pandas"])["index_columns"]
    dtypes = dict(zip(map(str, data.columns), data.dtypes, strict=True))
    return table, Kind(library, tuple(levels), tuple(data.index.names), table.schema, dtypes)


def _as_json(values: Mapping[Any, Any], folder: str, name: str) -> str:
    path = os.path.join(folder, f"{name}.json")
    writable = {str(key): held.item() if isinstance(held, np.generic) else held for key, held in values.items()}
    Path(path).write_text(json.dumps(writable), "utf-8")
    return path


def _value(value: Any, folder: str, name: str, annotation: Any) -> Any:
    """Spell a value as the option of a command takes it; a table, an array or a mapping becomes a file."""
    hint, option = get_args(annotation)
    kinds = get_args(hint) or (hint,)
    if hint == list[str]:
        return [value] if isinstance(value, str) else list(value)
    if value is None or bool in kinds:
        return value
    if int in kinds or float in kinds:
        return _number(value, name, int in kinds, option)
    if isinstance(value, int | float | np.number):
        return str(value)
    if isinstance(value, str):
        return value
    if isinstance(value, CalibrationResult):
        value.save(path := os.path.join(folder, f"{name}.json"))
        return path
    if isinstance(value, Result):
        value = value.figures
    if isinstance(value, Mapping):
        return _as_json(value, folder, name)
    is_listing = isinstance(value, list | tuple) and all(isinstance(one, str | int | float) for one in value)
    return ",".join(map(str, value)) if is_listing and name != "labels" else stored_table(value, folder, name)[0]


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
