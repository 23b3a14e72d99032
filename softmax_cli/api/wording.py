"""What a command says, as Python says it: arguments for flags, values as Python writes them, data by its name."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, get_args

from softmax_cli import commands
from softmax_cli.errors import SoftmaxCliError
from softmax_cli.options.completion import words_of
from softmax_cli.options.parser import parameters_of
from softmax_cli.terminal.messages import messages_to, print_message

_INNER = ("softmax_cli", "contextlib")


class _Option(NamedTuple):
    """What is known of an option."""

    kinds: tuple[type, ...]
    words: frozenset[str]
    """What it can be set to; empty: anything."""


@cache
def _options(command: str) -> dict[str, _Option]:
    """List the options of all commands, by name; where several have one of a name, that of `command` counts."""
    found: dict[str, _Option] = {}
    for one in commands.names():
        for name, option in _options_of(one).items():
            known = found.get(name, _Option((), frozenset()))
            found[name] = _Option((*known.kinds, *option.kinds), known.words | option.words)
    return found | (_options_of(command) if command else {})


def _options_of(command: str) -> dict[str, _Option]:
    found = {}
    for one in parameters_of(commands.load(command).PYTHON).values():
        hint, option = get_args(one.annotation)
        found[one.name] = _Option(get_args(hint) or (hint,), frozenset(words_of(option.autocompletion)))
    return found


class Call(NamedTuple):
    """What was called, and with what."""

    function: str = ""
    folder: str = ""
    """Where data was put for the command."""
    typed: Mapping[str, tuple[Any, str]] = MappingProxyType({})
    """Values of options as they were given, each with its spelling for the command."""


NO_CALL = Call()


@contextmanager
def in_words_of_python(call: Call) -> Iterator[None]:
    """Let errors and messages meanwhile speak of arguments; warnings become Python's, at the line that called."""
    noted: list[str] = []
    try:
        with messages_to(lambda note: noted.append(in_python_words(note, call))):
            yield
    except SoftmaxCliError as error:
        raise type(error)(in_python_words(str(error), call)) from None
    finally:
        _give_warnings(noted)


def _give_warnings(messages: Sequence[str]) -> None:
    """Give warnings as Python warnings, at the line that called this package; print the other messages."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _INNER:
        level, frame = level + 1, frame.f_back
    for message in messages:
        mark, _, text = message.partition("warning: ")
        if not mark and text:
            warnings.warn(text, UserWarning, stacklevel=level)
        else:
            print_message(message)


_FLAG = re.compile(r"--([a-z][a-z-]+)(?:[ =]('[^']*'|(?!--)\S+))?|(?<!\S)-o (\S+)")
_CHOICES = re.compile(r"(\w+)(='\w+')((?:(?: \([^)]*\))?(?:,| or) \w+)+)")
_ENDS = ".,;:)"
_NO_VALUES = ("and", "or", "out")
"""Words that end a clause, where a value may stand: ``leave --engine out``."""


def in_python_words(message: str, call: Call = NO_CALL) -> str:
    """Name arguments instead of flags, ``top_k=3`` for ``--top-k 3``, and data instead of the files that hold it."""
    for name, (value, spelling) in call.typed.items():
        is_file = call.folder != "" and spelling.startswith(call.folder)
        message = _with_given(message, name, name if is_file else f"{name}={value!r}", spelling)
    message = named(message, call.folder)
    message = re.sub(r"softmax-cli (\w+) --help\b", r"help(\1)", message)
    calls = "|".join(commands.names())
    message = re.sub(rf"softmax-cli ({calls})\b(?! (?:-?\d|-( |$)|\S+\.\w))", r"\1()", message)
    message = re.sub(r"write \w+:COLUMN(;| with one of)", "give one column alone:", message)
    options = _options(call.function)
    message = _FLAG.sub(lambda found: _argument(message, found, options), message)
    message = _CHOICES.sub(lambda found: _quoted_choices(found, options), message)
    return re.sub(rf"\b({calls})\(\) (\w+=[^\s,;)]+)", r"\1(\2)", message)


def _with_given(message: str, name: str, argument: str, spelling: str) -> str:
    """Write an argument as it was given wherever the message repeats it."""
    flag = f"--{name.replace('_', '-')}"
    for shown in (spelling, repr(spelling)):
        for repeated in (f"{flag} {shown}", f"{flag}={shown}"):
            ends = r"(?![\w.])" if shown[-1:].isalnum() else ""
            message = re.sub(re.escape(repeated) + ends, lambda found: argument, message)
    return message


def _argument(message: str, found: re.Match[str], options: Mapping[str, _Option]) -> str:
    """Return an argument for a flag, with what follows where that is its value."""
    flag, rest, target = found[1], found[2], found[3]
    if flag is None:
        return f"output={_quoted(target)}"
    name = flag.replace("-", "_")
    option = options.get(name)
    if option is None:
        return found[0]
    after = "" if rest is None else found[0][found.end(1) - found.start() :]
    if bool in option.kinds:
        return f"{name}=True{after}"
    if rest is None:
        return name if message[found.end() :].startswith(": ") else f"{name}="
    value = rest.rstrip(_ENDS) or rest
    ends = rest[len(value) :] or message[found.end() :][:1]
    if not _is_value(value, option, ends, message[found.end() :]):
        return f"{name}={after}"
    is_number = {int, float} & {*option.kinds}
    return f"{name}={value if is_number else _quoted(value)}{rest[len(value) :]}"


def _is_value(value: str, option: _Option, ends: str, rest: str) -> bool:
    """Tell the value of an option from the words of a sentence."""
    if value in _NO_VALUES:
        return False
    if value in option.words or not value.isalpha() or value.isupper() or value in ("nan", "inf"):
        return not value.endswith("-") and not value.startswith("--")
    return ends[:1] in (*_ENDS, "") or rest.startswith(" or --")


def _quoted(value: str) -> str:
    """Quote a value; a word in capitals stands for any, and has no quotes."""
    text = value.rstrip(_ENDS) or value
    is_word = text.replace(":", "").replace("=", "").isupper() or text[0] in "'\""
    return value if is_word else f"{text!r}{value[len(text) :]}"


def _quoted_choices(found: re.Match[str], options: Mapping[str, _Option]) -> str:
    """Quote the values that are offered beside the first: ``'skip' (leave it out) or 'null'``."""
    option = options.get(found[1])
    words = option.words if option is not None else ()
    others = re.sub(r"(?<=, |r )\w+", lambda word: repr(word[0]) if word[0] in words else word[0], found[3])
    return found[1] + found[2] + others


def named(text: str, folder: str) -> str:
    """Call data by its name, not by that of the file that it was put into."""
    return re.sub(rf"{re.escape(folder)}/(\w+)\.\w+", r"\1", text) if folder else text


def plain(report: Any, folder: str) -> Any:
    """Return a report as JSON has it, with data called by its name."""
    if isinstance(report, Mapping):
        return {named(name, folder): plain(value, folder) for name, value in report.items()}
    if isinstance(report, list | tuple):
        return [plain(one, folder) for one in report]
    return named(report, folder) if isinstance(report, str) else report
