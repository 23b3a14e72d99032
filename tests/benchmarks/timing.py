"""Programs take turns, A B C A B C, so that a slow minute of the machine falls on all of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.benchmarks.contenders import Contender

ROOT = Path(__file__).parents[2]


@dataclass
class Measured:
    """What one program took, turn by turn."""

    seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    """Largest resident memory of the process."""

    def ratio(self, other: Measured) -> float:
        """Return the median over rounds of own time / the other's in the same round."""
        return median(own / theirs for own, theirs in zip(self.seconds, other.seconds, strict=True))


def take_turns(contenders: Sequence[Contender], rounds: int, rtol: float | None) -> dict[str, Measured]:
    """Run each program once to warm the caches and to check its numbers, then `rounds` times in turns.

    Parameters
    ----------
    contenders : sequence of Contender
        The first is the one that the others are checked against.
    rounds : int
        Turns of each that are counted.
    rtol : float or None
        How far probabilities may lie apart, as a share of ours; None: nothing was written to check.
    """
    for contender in contenders:
        run(contender)
        if rtol is not None:
            compared = (str(contenders[0].target), str(contender.target), str(rtol))
            subprocess.run([sys.executable, "-m", "tests.benchmarks.agreement", *compared], cwd=ROOT, check=True)
    measured = {contender.name: Measured() for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            seconds, peak = run(contender)
            measured[contender.name].seconds.append(seconds)
            measured[contender.name].peak_bytes.append(peak)
    return measured


def run(contender: Contender) -> tuple[float, int]:
    """Run a whole process that writes a new file; return seconds and peak memory in bytes."""
    contender.target.unlink(missing_ok=True)
    with tempfile.TemporaryFile() as talk, ExitStack() as closing:
        out = closing.enter_context(contender.target.open("wb")) if contender.prints else talk
        start = time.perf_counter()
        process = subprocess.Popen(contender.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=talk)
        # Not Popen.wait: only wait4 tells the peak of this one child.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            talk.seek(0)
            sys.exit(f"{' '.join(contender.command)}: exit {process.returncode}\n{talk.read().decode()}")
    return seconds, usage.ru_maxrss * 1024
