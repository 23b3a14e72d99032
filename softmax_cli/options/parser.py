"""Commands that convert plain values by themselves, and leave typer what is anything else.

typer 0.29 converts with pydantic and builds a validator for every option, typed or not: that takes longer than numpy
and pyarrow take to load. What was typed is still taken apart by typer's parser, and whatever is not plainly what its
option wants is left to typer as a whole, so that every message is typer's.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from types import NoneType
from typing import Annotated, Any, Self, TypeVar, dataclass_transform, get_args, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.models import OptionInfo

from softmax_cli.errors import ClosedPipeError
from softmax_cli.options.configuration import settings_for
from softmax_cli.terminal.messages import print_message

Result = TypeVar("Result")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Options:
    """A group of options: a class of annotated names with their defaults, made from keywords.

    Type checkers take it for a frozen dataclass. At run time it is less: a dataclass writes the text of a method and
    compiles it, for each of the groups that a command takes, at every start.

    Parameters
    ----------
    panel : str, optional
        Of the help: where the options stand that do not say it themselves.
    """

    panel = None

    def __init_subclass__(cls, panel: str | None = None) -> None:
        cls.panel = panel

    def __init__(self, **values: Any) -> None:
        names = _hints(type(self))  # type: ignore[arg-type]  # a class is hashable, whatever its instances are
        if wrong := values.keys() - names.keys():
            raise TypeError(f"{type(self).__name__} has no option {', '.join(sorted(wrong))}")
        vars(self).update({name: values[name] if name in values else getattr(type(self), name) for name in names})
        self.__post_init__()

    def __post_init__(self) -> None:
        """Refuse what does not go together."""

    def replaced(self, **changed: Any) -> Self:
        """Return the same options but for those that are given."""
        return type(self)(**{**vars(self), **changed})


def takes_groups(command: Callable[..., None], completes: bool = True) -> Callable[..., None]:
    """Give typer one keyword for every option of the groups that `command` takes, and of those within them.

    Parameters
    ----------
    completes : bool
        Whether an option has to know what completes it: typer looks at that function at every start.

    Raises
    ------
    TypeError
        Two groups share an option.
    """
    groups = _groups(command)
    owners: dict[str, type] = {}
    parameters = []
    for group in groups.values():
        for owner, parameter in _options(group):
            if owners.setdefault(parameter.name, owner) is not owner:
                both = f"{owners[parameter.name].__name__} and {owner.__name__}"
                raise TypeError(f"{command.__name__}: {both} both have an option {parameter.name!r}")
            parameters.append(parameter if completes else _without_completion(parameter))

    @functools.wraps(command)
    def typed(**values: Any) -> None:
        from softmax_cli.tables.threads import keep_freed_memory

        keep_freed_memory()
        if values.get("threads"):
            os.environ.setdefault("OMP_NUM_THREADS", f"{values['threads']}")  # Arrow has threads of its own
        try:
            command(**{name: _filled(group, values) for name, group in groups.items()})
            sys.stdout.flush()
        except BrokenPipeError:  # kept apart here: typer would make an error of it
            raise ClosedPipeError from None

    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    typed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return typed


def _without_completion(parameter: inspect.Parameter) -> inspect.Parameter:
    hint, option = get_args(parameter.annotation)
    if option.autocompletion is None:
        return parameter
    plain = copy(option)
    plain.autocompletion = None
    return parameter.replace(annotation=Annotated[hint, plain])


def parameters_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Find every option of a function that takes groups of them, by its name."""
    return {parameter.name: parameter for group in _groups(function).values() for _, parameter in _options(group)}


def call(function: Callable[..., Result], values: Mapping[str, Any]) -> Result:
    """Call a function that takes groups of options with those that are given, and the defaults of the others."""
    defaults = {name: parameter.default for name, parameter in parameters_of(function).items()}
    return function(**{name: _filled(group, defaults | dict(values)) for name, group in _groups(function).items()})


def _groups(function: Callable[..., Any]) -> dict[str, type]:
    """Find the groups that a function takes; what it returns may be a name for checkers alone."""
    taken = {name: kind for name, kind in function.__annotations__.items() if name != "return"}
    return get_type_hints(type("Taken", (), {"__annotations__": taken}), vars(sys.modules[function.__module__]))


def _options(group: type) -> Iterator[tuple[type, inspect.Parameter]]:
    """Find every option of a group, and of the groups that it is made of, with its owner."""
    for name, hint in _hints(group).items():
        if _is_group(hint):
            yield from _options(hint)
            continue
        default = getattr(group, name, inspect.Parameter.empty)
        yield group, inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _filled(group: type, values: Mapping[str, Any]) -> Any:
    """Make a group, and the groups that it is made of, from what was typed."""
    hints = _hints(group)
    return group(**{n: _filled(hint, values) if _is_group(hint) else values[n] for n, hint in hints.items()})


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Options)


@functools.cache
def _hints(group: type) -> dict[str, Any]:
    """Evaluate a group's annotations, once, and put its options into its panel; those that it inherits come first."""
    hints = get_type_hints(group, include_extras=True)
    owners = {name: owner for owner in reversed(group.__mro__) for name in inspect.get_annotations(owner)}
    for name, owner in owners.items():
        for option in get_args(hints[name])[1:]:
            if isinstance(option, OptionInfo) and option.rich_help_panel is None:
                option.rich_help_panel = getattr(owner, "panel", None)
    return hints


def name_values(command: Any, context: Any) -> None:
    """Give every option a word for its value, and flags none, for the help; typer would write ``<int range>``."""
    wanted = inspect.signature(command.callback).parameters
    for one in command.get_params(context):
        if not isinstance(one, TyperOption):
            one.display_type_rich = lambda ctx: None  # its name says what it is
        elif one.is_flag:
            one.metavar = ""
        elif one.metavar is None:
            hint, _ = get_args(wanted[one.name].annotation)
            one.metavar = VALUES[next(kind for kind in (*get_args(hint), hint) if kind is not NoneType)]


VALUES = {int: "N", float: "X", str: "NAME"}
"""What stands for a value in the help where an option has no better word."""


class _WithExamples:
    """A help text that ends in examples: what to type, and what that gives."""

    examples: Sequence[tuple[str, str]] = ()
    closing: str = ""
    """The last line."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help, then the examples."""
        name_values(self, ctx)
        super().format_help(ctx, formatter)  # type: ignore[misc]  # typer's
        print(" Examples:")
        for command, result in self.examples:
            print(f"   {command}\n       {result}")
        print(f"\n {self.closing}\n" if self.closing else "")


class ProgramGroup(_WithExamples, TyperGroup):
    """The program, above its commands."""


class PlainCommand(_WithExamples, TyperCommand):
    """A command of options that hold text, numbers or flags, as `takes_groups` makes it."""

    first: tuple[str, ...] = ()
    """Names of the parameters that ``--help`` shows; empty: all. ``--help-all`` shows the others too."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]  # typer's own name
        """Fill `ctx.params` from what was typed; with typer's messages where it cannot be."""
        args = self._known_spellings(args)
        if ctx.resilient_parsing:  # while completing: every option counts, and what is typed is not whole yet
            typed, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
            ctx.params.update(typed)
            ctx.args = rest  # arguments before an option that has no value yet
            return rest
        if "--help-all" in args:
            args = ["--help"]
        elif self.first:
            self._hide_all_but_first()
        args = self._with_settings(ctx, args)
        typed, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        assert self.callback is not None, "a command runs a function"
        values = None if rest else plain_values(inspect.signature(self.callback), typed)
        if values is None:
            return super().parse_args(ctx, args)
        ctx.params.update(values)
        ctx.args = rest
        return rest

    def _with_settings(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Add options from the environment and from a file beside the data; each is named on standard error."""
        options = {name[2:]: one.name for one in self.params for name in one.opts if name.startswith("--")}
        typed, rest, _ = self.make_parser(ctx).parse_args(args=list(args))
        given = [
            name for name, field in options.items() if isinstance(typed.get(field or ""), bool | str | list | tuple)
        ]
        if "help" in given:
            return args
        paths = [*typed_paths(typed), *rest]
        settings = settings_for(self.name or "", list(options), given, paths, os.environ)
        if settings and "quiet" not in given:
            print_message("; ".join(f"{one.origin}: {' '.join(one.argument)}" for one in settings if one.argument))
        return [*(token for one in settings for token in one.argument), *args]

    def _hide_all_but_first(self) -> None:
        """Leave out of the help what few people need; it is parsed all the same."""
        options = [one for one in self.params if isinstance(one, TyperOption)]
        for option in options:
            option.hidden = option.name not in self.first
        hidden = sum(option.hidden for option in options)
        self.closing = f"softmax-cli {self.name} --help-all shows {hidden} more options."

    def _known_spellings(self, args: list[str]) -> list[str]:
        """Accept the names that options have in other tools, and underscores for dashes."""
        known = {name for one in self.params for name in one.opts}
        ends = args.index("--") if "--" in args else len(args)
        if all(one.partition("=")[0] in known for one in args[:ends] if one.startswith("--")):
            return args
        from softmax_cli.options.other_tools import respelled

        return [respelled(one, known) if place < ends else one for place, one in enumerate(args)]


def option_names(command: Callable[..., None]) -> set[str]:
    """Find the names of all options of a command, long and short."""
    parameters = parameters_of(command).values()
    typed = [name for one in parameters for name in getattr(get_args(one.annotation)[1], "param_decls", None) or ()]
    return {f"--{one.name.replace('_', '-')}" for one in parameters} | {*typed}


def typed_paths(typed: Mapping[str, Any]) -> Sequence[str]:
    """Return the inputs that were typed; a parser marks in ways of its own that there are none."""
    paths = typed.get("paths")
    return paths if isinstance(paths, list | tuple) else ()


def plain_values(wanted: inspect.Signature, typed: Mapping[str, Any]) -> dict[str, Any] | None:
    """Convert what was typed, by name; None where typer has to say something about it.

    Parameters
    ----------
    wanted : inspect.Signature
        Keywords annotated by ``Annotated[type, typer.Option(...)]``.
    typed : mapping
        Text, lists of text or flags; None, or whatever the parser marks it with, for what was not typed.
    """
    given = {name: value for name, value in typed.items() if isinstance(value, bool | str | list | tuple)}
    if not given.keys() <= wanted.parameters.keys():  # --help
        return None
    try:
        return {
            name: _plain(parameter.annotation, given[name]) if name in given else _default(parameter)
            for name, parameter in wanted.parameters.items()
        }
    except ValueError:
        return None


def _plain(annotation: Any, value: Any) -> Any:
    """Convert one value; ValueError where it is not plainly of its kind or within its bounds."""
    hint, option = get_args(annotation)
    kind = next(kind for kind in (*get_args(hint), hint) if kind is not NoneType)
    if not isinstance(value, str):
        return value if isinstance(value, bool) else [kind(one) for one in value]
    if kind is str:
        return value
    number = kind(value)
    above = option.min is None or number >= option.min
    below = option.max is None or number <= option.max
    if not (value.isascii() and above and below):
        raise ValueError(value)
    return number


def _default(parameter: inspect.Parameter) -> Any:
    if parameter.default is parameter.empty:
        raise ValueError(parameter.name)
    return parameter.default
