"""What ``evaluate`` reports, as plain values: the same for a screen, a file and a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from softmax_cli.evaluation.measure import Limits
from softmax_cli.stream.outputs import finite_or_null
from softmax_cli.version import __version__


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, and what it is."""

    name: str
    """Stable, for gates and programs: ``top_5_accuracy``."""
    title: str
    value: float
    """nan: nothing is known, as of no rows."""
    interval: Limits | None
    """95 % bootstrap limits; None: none were drawn."""
    note: str
    """Unit, range, settings, what it rests on."""


FORMAT = 1
"""Version of the JSON report; a new one only where a program that reads the old one would go wrong."""


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of the reliability diagram, (lower, upper]; nan where it holds no row."""

    lower: float
    upper: float
    rows: int
    confidence: float
    """Mean probability of the predicted class."""
    accuracy: float
    """Share of rows that were right."""


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class; nan where nothing is known: precision of a class that is never predicted."""

    name: str
    support: int
    """Rows of the class."""
    predicted: int
    """Rows predicted as it."""
    hits: int
    """Rows of the class predicted as it."""
    precision: float
    recall: float
    f1: float
    auroc: float
    """Against the rest."""
    ece: float
    """Of its own probability."""
    coverage: float | None = None
    """Share of its rows whose prediction set holds it; None: there are no sets."""
    mean_set_size: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """What would be left if only the surest predictions were given."""

    coverage: float
    """Share of rows answered."""
    threshold: float
    """Least confidence that is answered."""
    risk: float
    """Share of the answered rows that are wrong."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A cell of the confusion matrix that is not 0."""

    true: str
    predicted: str
    rows: int


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows with one value in the column of slices."""

    name: str
    rows: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A labelled table, measured."""

    source: str
    columns: str
    """What was taken for what, in a line."""
    operations: tuple[str, ...]
    """What was done to the scores, in order."""
    rows: int
    """Rows that were measured."""
    bad_rows: int
    """Rows that were left out."""
    classes: int
    bins_by: str
    """``15 bins of equal width``."""
    bootstrap: int
    """Replicates behind the intervals."""
    seed: int
    figures: tuple[Figure, ...]
    bins: tuple[Bin, ...]
    histogram: tuple[tuple[int, int], ...]
    """(right, wrong) rows by confidence, in equal bins of [0, 1]."""
    risk_coverage: tuple[Point, ...]
    confusion: tuple[Pair, ...]
    per_class: tuple[ClassFigures, ...]
    by: str | None
    slices: tuple[Slice, ...]
    failed_gates: tuple[str, ...]

    def figure(self, name: str) -> Figure:
        """Find a figure by its name."""
        return next(figure for figure in self.figures if figure.name == name)

    def to_json(self) -> dict[str, object]:
        """Values that JSON has: nan and infinity, which it has not, become null."""
        plain = asdict(self)
        plain["figures"] = _by_name(self.figures)
        plain["slices"] = [{"name": s.name, "rows": s.rows, "figures": _by_name(s.figures)} for s in self.slices]
        head = {"format": FORMAT, "softmax_cli": __version__, "command": "evaluate"}
        return head | {name: finite_or_null(value) for name, value in plain.items()}


def _by_name(figures: Sequence[Figure]) -> dict[str, object]:
    return {
        f.name: {"title": f.title.strip(), "value": f.value, "interval": f.interval, "note": f.note} for f in figures
    }
