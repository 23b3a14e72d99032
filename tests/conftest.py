"""What tests of several folders share: the program as a user runs it, and real tables of logits."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline would be about the machine's load; what hangs is ended by pytest's own timeout.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

csv.field_size_limit(1 << 30)  # cells of many megabytes are read back by Python's own reader

ROOT = Path(__file__).parents[1]


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
def softmax_cli(program: Path, program_env: dict[str, str], tmp_path: Path) -> Callable[..., Finished]:
    """Run the program in a process of its own and wait: ``softmax_cli("predict", path, stdin=b"")``."""

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


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Find a file among the real logits tables, which are too large to be kept here; skip where they are not at hand.

    ``SOFTMAX_CLI_DATA`` names their folder; unsaid, ``shared/data`` beside the checkout.
    """
    folder = Path(os.environ.get("SOFTMAX_CLI_DATA", ROOT.parent / "shared" / "data"))

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"real data {name} is not there: set SOFTMAX_CLI_DATA to the folder that holds it")
        return path

    return find
