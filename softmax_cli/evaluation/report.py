"""What ``evaluate`` reports, as plain values: the same for a screen, a file and a program."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from softmax_cli.errors import listed
from softmax_cli.evaluation.measure import Limits
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

    def verdict(self) -> list[str]:
        """Say in a few sentences what the figures come to; none where nothing was measured."""
        values = {figure.name: figure.value for figure in self.figures}
        if not self.rows or "mean_confidence" not in values:
            return []
        accuracy, confidence = values["accuracy"], values["mean_confidence"]
        return [f"{accuracy:.1%} right.", self._trust(accuracy, confidence), *self._unused_classes()]

    def _trust(self, accuracy: float, confidence: float) -> str:
        """Compare what the predictions promise with what they keep, beyond what chance explains."""
        gap = confidence - accuracy
        noise = 2 * math.sqrt(max(accuracy * (1 - accuracy), 0.25 / self.rows) / self.rows)
        if abs(gap) <= noise:
            return f"Confidence fits: {confidence:.1%} on average, within chance of that."
        kind = "Over-confident" if gap > 0 else "Under-confident"
        points = f"{abs(100 * gap):.1f} points"
        return f"{kind} by {points} ({confidence:.1%} on average): softmax-cli calibrate mends that on held-out rows."

    def _unused_classes(self) -> list[str]:
        never = [one.name for one in self.per_class if one.support and not one.predicted]
        if not never:
            return []
        verb = "is" if len(never) == 1 else "are"
        return [f"{len(never)} of {self.classes} classes {verb} never predicted: {listed(never, 3)}."]

    def to_json(self) -> dict[str, object]:
        """Plain values, under the names of the fields."""
        plain = {"verdict": self.verdict(), **asdict(self)}
        plain["figures"] = _by_name(self.figures)
        plain["slices"] = [{"name": s.name, "rows": s.rows, "figures": _by_name(s.figures)} for s in self.slices]
        head = {"format": FORMAT, "softmax_cli": __version__, "command": "evaluate"}
        return head | plain


def _by_name(figures: Sequence[Figure]) -> dict[str, object]:
    return {
        f.name: {"title": f.title.strip(), "value": f.value, "interval": f.interval, "note": f.note} for f in figures
    }
