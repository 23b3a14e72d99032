"""Which classes of a row are shown, and how their numbers are put down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from softmax_cli.display.glyphs import Glyphs
from softmax_cli.display.text import visible

_SHOWN = 10
"""More classes than this are shown by rank, the best ones only."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a row, and those of them that are shown."""

    every: tuple[str, ...]
    shown: list[int]

    @classmethod
    def of(cls, names: tuple[str, ...], ranking: list[int], marks: Glyphs) -> Classes:
        """Show all of a few classes in their order, else the best."""
        told = tuple(visible(name, marks.encoding) for name in names)
        return cls(told, list(range(len(names))) if len(names) <= _SHOWN else ranking[: _SHOWN - 2])

    @property
    def names(self) -> list[str]:
        """Names of the shown classes, as visible text."""
        return [self.every[i] for i in self.shown]

    @property
    def hidden(self) -> list[int]:
        """Positions of the classes that are not shown."""
        shown = set(self.shown)
        return [i for i in range(len(self.every)) if i not in shown]

    def name(self, position: int) -> str:
        """Name of one class, as visible text."""
        return self.every[position]

    def pick(self, values: Sequence[float]) -> list[float]:
        """Values of the shown classes."""
        return [values[i] for i in self.shown]


def numbers(values: Sequence[float]) -> list[str]:
    """A column of numbers: whole ones throughout, or four decimals throughout."""
    if all(not math.isfinite(value) or (value == int(value) and abs(value) < 1e5) for value in values):
        return [number(value) for value in values]
    return [f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else number(value) for value in values]


def number(value: float) -> str:
    """Four decimals where they say something, else a power of ten; a whole number stays one."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e5:
        return str(int(value))
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 else f"{value:.2e}"
