"""The engine and the units that a command asks for, where ``--engine`` was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softmax_cli.errors import UsageError
from softmax_cli.options.engine import EngineOptions
from softmax_cli.options.source import SourceOptions

if TYPE_CHECKING:
    from softmax_cli.units.fleet import Fleet


def fleet_of(engine: EngineOptions, source: SourceOptions, workers: int) -> Fleet | None:
    """Return who looks at the input; None: this process, since no engine was said.

    Raises
    ------
    UsageError
        There is no such engine, it is not installed, or the input is a stream, which cannot be cut into units.
    """
    if engine.engine is None:
        return None
    from softmax_cli.sources.paths import STDIN
    from softmax_cli.units.fleet import Fleet
    from softmax_cli.units.plan import plan_units

    files = source.files()
    if STDIN in files:
        raise UsageError(
            f"--engine {engine.engine} cuts the input into units, and standard input cannot be cut: "
            "save it to a file, or leave --engine out"
        )
    return Fleet(engine.load(), plan_units(files, source.input_format), workers)
