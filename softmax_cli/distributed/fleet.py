"""A table that the workers of an engine look at, unit by unit; what they find comes back in the order of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from softmax_cli.distributed.engines import Engine
from softmax_cli.distributed.plan import Unit, UnitReader
from softmax_cli.tables.table import Table

Found = TypeVar("Found")
Look = Callable[[Unit, Table], Found]
"""What is done with a unit that is opened: picklable, and idempotent."""


@dataclass(frozen=True, slots=True)
class _OpenAndLook(Generic[Found]):
    reading: UnitReader
    look: Look[Found]

    def __call__(self, unit: Unit) -> Found:
        with self.reading.open(unit) as table:
            return self.look(unit, table)


@dataclass(frozen=True, slots=True)
class Fleet:
    """An engine, and the units that it is given."""

    engine: Engine
    units: tuple[Unit, ...]
    workers: int
    """How many units are looked at at once."""

    @contextmanager
    def results(self, reading: UnitReader, look: Look[Found]) -> Iterator[Iterator[tuple[Unit, Found]]]:
        """Look at every unit, and give what was found in order; the engine stops when the block ends, however it does.

        What comes before its turn waits in memory.

        Raises
        ------
        SoftmaxCliError
            As it came out of a unit, the first in order, where a single reader would have met it.
        """
        run = self.engine.run(_OpenAndLook(reading, look), self.units, self.workers)
        with closing(run) as finished:  # type: ignore[type-var]  # all engines are generators
            yield self._in_order(finished)

    def _in_order(self, finished: Iterator[tuple[int, Found]]) -> Iterator[tuple[Unit, Found]]:
        early: dict[int, Found] = {}
        turn = 0
        for position, found in finished:
            early[position] = found
            while turn in early:
                yield self.units[turn], early.pop(turn)
                turn += 1
