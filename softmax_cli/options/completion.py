"""Completion in bash, zsh and fish: what an option can be set to, also names from the table that is on the line.

The shells' scripts and their protocol are typer's (``--install-completion``, ``--show-completion``). An option says by
``autocompletion=`` which of the functions here completes it; where none has an answer, the shell offers files.
"""

# Annotations are evaluated here, once: typer would compile those of every function again for each option.

import io
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING

import typer

from softmax_cli.errors import SoftmaxCliError, UsageError

if TYPE_CHECKING:
    from softmax_cli.stream.scores import Inputs
    from softmax_cli.tables.columns import Columns
    from softmax_cli.tables.table import Table

VARIABLE = "_SOFTMAX_CLI_COMPLETE"
"""Set by the scripts: ``complete_bash``."""
LONGEST_WAIT = 2.0
"""Seconds; nobody waits longer for a completion."""
MOST_VALUES = 50
"""Values of a column that are offered."""

Completer = Callable[[typer.Context, str], list[str]]


def one_of(*names: str, registry: str = "") -> Completer:
    """Complete one of some names, or of those that a function of a registry lists: ``softmax_cli.formats:names``."""

    def words() -> list[str]:
        module, _, function = registry.partition(":")
        return [*names, *(getattr(import_module(module), function)() if registry else ())]

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        return words()

    _WORDS[complete] = words
    return complete


def some_of(*names: str) -> Completer:
    """Complete several names, with commas between them."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        return _after_commas(incomplete, names)

    _WORDS[complete] = lambda: list(names)
    return complete


_WORDS: dict[Completer, Callable[[], list[str]]] = {}


def words_of(complete: Completer | None) -> list[str]:
    """Return the names that a completer chooses among; of any other, and of none, nothing."""
    words = None if complete is None else _WORDS.get(complete)
    return [] if words is None else words()


def column(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a column: of those that hold no scores, if there are such."""
    with _open_table(context) as table:
        names = table.schema.names
    with suppress(SoftmaxCliError):  # it may be open which columns are the scores: that is what is being typed
        return [name for name in _roles(context).others if name.startswith(incomplete)] or names
    return names


def columns(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the names of several columns, with commas between them; those that begin alike have a pattern too."""
    with _open_table(context) as table:
        names = table.schema.names
    beginnings = [found[0] for name in names if (found := re.match(r".*?_", name))]
    patterns = [f"{one}*" for one in dict.fromkeys(beginnings) if beginnings.count(one) > 1]
    return _after_commas(incomplete, [*patterns, *names])


def condition(context: typer.Context, incomplete: str) -> list[str]:
    """Complete ``column=value``, the values as they stand in the first rows."""
    name, is_whole, _ = incomplete.partition("=")
    with _open_table(context) as table:
        if not is_whole:
            return [f"{one}=" for one in table.schema.names]
        from softmax_cli.tables.batch import texts
        from softmax_cli.tables.table import with_head

        head, _ = with_head(table, (), 1)
        cells = texts(head[0].batch.slice(0, 10_000).column(name))
    values = sorted({cell.strip() for cell in cells if cell})
    return [f"{name}={value}" for value in values[:MOST_VALUES]]


def class_values(*others: str) -> Completer:
    """Complete ``class=`` before a number, after commas too; `others` are words that may stand alone."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        return [*others, *_after_commas(incomplete, [f"{name}=" for name in _roles(context).classes])]

    return complete


def _after_commas(incomplete: str, names: Iterable[str]) -> list[str]:
    """Put what was typed up to the last comma before every name that is not in it."""
    typed, comma, _ = incomplete.rpartition(",")
    taken = {one.partition("=")[0] for one in typed.split(",")}
    return [f"{typed}{comma}{name}" for name in names if name.rstrip("=") not in taken]


def _roles(context: typer.Context) -> "Columns":
    from softmax_cli.stream.scores import open_scores

    with open_scores(_inputs(context)) as scores:
        return scores.columns


@contextmanager
def _open_table(context: typer.Context) -> "Iterator[Table]":
    from softmax_cli.stream.inputs import open_table

    inputs = _inputs(context)
    with open_table(inputs.files, inputs.options) as table:
        yield table


HOW_TO_READ = ("input_format", "delimiter", "no_header", "decimal", "logits", "input", "classes", "positive")


def _inputs(context: typer.Context) -> "Inputs":
    """Describe the first table on the line that is a file here: a pipe is for the command, a server takes too long.

    Raises
    ------
    UsageError
        There is none.
    """
    from softmax_cli.options.parser import typed_paths
    from softmax_cli.options.source import SourceOptions
    from softmax_cli.storage.remote import is_remote

    typed = context.params
    how = {name: typed[name] for name in HOW_TO_READ if isinstance(typed.get(name), str | bool)}
    labels = typed.get("labels")  # of `weights`, whose only file it is
    for path in (*typed_paths(typed), *context.args, *([labels] if isinstance(labels, str) else [])):
        if path != "-" and not is_remote(path):
            inputs = SourceOptions(paths=[os.path.expanduser(os.path.expandvars(path))], **how).resolve()
            if os.path.isfile(inputs.files[0].path):
                return inputs._replace(files=inputs.files[:1])
    raise UsageError("no table is named yet")


def answer(complete: Callable[[list[str]], object]) -> int:
    """Answer a shell: print what fits and nothing else, whatever goes wrong; return the exit code.

    Parameters
    ----------
    complete : callable
        Runs typer's half for the words that stand whole before the cursor; ends in `SystemExit`, as typer does.
    """
    shell = os.environ[VARIABLE].partition("_")[2]
    alarm = threading.Timer(LONGEST_WAIT, os._exit, (1,))
    alarm.daemon = True
    alarm.start()
    printed, code = io.StringIO(), 1
    try:
        parted = _join_words() if shell == "bash" else None
        with redirect_stdout(printed), redirect_stderr(io.StringIO()):
            complete(_words(shell))
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 0
    except Exception:  # a prompt is no place for an error; the command itself will say it
        pass
    alarm.cancel()
    lines = printed.getvalue().rstrip("\n")
    if shell == "bash":
        lines = "\n".join(_as_bash_takes_it(line, parted or "") for line in lines.split("\n"))
    elif lines and (option := re.search(r" (--[a-z-]+=)\S*$", os.environ.get("_TYPER_COMPLETE_ARGS", ""))):
        start = r'(\(\(|\n)"' if shell == "zsh" else "(^|\n)"  # these two complete the whole of --label=la
        lines = re.sub(start, lambda found: found[0] + option[1], lines)
    print(lines or ("_files" if shell == "zsh" else ""))
    return code


def _words(shell: str) -> list[str]:
    """List the words that stand whole before the cursor, after the name of the program."""
    if shell == "bash":
        return os.environ["COMP_WORDS"].split("\n")[1 : int(os.environ["COMP_CWORD"])]
    return os.environ.get("_TYPER_COMPLETE_ARGS", "").split(" ")[1:-1]


def _join_words() -> str:
    """Put together what bash parts at ``=`` and ``:``, and leave out what follows the cursor, in the environment.

    Returns
    -------
    str
        What stands before the last part of the current word: bash replaces that part alone.
    """
    typed, position = os.environ["COMP_WORDS"], int(os.environ["COMP_CWORD"])
    parts = typed.split("\n") if "\n" in typed else typed.split()
    parts = [*parts, ""][: position + 1]
    words: list[str] = []
    for before, part in pairwise(["", *parts]):
        if len(words) > 1 and (_is_break(part) or _is_break(before)):
            words[-1] += part
        else:
            words.append(part)
    os.environ |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    last = parts[-1]
    return words[-1] if _is_break(last) else words[-1].removesuffix(last)


def _is_break(part: str) -> bool:
    return part != "" and part.strip("=:") == ""


def _as_bash_takes_it(value: str, parted: str) -> str:
    """Return the part of a value that takes the place of the current one, special characters escaped."""
    value = value.removeprefix(re.sub("^--[a-z-]+=", "", parted))
    is_quoted = os.environ["COMP_WORDS"].rpartition("\n")[2].startswith(("'", '"'))
    return value if is_quoted else re.sub(r"([^\w=:,.+@%/*-])", r"\\\1", value)
