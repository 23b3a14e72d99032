"""``python -m tests.benchmarks.engines``: what an engine costs, and what it gives, beside the processes of one machine.

The same 20 Parquet files go through every engine that is installed, in turns; then 20 files of ten rows, which take
nothing but the start.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from tests.benchmarks.contenders import our_program

FILES, CLASSES = 20, 10
LIBRARIES = {"local": "softmax_cli", "ray": "ray", "spark": "pyspark", "dask": "distributed"}
TABLES = """
import sys, numpy, pyarrow, pyarrow.parquet
folder, files, rows, classes = sys.argv[1], *map(int, sys.argv[2:])
for file in range(files):
    z = numpy.random.default_rng(file).normal(size=(classes, rows), scale=3).astype("float32")
    columns = {"id": numpy.arange(rows) + file * rows} | {f"logit_{i}": z[i] for i in range(classes)}
    pyarrow.parquet.write_table(pyarrow.table(columns), f"{folder}/{file:02d}.parquet")
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engines", description=__doc__)
    parser.add_argument("--rows", type=int, default=250_000, help="rows of each of the 20 files (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each engine gets (%(default)s)")
    said = parser.parse_args()
    present = [name for name, library in LIBRARIES.items() if find_spec(library) is not None]
    with tempfile.TemporaryDirectory() as scratch:
        taken = {rows: take_turns(present, tables(Path(scratch), rows), said.rounds) for rows in (10, said.rows)}
    report(taken[10], taken[said.rows], FILES * said.rows)


def tables(scratch: Path, rows: int) -> Path:
    """Write the input."""
    folder = scratch / f"logits-{rows}"
    folder.mkdir()
    made = [sys.executable, "-c", TABLES, folder, str(FILES), str(rows), str(CLASSES)]
    subprocess.run(made, check=True)
    return folder


def take_turns(engines: list[str], logits: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each engine, turn by turn, of whole processes."""
    taken: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(rounds):
        for engine in engines:
            print(f"... {engine}, {logits.name}", file=sys.stderr)
            out = logits.with_name("out")
            command = [our_program(), "predict", logits, "-o", f"{out}/", "-q", "--engine", engine]
            start = time.perf_counter()
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            taken[engine].append(time.perf_counter() - start)
            shutil.rmtree(out)
    return taken


def report(starts: dict[str, list[float]], jobs: dict[str, list[float]], rows: int) -> None:
    """Print a table for the README; the ratio is the median over the rounds, each against local of the same round."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{rows:,} rows x {CLASSES} classes in {FILES} Parquet files, {cores} cores, {time.strftime('%Y-%m-%d')}\n")
    print("| engine | start | all rows | rows a second | time / local |\n| --- | --- | --- | --- | --- |")
    for engine, seconds in jobs.items():
        ratio = median(own / local for own, local in zip(seconds, jobs["local"], strict=True))
        start, whole = median(starts[engine]), median(seconds)
        print(f"| {engine} | {start:.1f} s | {whole:.1f} s | {rows / whole / 1e6:.2f} M | {ratio:.1f} |")


if __name__ == "__main__":
    main()
