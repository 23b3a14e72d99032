"""A process in which the program is loaded; every run is a fork of it, which saves the start of an interpreter.

Each run has a process of its own all the same: a crash, a hang or its memory is its own. ``Forking`` starts and asks
such a process, ``python -m tests.mutation.forking`` is it: it takes runs as JSON lines and answers with how they ended.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

ROOT = Path(__file__).parents[2]
OUT, ERR = "stdout", "stderr"
"""Files in the folder of a run that take what it prints."""
LONGEST_MESSAGES = 1 << 20
SECONDS, BYTES = 10.0, 1 << 30
"""What a run may take."""
CODES = (0, 1, 2)
LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int | None
    """Exit code, or the negative number of a signal; None: it had not ended in time, and was killed."""
    seconds: float
    peak_bytes: int
    """Most memory that it held. A fork begins with what the program takes when it is loaded, about 150 MB."""
    err: str

    def faults(self) -> list[str]:
        """Say what is wrong with how it ended; nothing where it did its work, or said in one message why not."""
        if self.code is None:
            return ["it had not ended in time"]
        faults = []
        lines = self.err.splitlines()
        if self.code not in CODES:
            faults.append(f"it ended by {self.code}")
        if self.peak_bytes > BYTES:
            faults.append(f"it held {self.peak_bytes >> 20:,} MB")
        if "Traceback" in self.err or "Warning:" in self.err:
            faults.append(f"a traceback or a library's warning: {lines[-1][:200]}")
        elif self.code in (1, 2):
            messages = [line for line in lines if line.startswith("error: ")]
            if len(messages) != 1 or len(messages[0]) > LONGEST_MESSAGE:
                faults.append(f"{len(messages)} messages, where a short one was expected")
        return faults


class Forking:
    """Runs the program; not for several threads at once."""

    def __enter__(self) -> Self:
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mutation.forking"],
            cwd=ROOT,
            env={name: value for name, value in environment.items() if name not in ("FORCE_COLOR", "COLUMNS")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def run(self, arguments: Sequence[str | Path], folder: Path, seconds: float = SECONDS) -> Ended:
        """Run the program in a folder, with nothing on its standard input."""
        asked = {"arguments": [str(argument) for argument in arguments], "folder": str(folder), "seconds": seconds}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return Ended(**json.loads(self._process.stdout.readline()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def serve() -> None:
    """Fork for every line of standard input, and answer."""
    load_program()
    for line in sys.stdin:
        print(json.dumps(vars(_fork(**json.loads(line)))), flush=True)


def load_program() -> None:
    import softmax_cli

    for module in pkgutil.walk_packages(softmax_cli.__path__, "softmax_cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for library in (
        "pyarrow.parquet",
        "pyarrow.ipc",
        "rich.console",
        "scipy.special",
        "scipy.optimize",
        "concurrent.futures.thread",
    ):
        importlib.import_module(library)


def _fork(arguments: list[str], folder: str, seconds: float) -> Ended:
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        _become(arguments, folder)
    status, usage = _wait(child, begun + seconds)
    return Ended(
        None if status is None else os.waitstatus_to_exitcode(status),
        time.monotonic() - begun,
        usage.ru_maxrss * 1024,
        Path(folder, ERR).read_bytes()[:LONGEST_MESSAGES].decode(errors="backslashreplace"),
    )


def _become(arguments: list[str], folder: str) -> NoReturn:
    """Run the program in this process, as a shell would start it."""
    os.chdir(folder)
    for number, name, flags in ((0, os.devnull, os.O_RDONLY), (1, OUT, os.O_WRONLY), (2, ERR, os.O_WRONLY)):
        descriptor = os.open(name, flags | (os.O_CREAT | os.O_TRUNC if flags else 0))
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115 - they are this process's own
    sys.stderr = open(2, "w", errors="backslashreplace", buffering=1)  # noqa: SIM115
    sys.argv = ["softmax-cli", *arguments]
    from softmax_cli import cli

    try:
        cli.main()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _wait(child: int, until: float) -> tuple[int | None, Any]:
    while time.monotonic() < until:
        found, status, usage = os.wait4(child, os.WNOHANG)
        if found:
            return status, usage
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    return None, os.wait4(child, 0)[2]


if __name__ == "__main__":
    serve()
