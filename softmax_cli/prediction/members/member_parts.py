"""Several tables in parts, read part by part: the first file of each together, then the second, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

from softmax_cli.distributed.fleet import EngineWorkers, Fleet, ThisProcess, Workers
from softmax_cli.distributed.plan import Unit, UnitReader, plan_together
from softmax_cli.errors import DataError, UsageError
from softmax_cli.formats import Writer
from softmax_cli.prediction.members.ensemble import Pool, PooledRows, pool_rows, pooled_table
from softmax_cli.prediction.members.joining import Check, JoinedRows, Members, MismatchError
from softmax_cli.prediction.parts.part_files import ScoreUnit
from softmax_cli.prediction.run import Finished, score_table
from softmax_cli.stream.scores import Inputs, ScoreTable
from softmax_cli.tables.table import Table
from softmax_cli.tables.threads import NOBODY, Listeners


class Merging(Protocol):
    """Figures of some rows that can be merged with those of other rows."""

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""


Measure = Callable[[JoinedRows, PooledRows], Any]
"""Makes figures of a block of rows; they are `Merging`."""


class Wording(NamedTuple):
    """What messages say of the work on parts."""

    job: str
    way_out: str
    """What to type where parts do not go together."""


POOLING = Wording("a folder is pooled part by part", "write one file, such as -o out.parquet")


class Found(NamedTuple):
    """What is known of a part beside its rows."""

    measured: list[Any]
    """The figures of all its rows, as a list of one; of no rows, an empty one."""
    checks: list[Check]
    """Of each table."""


@dataclass(frozen=True, slots=True)
class MemberUnits:
    """The parts of several tables; picklable."""

    readers: tuple[UnitReader, ...]
    """Of each table."""
    parts: tuple[tuple[Unit, ...], ...]
    """Of each table, as many of one as of another."""
    members: Members
    """What is known of the tables, whose rows are elsewhere."""
    wording: Wording

    @classmethod
    def of(cls, inputs: Sequence[Inputs], members: Members, wording: Wording = POOLING) -> MemberUnits:
        """Read as `members` were opened from `inputs`.

        Raises
        ------
        UsageError
            The tables have different numbers of files, or truths go by the order of rows.
        """
        files = [one.files for one in inputs]
        if len({*map(len, files)}) > 1:
            counts = ", ".join(f"{name}: {len(held)}" for name, held in zip(members.names, files, strict=True))
            raise UsageError(
                f"{wording.job}, and the tables have different numbers of files ({counts}): {wording.way_out}"
            )
        for scores in members.tables:
            scores.check_order(True)
        readers = tuple(UnitReader.of(one, scores) for one, scores in zip(inputs, members.tables, strict=True))
        parts = plan_together(files, not members.by_id)
        return cls(readers, parts, members._replace(tables=tuple(map(_without_rows, members.tables))), wording)

    def units(self) -> tuple[Unit, ...]:
        """List what is read at a time; as for a single file, progress is that of the first table."""
        return self.parts[0]

    @property
    def folder(self) -> str:
        """Return where relative names begin."""
        return self.readers[0].folder

    def paths(self, unit: Unit) -> tuple[str, ...]:
        """Name the files of a unit."""
        return tuple(units[unit.number].path for units in self.parts)

    @property
    def settings(self) -> tuple[object, ...]:
        """Return what decides how files are read, beside their bytes."""
        return (*(reader.settings for reader in self.readers), self.members.classes, self.members.by_id)

    @contextmanager
    def open(self, unit: Unit) -> Iterator[Members]:
        """Open the same part of every table.

        Raises
        ------
        DataError
            A file is not there or damaged, or the parts do not hold the same rows.
        """
        with ExitStack() as closing:
            tables = [
                one._replace(table=closing.enter_context(reader.open(units[unit.number])))
                for reader, units, one in zip(self.readers, self.parts, self.members.tables, strict=True)
            ]
            try:
                yield self.members._replace(tables=tuple(tables), checks=[Check()] * len(tables))
            except MismatchError as error:
                raise DataError(
                    f"{error}; {self.wording.job}, and the same part of every table has to hold the same rows: else "
                    f"{self.wording.way_out}"
                ) from None


def members_fleet(workers: Workers, inputs: Sequence[Inputs], members: Members, wording: Wording) -> Fleet[Members]:
    """Return who goes over tables that are open here: an engine does it part by part.

    Raises
    ------
    UsageError
        An engine is named, and the tables have different numbers of files, or truths go by the order of rows.
    """
    if not workers.units:
        return ThisProcess(members, workers.threads)
    reading = MemberUnits.of(inputs, members, wording)
    return EngineWorkers(workers.engine, reading.units(), workers.threads, reading)


def _without_rows(scores: ScoreTable) -> ScoreTable:
    """Leave out what cannot be sent to a worker: the open file."""
    closed = Table(scores.table.name, scores.table.schema, iter(()), _nothing)
    return scores._replace(table=closed)


def _nothing(block: object, columns: object) -> Any:
    raise AssertionError("a worker opens its own files")


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledUnit(ScoreUnit):
    """Pools the same part of every table; what was measured goes back beside the part."""

    pool: Pool
    measure: Measure

    @property
    def settings(self) -> tuple[object, ...]:
        """Return what decides the bytes of a part, beside how it is read, scored and written."""
        return (self.pool,)

    def write(self, unit: Unit, writer: Writer, listeners: Listeners) -> tuple[Finished, Found]:
        """Pool the rows, score them, and write them."""
        found: list[Any] = []
        with self.reading.open(unit) as members:
            scores = pooled_table(members, self.pool, self.threads, self.measure, merging(found))
            finished = score_table(scores.table, self.transform, writer, self.threads, listeners)
        return finished, Found(found, members.checks)


@dataclass(frozen=True, slots=True)
class MeasuredUnit:
    """Measures the same part of every table, which an earlier run has written."""

    reading: MemberUnits
    pool: Pool
    measure: Measure

    def __call__(self, unit: Unit) -> Found:
        """Return figures and checks of the rows."""
        found: list[Any] = []
        merge = merging(found)
        with self.reading.open(unit) as members:
            for joined in members.rows(1, NOBODY):
                merge(self.measure(joined, pool_rows(joined, self.pool, members.truth)))
        return Found(found, members.checks)


def merging(found: list[Any]) -> Callable[[Any], None]:
    """Return a function that merges what it is given into `found`, a list of one; of none before the first."""

    def keep(part: Merging) -> None:
        found[:] = [found[0].plus(part) if found else part]

    return keep
