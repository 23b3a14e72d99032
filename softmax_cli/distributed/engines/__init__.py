"""Who runs the units of a job, and where: every module here is one engine, called by its name.

An engine schedules, places and runs again; what a unit does is not its business. A module offers `run`, as `Engine` has
it, and `NEEDS`, the library that it needs as pip is asked for it (None: none). It may say by `STARTS_IN` how many
seconds it takes to start here, and by `JOINS` which variable names a cluster that is running already. It is imported
when it runs.
"""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, Generic, Protocol, TypeVar, cast

from softmax_cli.errors import DataError, SoftmaxCliError, UsageError
from softmax_cli.version import __version__

STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send to standard error what is printed meanwhile, by this process and those it starts: output is data."""
    if sys.stdout is None:  # the shell has closed it: 1>&-
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


@contextmanager
def quiet_start() -> Iterator[None]:
    """Import and start a library: its warnings are not for the user, and our own handlers of signals stay."""
    ours = {number: signal.getsignal(number) for number in STOPS}
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        if threading.current_thread() is threading.main_thread():  # nobody else may, and hence nobody else has
            for number, handler in ours.items():
                signal.signal(number, handler)


Unit = TypeVar("Unit")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs a function over units."""

    def run(self, work: Callable[[Unit], Result], units: Sequence[Unit], workers: int) -> Iterator[tuple[int, Result]]:
        """Yield the position in `units` and the result of each, as they finish; prints meanwhile go to standard error.

        Parameters
        ----------
        work : callable
            Picklable, and idempotent: the unit of a worker that was killed is run again.
        workers : int
            How many units run at once; a cluster that was joined has its own number.

        Raises
        ------
        SoftmaxCliError
            As it came out of a unit: the first of the units in order, if several fail.
        """


def distributions() -> dict[str, str]:
    """Name the libraries that engines need, each with the option that needs it."""
    needs = {name: import_module(f"{__name__}.{name}").NEEDS for name in names()}
    return {need.partition(">=")[0]: f"--engine {name}" for name, need in needs.items() if need is not None}


@cache
def names() -> tuple[str, ...]:
    """Names of the engines there are, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def by_name(name: str) -> Engine:
    """Find an engine that can run here.

    Raises
    ------
    UsageError
        There is no such engine, or the library that it needs is not installed.
    """
    if name not in names():
        raise UsageError(f"no engine is called {name!r}; there are: {', '.join(names())}")
    module: Any = import_module(f"{__name__}.{name}")
    if module.NEEDS is not None and importlib.util.find_spec(module.NEEDS.partition(">=")[0]) is None:
        raise UsageError(f"--engine {name} needs {name.capitalize()}: pip install '{module.NEEDS}'")
    return _Checked(cast(Engine, module))


BYTES_A_SECOND = 50e6
"""About what one machine reads, scores and writes of a table."""


def start_note(name: str, size: int) -> str | None:
    """Say so where an engine takes longer to start here than this machine for all the work, `size` bytes of input."""
    module: Any = import_module(f"{__name__}.{name}")
    seconds, done = getattr(module, "STARTS_IN", 0), size / BYTES_A_SECOND
    if done >= seconds or os.environ.get(getattr(module, "JOINS", "")):
        return None
    here = f"{done:.0f} s" if done >= 1.5 else "a second"
    return (
        f"--engine {name} takes about {seconds} s to start, and this machine about {here} for these "
        f"{size / 1e6:,.1f} MB: without --engine it is done sooner"
    )


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a user is to be reported of a unit. A value: an engine would run what raises again, and print its trace."""

    error: Exception


@dataclass(frozen=True, slots=True)
class _Attempt(Generic[Unit, Result]):
    """Does some units, one after the other, up to the first that fails."""

    work: Callable[[Unit], Result]

    def __call__(self, units: Sequence[Unit]) -> list[Result | _Failure]:
        found: list[Result | _Failure] = []
        for unit in units:
            try:
                found.append(self.work(unit))
            except (SoftmaxCliError, MemoryError, OSError) as error:
                found.append(_Failure(error))
                break
        return found


TASK_BYTES = 64 << 20
"""Of input: an engine takes up to 10 ms for a task, as long as a small file takes."""
_TASKS_PER_WORKER = 4
"""At least, where there is so much to do: the last of few long tasks would keep one worker busy alone."""


def in_tasks(units: Sequence[Unit], workers: int) -> list[range]:
    """Put neighbours together that are done as one task: the places in `units` of each.

    Units say by ``size`` how many bytes of input they stand for; those that do not are tasks of their own.
    """
    sizes = [getattr(unit, "size", TASK_BYTES) for unit in units]
    most = min(TASK_BYTES, sum(sizes) // (_TASKS_PER_WORKER * workers))
    tasks, first, held = [], 0, 0
    for place, size in enumerate(sizes):
        if place > first and held + size > most:
            tasks.append(range(first, place))
            first, held = place, 0
        held += size
    return [*tasks, range(first, len(units))]


@dataclass(frozen=True, slots=True)
class _Checked:
    """An engine whose units may fail: all before the first that failed are waited for, so that one message follows."""

    engine: Engine

    def run(self, work: Callable[[Unit], Result], units: Sequence[Unit], workers: int) -> Iterator[tuple[int, Result]]:
        if not units:
            return
        tasks = in_tasks(units, workers)
        waiting = {task.start for task in tasks}
        first, failure = len(units), None
        bunches = [units[task.start : task.stop] for task in tasks]
        run = _explained(self.engine.run(_Attempt(work), bunches, workers))
        with stdout_to_stderr(), closing(run) as finished:
            for number, found in finished:
                start = tasks[number].start
                waiting.discard(start)
                for position, came in enumerate(found, start):
                    if not isinstance(came, _Failure):
                        yield position, came
                    elif position < first:
                        first, failure = position, came.error
                if failure is not None and min(waiting, default=first) >= first:
                    raise failure


def _explained(run: Iterator[tuple[int, Result]]) -> Generator[tuple[int, Result], None, None]:
    """Say what to do where the workers of a cluster lack this program, which no engine puts there."""
    try:
        yield from run
    except DataError as error:
        if "No module named 'softmax_cli" not in str(error):
            raise
        raise DataError(
            f"the workers have no softmax_cli: install softmax-tables {__version__} on each of them, with the Python "
            "and the libraries that are here (softmax-cli --version --verbose)"
        ) from error
