"""What the functions give back that give figures: small, frozen, shown as tables in a notebook."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """The figures of a command; `report` is all that it tells with ``--json``."""

    report: Mapping[str, Any] = field(repr=False)
    figures: Mapping[str, Any]
    """Value of each figure, by its name."""

    def _repr_html_(self) -> str:
        """Show the figures as a table, in a notebook."""
        return _table(("figure", "value"), _lines(self.figures))


@dataclass(frozen=True)
class CalibrationResult(Result):
    """A calibration, for ``calibration=`` of the other functions, and the figures that speak for it."""

    json: str = field(default="", repr=False)
    """What ``softmax-cli calibrate -o FILE`` writes."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the file that ``softmax-cli predict --calibration`` takes."""
        Path(path).write_text(self.json, "utf-8")


@dataclass(frozen=True)
class ComparisonResult(Result):
    """How alike tables are, and the rows whose prediction changes."""

    flips: Any = field(default=None, repr=False)
    """A DataFrame or an Arrow table: ``id`` or ``row``, the truth if it is known, both predictions and confidences."""


@dataclass(frozen=True)
class InspectionResult(Result):
    """What was found in a table: figures, and findings."""

    findings: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    """Each with its ``code``, ``severity`` (problem, warning or note), ``text``, ``places`` and ``advice``."""

    def _repr_html_(self) -> str:
        """Show the findings below the figures."""
        rows = [(found["severity"], found["text"], found["advice"]) for found in self.findings]
        return super()._repr_html_() + (_table(("finding", "what", "advice"), rows) if rows else "")


def _lines(figures: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and value of each figure; those of a file, or of a class, after its name."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{above}{name} ")
        else:
            yield f"{above}{name}", f"{value:.5g}" if isinstance(value, float) else f"{value}"


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(cells: Iterable[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"

    return f"<table>{line(titles, 'th')}{''.join(line(cells, 'td') for cells in rows)}</table>"
