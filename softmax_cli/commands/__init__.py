"""The commands: this folder is their registry, and a new command is one new module in it.

A module ``name.py`` offers a function ``name``, which takes groups of options, and ``EXAMPLES``: what to type, and
what that gives. ``RANK`` is its place in the list of commands: the order in which one works. ``FIRST`` names the
options that people use first; ``--help-all`` shows the others. ``PYTHON`` is the function that `api` calls;
``takes``, where there is one, knows the words that a line without a command may begin with where this one is meant.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import ModuleType


@cache
def names() -> tuple[str, ...]:
    """Names of the commands there are, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def load(name: str) -> ModuleType:
    """Import the module of a command."""
    return import_module(f"{__name__}.{name}")
