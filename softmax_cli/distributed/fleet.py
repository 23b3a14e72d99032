"""Who goes over the rows of a table: the threads of this process, or the workers of an engine, unit by unit.

A table that is open here is a fleet of one unit: every command does the same with either. So are several tables of the
same rows, which are opened together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from softmax_cli.distributed.engines import Engine
from softmax_cli.distributed.plan import Unit, UnitReader
from softmax_cli.stream.scores import Inputs, ScoreTable
from softmax_cli.tables.table import Decoded, Table
from softmax_cli.tables.threads import Listeners, map_blocks

if TYPE_CHECKING:
    from softmax_cli.tables.filter import Seen

Found = TypeVar("Found")
Opened = TypeVar("Opened")
Opened_co = TypeVar("Opened_co", covariant=True)


Look = Callable[[int, Opened, int, Listeners], Iterator[Found]]
"""Goes over one unit: its number, its table, how many threads, and who hears of it; yields what it finds, in order.

Picklable, and idempotent: the unit of a worker that was lost is run again.
"""


@dataclass(frozen=True, slots=True)
class EachBlock(Generic[Found]):
    """Applies `work` to every block of a unit; a `Look`."""

    scores: tuple[str, ...]
    """Columns that `work` needs as numbers."""
    work: Callable[[Decoded], Found]

    def __call__(self, unit: int, table: Table, threads: int, listeners: Listeners) -> Iterator[Found]:
        """Yield what is found in each block, in order."""
        return map_blocks(table, self.scores, lambda decoded: (self.work(decoded), ()), threads, listeners)


class Fleet(Protocol[Opened_co]):
    """Units of one table, and who goes over them."""

    @property
    def size(self) -> int:
        """How many units there are."""

    def results(
        self, look: Look[Opened_co, Found], listeners: Listeners
    ) -> AbstractContextManager[Iterator[tuple[int, Found]]]:
        """Go over every unit, and give what is found with the number of its unit, in the order of the table.

        Raises
        ------
        SoftmaxCliError
            As it came out of a unit: the first in order, where a single reader would have met it.
        """


@dataclass(frozen=True, slots=True)
class ThisProcess(Generic[Opened]):
    """What is open here, as the only unit."""

    opened: Opened
    threads: int

    @property
    def size(self) -> int:
        """One."""
        return 1

    @contextmanager
    def results(self, look: Look[Opened, Found], listeners: Listeners) -> Iterator[Iterator[tuple[int, Found]]]:
        """See `Fleet`: what is found comes while the table is read."""
        yield ((0, found) for found in look(0, self.opened, self.threads, listeners))


class Reader(Protocol[Opened_co]):
    """Opens units where they are gone over; picklable."""

    def open(self, unit: Unit) -> AbstractContextManager[Opened_co]:
        """Open a unit."""


class _Outcome(NamedTuple):
    """What came of one unit."""

    found: list[Any]
    rejects: tuple[Any, ...]
    rows: int
    seen: Seen | None
    """What the condition on the rows has met in it."""


@dataclass(frozen=True, slots=True)
class _OpenAndLook(Generic[Opened, Found]):
    reader: Reader[Opened]
    look: Look[Opened, Found]

    def __call__(self, unit: Unit) -> _Outcome:
        rejects: list[Any] = []
        rows: list[int] = []
        listeners = Listeners(lambda done, size: rows.append(done), rejects.extend)
        with self.reader.open(unit) as opened:
            found = list(self.look(unit.number, opened, 1, listeners))
            seen = opened.seen if isinstance(opened, Table) else None
        return _Outcome(found, tuple(rejects), sum(rows), seen)


@dataclass(frozen=True, slots=True)
class EngineWorkers(Generic[Opened]):
    """An engine, and the units that it is given."""

    engine: Engine
    units: tuple[Unit, ...]
    at_once: int
    """How many units are gone over at once."""
    reader: Reader[Opened]
    seen: Seen | None = None
    """What the condition on the rows has met in all units, told by the workers; None: there is none."""

    @property
    def size(self) -> int:
        """How many units there are."""
        return len(self.units)

    @contextmanager
    def results(self, look: Look[Opened, Found], listeners: Listeners) -> Iterator[Iterator[tuple[int, Found]]]:
        """See `Fleet`: what comes before its turn waits in memory; the engine stops when the block ends."""
        run = self.engine.run(_OpenAndLook(self.reader, look), self.units, self.at_once)
        with closing(run) as finished:  # type: ignore[type-var]  # all engines are generators
            yield self._in_order(finished, listeners)

    def _in_order(self, finished: Iterator[tuple[int, _Outcome]], listeners: Listeners) -> Iterator[tuple[int, Any]]:
        early: dict[int, _Outcome] = {}
        turn = 0
        for position, outcome in finished:
            early[position] = outcome
            while turn in early:
                unit, outcome = self.units[turn], early.pop(turn)
                for found in outcome.found:
                    yield unit.number, found
                if self.seen is not None and outcome.seen is not None:
                    self.seen.plus(outcome.seen)
                if outcome.rejects:
                    listeners.rejected(outcome.rejects)
                listeners.progress(outcome.rows, unit.size)
                turn += 1


class Workers(NamedTuple):
    """Who reads the rows of the inputs: an engine, unit by unit; without units, the threads of this process."""

    engine: Engine
    units: tuple[Unit, ...]
    threads: int
    """Of this process; or how many units the engine does at once."""
    is_local: bool
    """Whether the engine has the cores of this machine."""

    def fleet(self, inputs: Inputs, scores: ScoreTable) -> Fleet[Table]:
        """Return who goes over a table that is open here."""
        if not self.units:
            return ThisProcess(scores.table, self.threads)
        return EngineWorkers(self.engine, self.units, self.threads, UnitReader.of(inputs, scores), scores.table.seen)
