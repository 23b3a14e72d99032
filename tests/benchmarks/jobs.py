"""What is timed: one format into another, evaluation, a fit, and how long it takes to start at all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.contenders import OURS, Contender, constant, peer_command

FLOAT32_RTOL = 1e-5
FLOAT64_RTOL = 1e-11
FIGURE_RTOL = 1e-6
FIT_RTOL = 1e-3
"""Both minimise the same loss; where it is this flat, optimisers stop."""


@dataclass(frozen=True)
class Shape:
    """A table of random logits with an id and a name; `repeats` writes it so many times over."""

    name: str
    rows: int
    classes: int
    repeats: int = 1

    @property
    def title(self) -> str:
        return f"{self.rows * self.repeats:,} x {self.classes}"


SHAPES = (Shape("a", 1_000_000, 10), Shape("b", 100_000, 100), Shape("c", 10_000, 1000))
REPORTS = (Shape("medium", 10_000, 100), Shape("large", 50_000, 1000))
SMALL_REPORTS = (Shape("few", 300, 5),)
SMALL_SHAPES = (Shape("small", 400, 10),)
BIG = {".csv": Shape("big", 1_000_000, 10, 11), ".parquet": Shape("big", 1_000_000, 10, 30)}


def prepared(shape: Shape, path: Path) -> Path:
    """Write an input, in another process, unless an earlier run has."""
    if not path.exists():
        size = (str(shape.rows), str(shape.classes), str(shape.repeats))
        subprocess.run([sys.executable, "-m", "tests.benchmarks.inputs", str(path), *size], check=True)
    return path


@dataclass(frozen=True)
class Convert:
    """Read logits in one format, write probabilities in another.

    With 9 digits the peers hold float32, whose shortest text that reads back has up to 9; with 17, float64. `whole`:
    they write the prediction and its confidence too, as our program does anyway.
    """

    shape: Shape
    source: str
    target: str
    digits: int
    rtol: float
    whole: bool = False

    @property
    def title(self) -> str:
        text = f", {self.digits} digits" if self.target == ".csv" else ""
        whole = ", prediction and confidence too" if self.whole else ""
        return f"{self.source[1:]} -> {self.target[1:]}{text}, {self.shape.title}{whole}"

    def prepare(self, folder: Path) -> Path:
        return prepared(self.shape, folder / f"{self.shape.name}{self.source}")

    def contenders(self, source: Path, folder: Path, ours: Path, peers: list[str]) -> list[Contender]:
        """Return our program, then the peers that do this job."""
        target = folder / f"{OURS}_out{self.target}"
        text = ("--digits", str(self.digits)) if self.target == ".csv" else ()
        command = (str(ours), "predict", str(source), "-o", str(target), "--quiet", *text)
        found = [Contender(OURS, command, target)]
        for peer in peers:
            if f"{self.source[1:]}-{self.target[1:]}" in constant(peer, "KINDS"):
                target = folder / f"{peer}_out{self.target}"
                found.append(Contender(peer, peer_command(peer, source, target, self.digits, self.whole), target))
        return found


@dataclass(frozen=True)
class Report:
    """Figures of a labelled table: of its probabilities, or of a temperature that is fitted to it."""

    command: str
    """``evaluate`` or ``calibrate``."""
    shape: Shape
    rtol: float

    @property
    def title(self) -> str:
        what = {"evaluate": "evaluate", "calibrate": "calibrate --method temperature"}[self.command]
        return f"{what}, {self.shape.title}"

    def prepare(self, folder: Path) -> Path:
        return prepared(self.shape, folder / f"labelled_{self.shape.name}.parquet")

    def contenders(self, source: Path, folder: Path, ours: Path, peers: list[str]) -> list[Contender]:
        target = folder / f"{OURS}_out.json"
        fits = self.command == "calibrate"
        options = ("--method", "temperature", "-o", str(target)) if fits else ("--json",)
        command = (str(ours), self.command, str(source), *options, "--quiet")
        found = [Contender(OURS, command, target, prints=not fits)]
        for peer in peers:
            if self.command in constant(peer, "KINDS"):
                target = folder / f"{peer}_out.json"
                found.append(Contender(peer, peer_command(peer, source, target, 9), target))
        return found


@dataclass(frozen=True)
class StartUp:
    """How long it takes until there is an answer, beside a process that only imports."""

    title: str
    arguments: tuple[str, ...]
    imports: str
    rtol: None = None

    def prepare(self, folder: Path) -> Path:
        return Convert(Shape("ten", 10, 10), ".csv", ".csv", 9, FLOAT32_RTOL).prepare(folder)

    def contenders(self, source: Path, folder: Path, ours: Path, peers: list[str]) -> list[Contender]:
        target = folder / f"{OURS}_out.csv"
        command = (str(ours), *(str(source) if word == "IN" else word for word in self.arguments))
        beside = (sys.executable, "-c", self.imports)
        return [Contender(OURS, command, target, prints=True), Contender(self.imports, beside, folder / "nothing")]


Job = Convert | Report | StartUp


def jobs(*, small: bool, big: bool) -> Iterator[Job]:
    """Return every conversion for every shape; the big tables last."""
    shapes = SMALL_SHAPES if small else SHAPES
    for source, target, digits, rtol in (
        (".csv", ".csv", 9, FLOAT32_RTOL),
        (".csv", ".csv", 17, FLOAT64_RTOL),
        (".csv", ".parquet", 17, FLOAT64_RTOL),
        (".parquet", ".parquet", 9, FLOAT32_RTOL),
        (".npy", ".npy", 9, FLOAT32_RTOL),
    ):
        yield from (Convert(shape, source, target, digits, rtol) for shape in shapes)
    yield from (Convert(shapes[0], form, form, 9, FLOAT32_RTOL, whole=True) for form in (".csv", ".parquet"))
    for shape in SMALL_REPORTS if small else REPORTS:
        yield Report("evaluate", shape, FIGURE_RTOL)
    yield Report("calibrate", (SMALL_REPORTS if small else REPORTS)[-1], FIT_RTOL)
    if big:
        yield from (Convert(shape, suffix, suffix, 9, FLOAT32_RTOL) for suffix, shape in BIG.items())


def startup_jobs() -> Iterator[Job]:
    yield StartUp("start-up: --help", ("--help",), "import typer")
    yield StartUp("start-up: 10 rows", ("predict", "IN", "--quiet"), "import typer, numpy")
