"""Commands that take groups of options: typer sees the fields of every group, the command gets the groups."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, get_type_hints


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Give typer one keyword for every field of the dataclasses that `command` takes.

    Raises
    ------
    TypeError
        Two groups share a field.
    """
    groups = {name: kind for name, kind in get_type_hints(command).items() if name != "return"}
    owners: dict[str, str] = {}
    parameters = []
    for owner, kind in groups.items():
        hints = get_type_hints(kind, include_extras=True)
        for field in fields(kind):
            if owners.setdefault(field.name, owner) != owner:
                raise TypeError(
                    f"{command.__name__}: {owners[field.name]} and {owner} both have an option {field.name!r}"
                )
            default = field.default if field.default_factory is MISSING else field.default_factory()
            parameters.append(
                inspect.Parameter(
                    field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[field.name]
                )
            )

    @functools.wraps(command)
    def typed(**values: Any) -> None:
        command(
            **{
                owner: kind(**{name: value for name, value in values.items() if owners[name] == owner})
                for owner, kind in groups.items()
            }
        )

    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    typed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return typed
