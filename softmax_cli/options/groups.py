"""Commands that take groups of options: typer sees the fields of every group, the command gets the groups."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

from softmax_cli.sinks import ClosedPipeError


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Give typer one keyword for every field of the dataclasses that `command` takes, and of those within them.

    Raises
    ------
    TypeError
        Two groups share a field.
    """
    groups = {name: kind for name, kind in get_type_hints(command).items() if name != "return"}
    owners: dict[str, type] = {}
    parameters = []
    for group in groups.values():
        for owner, parameter in _options(group):
            if owners.setdefault(parameter.name, owner) is not owner:
                both = f"{owners[parameter.name].__name__} and {owner.__name__}"
                raise TypeError(f"{command.__name__}: {both} both have an option {parameter.name!r}")
            parameters.append(parameter)

    @functools.wraps(command)
    def typed(**values: Any) -> None:
        try:
            command(**{name: _filled(group, values) for name, group in groups.items()})
            sys.stdout.flush()
        except BrokenPipeError:  # told apart here: typer would make an error of it
            raise ClosedPipeError from None

    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    typed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return typed


def _options(group: type) -> Iterator[tuple[type, inspect.Parameter]]:
    """Find every option of a group, and of the groups that it is made of, with its owner."""
    hints = _hints(group)
    for field in fields(group):
        hint = hints[field.name]
        if is_dataclass(hint):
            yield from _options(hint)  # type: ignore[arg-type]  # is_dataclass leaves open whether it is an instance
            continue
        default = field.default if field.default_factory is MISSING else field.default_factory()
        default = inspect.Parameter.empty if default is MISSING else default
        yield group, inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _filled(group: type, values: Mapping[str, Any]) -> Any:
    """Make a group, and the groups that it is made of, from what was typed."""
    hints = _hints(group)
    made = {
        field.name: _filled(hints[field.name], values) if is_dataclass(hints[field.name]) else values[field.name]
        for field in fields(group)
    }
    return group(**made)


@functools.cache
def _hints(group: type) -> dict[str, Any]:
    """Evaluate a group's annotations, once: each of its options is an expression to compile."""
    return get_type_hints(group, include_extras=True)
