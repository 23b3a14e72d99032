"""What tests of several folders share: the program as a user runs it, and real tables of logits."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import settings

from softmax_cli.tables.threads import available_threads

# As in the program, whose workers use the cores; read when numpy loads, which is after this file.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A deadline would be about the machine's load; what hangs is ended by pytest's own timeout. The same examples every
# time, so that a change fails for what it changed; `pytest --hypothesis-profile search` looks for new ones.
settings.register_profile("repeatable", deadline=None, max_examples=60, derandomize=True, database=None)
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile("repeatable")

ROOT = Path(__file__).parents[1]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors: many tests wait for a process of their own."""
    return available_threads() + 1


@dataclass(frozen=True)
class Finished:
    """What a run of the program left behind."""

    code: int
    out: bytes
    """Standard output: bytes, because it may be Parquet."""
    err: str
    """Standard error: talk."""

    @property
    def text(self) -> str:
        """Standard output as text, line ends as they were written."""
        return self.out.decode()


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the executable ``softmax-cli``: the installed one, or one line of shell for a bare checkout."""
    installed = Path(sysconfig.get_path("scripts")) / "softmax-cli"
    if installed.exists():
        return installed
    shim = tmp_path_factory.mktemp("bin") / "softmax-cli"
    shim.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m softmax_cli "$@"\n')
    shim.chmod(0o755)
    return shim


@pytest.fixture(scope="session")
def program_env(program: Path) -> dict[str, str]:
    """Return an environment where ``softmax-cli`` and this ``python`` come first, and no colour is forced."""
    bare = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")}
    folders = [str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]]
    return bare | {"PATH": os.pathsep.join(folders)}


@pytest.fixture
def softmax_cli_process(program: Path, program_env: dict[str, str], tmp_path: Path) -> Callable[..., Finished]:
    """Run the program in a process of its own and wait: ``softmax_cli_process("predict", path, stdin=b"")``.

    For what a process is needed for: another interpreter's path, libraries that keep a state, servers.
    """

    def run(
        *arguments: str | Path, stdin: bytes = b"", cwd: Path = tmp_path, env: Mapping[str, str] | None = None
    ) -> Finished:
        done = subprocess.run(
            [program, *arguments],
            input=stdin,
            capture_output=True,
            cwd=cwd,
            env=program_env | dict(env or {}),
            timeout=280,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr.decode())

    return run


@pytest.fixture
def softmax_cli(program_env: dict[str, str], tmp_path: Path) -> Callable[..., Finished]:
    """Run the program in this process, which saves the start of an interpreter: same arguments, same results.

    That they are the same is tested for every command. An error that the program does not expect comes up as it is,
    and so does a warning, where a process of its own would print them.
    """
    from softmax_cli import cli
    from softmax_cli.__main__ import COLLECTED_FROM

    def run(
        *arguments: str | Path, stdin: bytes = b"", cwd: Path = tmp_path, env: Mapping[str, str] | None = None
    ) -> Finished:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            collected_from = gc.get_threshold()
            with _like_a_process(stdin, out, err, cwd, program_env | dict(env or {})):
                gc.set_threshold(COLLECTED_FROM)  # as `main` does
                code = cli.run([str(argument) for argument in arguments])
            gc.set_threshold(*collected_from)
            written = [file.seek(0) or file.read() for file in (out, err)]
        return Finished(int(code), written[0], written[1].decode())

    return run


@contextmanager
def _like_a_process(stdin: bytes, out: BinaryIO, err: BinaryIO, cwd: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Lend what a process has for its own: standard streams, down to their descriptors, a folder, an environment."""
    descriptors = [os.dup(number) for number in range(3)]
    streams = sys.stdin, sys.stdout, sys.stderr
    folder, environment, hook, scratch = os.getcwd(), dict(os.environ), sys.excepthook, tempfile.tempdir
    reading, writing = os.pipe()
    threading.Thread(target=_feed, args=(writing, stdin), daemon=True).start()
    try:
        for number, source in enumerate((reading, out.fileno(), err.fileno())):
            os.dup2(source, number)
        os.close(reading)
        os.chdir(cwd)
        _set_environment(env)
        tempfile.tempdir = None
        coded: dict[str, Any] = {"encoding": env.get("PYTHONIOENCODING", "utf-8"), "closefd": False}
        with (
            open(0, **coded) as sys.stdin,
            open(1, "w", **coded) as sys.stdout,
            open(2, "w", errors="backslashreplace", buffering=1, **coded) as sys.stderr,
        ):
            yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        for number, kept in enumerate(descriptors):
            os.dup2(kept, number)
            os.close(kept)
        os.chdir(folder)
        _set_environment(environment)
        sys.excepthook, tempfile.tempdir = hook, scratch


def _feed(descriptor: int, data: bytes) -> None:
    with suppress(BrokenPipeError), open(descriptor, "wb", buffering=0) as pipe:
        rest = memoryview(data)
        while rest:
            rest = rest[pipe.write(rest) :]


def _set_environment(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    os.environ.update(wanted)


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Find a file among the real logits tables, which are too large to be kept here; skip where they are not at hand.

    ``SOFTMAX_CLI_DATA`` names their folder; by default ``shared/data`` beside the checkout.
    """
    folder = Path(os.environ.get("SOFTMAX_CLI_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"real data {name} is not there: set SOFTMAX_CLI_DATA to the folder that holds it")
        return path

    return find


@pytest.fixture(scope="session")
def table() -> Callable[..., Any]:
    """Open a table of scores in memory: ``table(name, z, ids, truths, cut, classes)``, read in blocks of `cut` rows."""
    import numpy as np
    import pyarrow as pa

    from softmax_cli.stream.scores import ScoreTable
    from softmax_cli.tables.arrays import from_arrow
    from softmax_cli.tables.columns import Columns
    from softmax_cli.tables.labels import ClassLookup, OwnTruth
    from softmax_cli.tables.table import Block, Decoded, Place, Table

    def make(
        name: str, z: Any, ids: Any = None, truths: Any = None, cut: int = 3, classes: tuple[str, ...] = ("a", "b", "c")
    ) -> Any:
        columns = {one: np.ascontiguousarray(z[:, place]) for place, one in enumerate(classes)}
        columns |= {} if ids is None else {"id": pa.array(ids)}
        columns |= {} if truths is None else {"y": pa.array(truths)}
        batch = from_arrow(pa.record_batch(columns))
        roles = Columns(
            classes, classes, "logits", id=None if ids is None else "id", others=tuple(columns)[len(classes) :]
        )
        blocks = (Block(batch.slice(start, cut)) for start in range(0, len(z), cut))

        def decode(block, scores):
            return Decoded(block.data, lambda row, column: Place(f"{name}: row {row + 1}", "", ""))

        truth = None if truths is None else OwnTruth("y", ClassLookup.of(roles))
        return nullcontext(ScoreTable(Table(name, batch.schema, blocks, decode), roles, truth))

    return make
