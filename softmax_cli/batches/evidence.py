"""What findings are drawn from: the figures of a whole table, and words for its rows and classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.columns import Columns
from softmax_cli.batches.profile import Spot
from softmax_cli.numeric.profile.extremes import Extreme
from softmax_cli.numeric.profile.fences import Fences
from softmax_cli.numeric.profile.profile import Profile

Severity = Literal["problem", "warning", "note"]
SCALE_RATIO = 4.0
"""Spread of a class against that of the median class. Real networks of 10 and 214 classes stay between 0.5 and 1.7."""
NAMED = 3
"""Places and classes that a sentence names."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a user should know."""

    code: str
    """Stable name for programs: ``outlier-cells``."""
    severity: Severity
    """problem: results are wrong or missing; warning: probably not what was meant; note: worth knowing."""
    text: str
    """A sentence with figures."""
    places: tuple[str, ...] = ()
    """The first or the worst of them."""
    advice: str = ""
    flag: str = ""
    """What to add to ``softmax-cli predict``."""


@dataclass(frozen=True)
class Evidence:
    """The figures of a table, settled."""

    profile: Profile
    columns: Columns
    dtype: str
    limit: float
    """Robust deviations."""
    spots: dict[int, Spot]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.columns.classes

    @cached_property
    def fences(self) -> Fences:
        """The final fences; those of probabilities are open."""
        return self.profile.fences(self.limit if self.columns.kind == "logits" else np.inf)

    @cached_property
    def outside(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Outliers of each class under and over the fences, shape (classes,) both."""
        return self.profile.values.outside(self.fences.low, self.fences.high)

    @cached_property
    def outliers(self) -> tuple[Extreme, ...]:
        """The kept cells that are outliers after all, the farthest from its class's median first."""
        fences = self.fences
        beyond = [
            one
            for one in self.profile.extremes
            if one.code < fences.low[one.position] or one.code > fences.high[one.position]
        ]
        return tuple(sorted(beyond, key=lambda one: (-abs(self.robust_z(one)), one.row)))

    def robust_z(self, cell: Extreme) -> float:
        """Robust deviations of a cell from the median of its class."""
        return (cell.value - float(self.fences.median[cell.position])) / float(self.fences.scale[cell.position])

    @cached_property
    def relative_spread(self) -> NDArray[np.float64]:
        """Robust spread of each class against that of the median class, shape (classes,); 1 where it has none."""
        spread = self.fences.scale
        known = (spread > 0) & self.judged & ~self.profile.cells.constant
        return np.where(known, spread / np.median(spread[known]), 1.0) if known.any() else np.ones(len(spread))

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Classes that are measured, not made up: of a single score column, the second one; shape (classes,)."""
        mask = np.ones(len(self.classes), np.bool_)
        if self.columns.is_binary:
            mask[0] = False
        return mask

    def spot(self, row: int) -> str:
        """Say where a row stands."""
        return str(self.spots.get(row, f"data row {row + 1:,}"))

    def cells(self, places: Iterable[tuple[int, int]]) -> tuple[str, ...]:
        """Say where cells, or whole rows, stand."""
        return tuple(
            self.spot(row) + (f", class {self.classes[position]}" if position >= 0 else "") for row, position in places
        )

    def names(self, positions: Iterable[int]) -> str:
        """Name the first few classes."""
        told = [self.classes[position] for position in positions]
        more = f" and {len(told) - NAMED:,} more" if len(told) > NAMED else ""
        return ", ".join(told[:NAMED]) + more


def counted(number: int, what: str) -> str:
    """Put a count before its noun: ``1 row``, ``3 classes``."""
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"


def share(part: int, whole: int) -> str:
    """Tell a share in percent."""
    percent = 100 * part / max(whole, 1)
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.0f} %"
