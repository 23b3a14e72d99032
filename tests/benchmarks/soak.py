"""Long and wide runs, and how much memory each takes: ``python -m tests.benchmarks.soak [--share 0.01]``.

Rows are made as they are read, by writing the same thousand again and again into the program's standard input.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from tests.benchmarks.contenders import our_program

BLOCK = 1000


@dataclass(frozen=True)
class Run:
    """A command that reads standard input, and what it is given."""

    title: str
    arguments: tuple[str, ...]
    data: Callable[[], Iterator[bytes]]


def rows(count: int, classes: int = 10) -> Iterator[bytes]:
    z = np.random.default_rng(0).normal(scale=4, size=(BLOCK, classes)).astype(np.float32)
    yield f"id,{','.join(f'logit_c{k}' for k in range(classes))},label\n".encode()
    lines = [f"r{i},{','.join(map(str, row))},c{row.argmax()}\n" for i, row in enumerate(z)]
    block = "".join(lines).encode()
    for _ in range(max(1, count // BLOCK)):
        yield block


def wide_rows(count: int, classes: int) -> Iterator[bytes]:
    yield ("id," + ",".join(f"logit_c{k}" for k in range(classes)) + "\n").encode()
    line = ",".join(map(str, np.random.default_rng(0).normal(size=classes).round(3)))
    for i in range(count):
        yield f"r{i},{line}\n".encode()


def one_row_batches(count: int) -> Iterator[bytes]:
    sink = io.BytesIO()
    batch = pa.record_batch({f"logit_c{k}": [float(k)] for k in range(10)})
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
        start = sink.tell()
        for _ in range(BLOCK):
            writer.write_batch(batch)
        block = sink.getvalue()[start:]
    first, last = sink.getvalue()[:start], sink.getvalue()[start + len(block) :]
    yield first
    for _ in range(max(1, count // BLOCK)):
        yield block
    yield last


def long_line(size: int) -> Iterator[bytes]:
    yield b"id,logit_cat,logit_dog,text\n1,2,1,"
    for _ in range(size >> 20):
        yield b"x" * (1 << 20)
    yield b"\n2,1,2,y\n"


def runs(share: float) -> list[Run]:
    million = round(1_000_000 * share)
    predict = ("predict", "-", "--quiet", "--format", "csv")
    evaluate = ("evaluate", "-", "--quiet", "--json", "--bootstrap", "0")
    arrows = ("predict", "-", "--quiet", "--input-format", "arrows", "--format", "arrows")
    return [
        Run(f"predict, {200 * million:,} rows", predict, lambda: rows(200 * million)),
        Run(f"evaluate, {20 * million:,} rows (9 bytes a row are kept)", evaluate, lambda: rows(20 * million)),
        Run(f"inspect, {20 * million:,} rows", ("inspect", "-", "--quiet", "--json"), lambda: rows(20 * million)),
        Run("predict, 100,000 classes, 200 rows", predict, lambda: wide_rows(200, 100_000)),
        Run(f"predict, {million:,} batches of one row", arrows, lambda: one_row_batches(million)),
        Run("predict, a line of 200 MB", predict, lambda: long_line(200 << 20)),
    ]


def resident(process: int) -> int:
    """Bytes that a process holds; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{process}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * 4096


def measure(program: Path, run: Run) -> tuple[float, list[int], int]:
    """Return seconds, the memory at every tenth of a second in bytes, and the exit code."""
    process = subprocess.Popen(
        [program, *run.arguments], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    start, held = time.perf_counter(), []

    def feed() -> None:
        assert process.stdin is not None
        with process.stdin as pipe:
            for block in run.data():
                pipe.write(block)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    while process.poll() is None:
        held.append(resident(process.pid))
        time.sleep(0.1)
    return time.perf_counter() - start, [one for one in held if one], process.returncode


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the rows, for a quick look (1)")
    parser.add_argument("--only", default="", metavar="WORDS", help="only runs whose title holds these words")
    asked = parser.parse_args()
    print(f"{'run':62} {'seconds':>8} {'MB early':>9} {'MB most':>8} {'exit':>5}")
    for run in runs(asked.share):
        if asked.only in run.title:
            seconds, held, code = measure(our_program(), run)
            early = max(held[: max(1, len(held) // 10)], default=0)
            print(f"{run.title:62} {seconds:8.1f} {early / 1e6:9.0f} {max(held) / 1e6:8.0f} {code:5}", flush=True)


if __name__ == "__main__":
    main()
