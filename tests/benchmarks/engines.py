"""``python -m tests.benchmarks.engines``: what an engine costs, and what it gives, beside the processes of one machine.

The same 20 Parquet files go through every engine that is installed, and through the pipeline that its users would write
themselves (``pipelines/``), in turns; then 20 files of ten rows, which take nothing but the start. Of what was written
it is told whether its rows stand in the order of the input.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from tests.benchmarks.contenders import our_program

FILES, CLASSES = 20, 10
LIBRARIES = {"local": "softmax_cli", "ray": "ray", "spark": "pyspark", "dask": "distributed"}
PIPELINES = Path(__file__).with_name("pipelines")
TABLES = """
import sys, numpy, pyarrow, pyarrow.parquet
folder, files, rows, classes = sys.argv[1], *map(int, sys.argv[2:])
for file in range(files):
    z = numpy.random.default_rng(file).normal(size=(classes, rows), scale=3).astype("float32")
    columns = {"id": numpy.arange(rows) + file * rows} | {f"logit_{i}": z[i] for i in range(classes)}
    pyarrow.parquet.write_table(pyarrow.table(columns), f"{folder}/{file:02d}.parquet")
"""


IN_ORDER = """
import pathlib, re, sys, numpy, pyarrow.parquet
place = lambda path: [int(number) for number in re.findall("[0-9]+", path.name)]  # part.10 comes behind part.9
parts = sorted(pathlib.Path(sys.argv[1]).glob("*.parquet"), key=place)
ids = numpy.concatenate([pyarrow.parquet.read_table(part, columns=["id"])["id"].to_numpy() for part in parts])
sys.exit(0 if (numpy.diff(ids) == 1).all() else 1)
"""


@dataclass
class Contender:
    """A command that reads a folder of tables and writes another."""

    title: str
    engine: str
    command: tuple[str | Path, ...]
    """Before the names of the two folders."""
    lines: int
    """That a user writes: of code, or the command itself."""
    out: tuple[str | Path, ...] = ()
    """What stands between them."""
    seconds: dict[int, list[float]] = field(default_factory=dict)
    """By the rows of a file, turn by turn."""
    in_order: bool = True


def contenders() -> list[Contender]:
    """List the engines that are installed, each followed by what its users would write."""
    found = []
    for engine, library in LIBRARIES.items():
        if find_spec(library) is not None:
            command = (our_program(), "predict", "-q", "--engine", engine)
            found.append(Contender(f"`--engine {engine}`", engine, command, 1, ("-o",)))
            for path in PIPELINES.glob(f"{engine}_*.py"):
                lines = [line for line in path.read_text().split('"""', 2)[2].splitlines() if line.strip()]
                found.append(Contender(f"`{path.stem}.py`", engine, (sys.executable, path), len(lines)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engines", description=__doc__)
    parser.add_argument("--rows", type=int, default=250_000, help="rows of each of the 20 files (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns that each engine gets (%(default)s)")
    asked = parser.parse_args()
    running = contenders()
    with tempfile.TemporaryDirectory() as scratch:
        for rows in (10, asked.rows):
            take_turns(running, tables(Path(scratch), rows), rows, asked.rounds)
    report(running, asked.rows)


def tables(scratch: Path, rows: int) -> Path:
    """Write the input."""
    folder = scratch / f"logits-{rows}"
    folder.mkdir()
    made = [sys.executable, "-c", TABLES, folder, str(FILES), str(rows), str(CLASSES)]
    subprocess.run(made, check=True)
    return folder


def take_turns(running: list[Contender], logits: Path, rows: int, rounds: int) -> None:
    """Take the seconds of each, turn by turn, of whole processes, and look at what it wrote."""
    for _ in range(rounds):
        for one in running:
            print(f"... {one.title}, {logits.name}", file=sys.stderr)
            out = logits.with_name("out")
            command = [*one.command, logits, *one.out, f"{out}/"]
            start = time.perf_counter()
            env = os.environ | {"PYSPARK_PYTHON": sys.executable, "RAY_USAGE_STATS_ENABLED": "0"}
            subprocess.run(command, check=True, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            one.seconds.setdefault(rows, []).append(time.perf_counter() - start)
            one.in_order &= subprocess.run([sys.executable, "-c", IN_ORDER, out], check=False).returncode == 0
            shutil.rmtree(out)


def report(running: list[Contender], rows: int) -> None:
    """Print a table for the pages; the ratio is the median over the rounds, each against local of the same round."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    date = time.strftime("%Y-%m-%d")
    print(f"{FILES * rows:,} rows x {CLASSES} classes in {FILES} Parquet files, {cores} cores, {date}\n")
    print("| | start | all rows | time / local | rows in order | lines |\n| --- | --- | --- | --- | --- | --- |")
    for one in running:
        local = running[0].seconds[rows]
        ratio = median(own / there for own, there in zip(one.seconds[rows], local, strict=True))
        start, whole = median(one.seconds[10]), median(one.seconds[rows])
        order = "yes" if one.in_order else "no"
        print(f"| {one.title} | {start:.1f} s | {whole:.1f} s | {ratio:.1f} | {order} | {one.lines} |")


if __name__ == "__main__":
    main()
