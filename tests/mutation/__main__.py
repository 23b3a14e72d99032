"""``python -m tests.mutation [--per-format N] [--seed N]``: see ``--help``.

Every run has to end by itself within ten seconds and one gigabyte, with an exit code of the program and, if that is not
0, with one short message and nothing left behind. Where it reads a table, every value is compared with what a strict
reader has read.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tests.mutation.forking import Ended, Forking
from tests.mutation.mutate import mutate
from tests.mutation.originals import CLASSES, GOOD, ORIGINALS, SCORES, Originals, delimited
from tests.mutation.strict import differences, number, readings

TEXT = ("csv", "jsonl", "json", "weights", "labels", "calibration")
OUT = "out.arrow"
READ = ("--emit", "logit", "--dtype", "float64", "--input", "logits", "-q", "--force", "-o", OUT)
"""What gives back the scores as they were read."""
OTHERS = (
    ("evaluate", "--bootstrap", "0"),
    ("inspect",),
    ("calibrate", "--force", "-o", "out.json"),
    ("predict", "--format", "csv", "--on-bad-row", "skip", "--rejects", "out.csv", "--force"),
    ("predict", "--format", "table"),
    ("predict", "-o", "out.parquet", "--on-bad-row", "null", "--force"),
)
METHODS = ("temperature", "vector", "isotonic", "histogram")


@dataclass(frozen=True)
class Mutant:
    """One damaged file and the command that it is given to."""

    form: str
    place: int
    suffix: str
    data: bytes
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"mutant{self.suffix}"

    @property
    def is_read_back(self) -> bool:
        """Whether the values of the output tell how the file was read."""
        return self.command[-1] == OUT


def main() -> None:
    asked = parse()
    with tempfile.TemporaryDirectory() as folder:
        whole = {form: make() for form, make in ORIGINALS.items()} | {"calibration": calibrations(Path(folder))}
        mutants = [
            mutant_of(form, whole[form], place, asked.seed)
            for form in (asked.formats.split(",") if asked.formats else whole)
            for place in ([asked.only] if asked.only is not None else range(asked.per_format))
        ]
        begun = time.monotonic()
        failures = run_all(mutants, Path(folder), asked)
    print(f"{len(mutants):,} mutants in {time.monotonic() - begun:.0f} s, seed {asked.seed}: {len(failures)} failures")
    sys.exit(1 if failures else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--per-format", type=int, default=170, metavar="N", help="mutants of each format (170)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same mutants (0)")
    parser.add_argument("--formats", metavar="NAMES", help=f"only these: {','.join([*ORIGINALS, 'calibration'])}")
    parser.add_argument("--only", type=int, metavar="N", help="only the mutant of this number, of each format")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes side by side (one a core)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the files that failed here")
    parser.add_argument("--verbose", action="store_true", help="print what the program says of each")
    return parser.parse_args()


def calibrations(folder: Path) -> Originals:
    """What the program itself writes."""
    (folder / GOOD).write_bytes(delimited())
    files = []
    with Forking() as program:
        for method in METHODS:
            command = ("calibrate", GOOD, "--method", method, "--coverage", "0.9", "--force", "-o", "calibration.json")
            ended = program.run(command, folder, 60)
            assert ended.code == 0, ended.err
            files.append((".json", (folder / "calibration.json").read_bytes()))
    return files


def mutant_of(form: str, whole: Originals, place: int, seed: int) -> Mutant:
    """Make a mutant; it depends on its number and the seed, not on how many there are."""
    drawn = random.Random(f"{form} {place} {seed}")
    suffix, data = whole[place % len(whole)]
    damaged = mutate(data, drawn, form in TEXT)
    name = f"mutant{suffix}"
    if form == "calibration":
        command = ("predict", GOOD, "--calibration", name, *READ)
    elif form == "weights":
        command = ("predict", GOOD, "--class-weights", name, *READ)
    elif form == "labels":
        command = ("evaluate", GOOD, "--labels", name, "--bootstrap", "0")
    elif drawn.random() < 0.7:
        command = ("predict", name, *READ)
    else:
        first, *rest = drawn.choice(OTHERS)
        command = (first, name, *rest)
    return Mutant(form, place, suffix, damaged, command)


def run_all(mutants: list[Mutant], folder: Path, asked: argparse.Namespace) -> list[Mutant]:
    """Run every mutant; tell and keep those that fail."""
    failures: list[Mutant] = []
    ends: Counter[tuple[str, Any]] = Counter()
    results: SimpleQueue[tuple[Mutant, Ended, list[str]] | None] = SimpleQueue()

    def run(number: int) -> None:
        try:
            for result in run_lot(mutants[number :: asked.jobs], folder / str(number)):
                results.put(result)
        finally:
            results.put(None)

    with ThreadPoolExecutor(asked.jobs) as pool:
        jobs = [pool.submit(run, number) for number in range(asked.jobs)]
        for _ in jobs:
            for mutant, ended, faults in iter(results.get, None):
                ends[mutant.form, ended.code] += 1
                if faults:
                    failures.append(mutant)
                    keep(mutant, asked.keep)
                    print(f"{mutant.form} {mutant.place}: {'; '.join(faults)}: softmax-cli {' '.join(mutant.command)}")
                if faults or asked.verbose:
                    print("".join(f"    {line[:300]}\n" for line in ended.err.splitlines()[-4:]), end="", flush=True)
        for job in jobs:
            job.result()
    for form in dict.fromkeys(mutant.form for mutant in mutants):
        told = [
            f"{'hang' if code is None else f'exit {code}'} {n:>5}"
            for (of, code), n in sorted(ends.items(), key=str)
            if of == form
        ]
        print(f"{form:12}", *told)
    return failures


def keep(mutant: Mutant, folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{mutant.form}_{mutant.place}{mutant.suffix}").write_bytes(mutant.data)


def run_lot(mutants: list[Mutant], folder: Path) -> Iterator[tuple[Mutant, Ended, list[str]]]:
    """Run mutants one after the other, in a folder of their own."""
    with Forking() as program:
        for mutant in mutants:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / GOOD).write_bytes(delimited())
            (folder / mutant.name).write_bytes(mutant.data)
            ended = program.run(mutant.command, folder)
            faults = ended.faults() + left_overs(folder, mutant, ended)
            if ended.code == 0 and not faults and mutant.is_read_back:
                faults = other_values(folder, mutant)
            yield mutant, ended, faults


def left_overs(folder: Path, mutant: Mutant, ended: Ended) -> list[str]:
    there = {path.name for path in folder.iterdir()} - {GOOD, mutant.name, "stdout", "stderr"}
    hidden = [name for name in there if name.startswith(".")]
    return [f"left behind: {name}" for name in (there if ended.code else hidden)]


def other_values(folder: Path, mutant: Mutant) -> list[str]:
    """Say where the output holds something else than the file."""
    with pa.ipc.open_file(folder / OUT) as reader:
        ours = reader.read_all()
    try:
        if mutant.form in ("weights", "calibration"):
            return other_logits(ours, list(expected_logits(folder / mutant.name, mutant.form)))
        told = [differences(ours, reading) for reading in readings(folder / mutant.name)]
    except Exception as error:  # whatever a library raises: then it is no file of its format
        return [f"read, where a strict reader refuses it ({type(error).__name__}: {error})"[:200]]
    return min(told, key=len) if told else ["read, where a strict reader refuses it"]


def expected_logits(path: Path, form: str) -> Iterator[NDArray[np.float64]]:
    """Compute what a damaged file of weights, or a calibration that is a temperature, makes of the good table."""
    if path.suffix == ".json":
        held = json.loads(path.read_bytes().decode("utf-8-sig"))
        if form == "weights":
            yield SCORES + np.log([float(held.get(name, 1)) for name in CLASSES])
        elif held["method"] == "temperature":
            yield SCORES / held["parameters"]["temperature"]
        return
    for reading in readings(path):
        names = {name.lower(): column for name, column in reading.items()}
        if {"class", "weight"} <= names.keys():
            weights = dict(zip(names["class"], map(number, names["weight"]), strict=True))
            yield SCORES + np.log([weights.get(name, 1.0) for name in CLASSES])


def other_logits(ours: pa.Table, expected: list[NDArray[np.float64]]) -> list[str]:
    logits = np.array([ours.column(f"logit_{name}").to_numpy() for name in CLASSES]).T
    logits -= logits.max(axis=1, keepdims=True)  # a constant of the row changes no probability
    shifted = [one - one.max(axis=1, keepdims=True) for one in expected]
    if not expected or any(np.allclose(logits, one, rtol=1e-12, atol=1e-12) for one in shifted):
        return []
    return ["other weights, or another temperature, than in the file"]


if __name__ == "__main__":
    main()
