"""What findings are drawn from: the figures of a run of rows, and words for its rows and classes.

The places of rows can be found only while the rows are at hand, but what is said of them is decided at the end. So a
few rows are decided on beforehand, by a rule that has the same outcome wherever the table was cut: `wanted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, listed
from softmax_cli.numeric.profile.outliers import Extreme, Fences
from softmax_cli.numeric.profile.profile import Profile, Ruler, make_ruler
from softmax_cli.prediction.bad_rows import rejects
from softmax_cli.prediction.score_kinds import read_scores, to_log_scale_
from softmax_cli.tables.batch import texts
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import MISSING, LabelReading, Truth
from softmax_cli.tables.table import Decoded

HEAD_ROWS = 1000
"""The first rows, which decide the bins: always the same rows, however the table is cut into blocks."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a row stands, for a reader."""

    where: str
    id: str | None = None
    problem: str = ""
    """Why a bad row is bad."""

    def __str__(self) -> str:
        return self.where if self.id is None else f"{self.where} ({self.id})"


@dataclass(frozen=True, slots=True)
class Scores:
    """The matrices of one batch, shape (rows, classes)."""

    raw: NDArray[np.floating]
    """As they stand in the file, ``nan`` for what is missing."""
    z: NDArray[np.floating]
    """As logits; the same array where the file has logits. A row that its reader found fault with is ``nan``."""


def scores_of(decoded: Decoded, columns: Columns, dtype: str) -> Scores:
    """Read the scores of a batch; no row is refused."""
    raw = read_scores(decoded.batch, columns, np.dtype(dtype))
    plain = columns.kind == "logits" and not columns.is_binary
    z = raw if plain and not decoded.faults else to_log_scale_(raw.copy(order="K"), columns)
    if columns.is_binary:
        with np.errstate(under="ignore"):
            raw = np.exp(z) if columns.kind == "prob" else z
    for fault in decoded.faults:
        z[fault.row] = np.nan
    return Scores(raw, z)


_KEPT = 3
"""Truths of each kind whose places are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class TruthCounts:
    """Truths of a run of rows; those of consecutive runs add up exactly, with `plus`."""

    classes: NDArray[np.int64]
    """Rows of each class, shape (classes,)."""
    missing: int = 0
    unknown: int = 0
    """Rows whose truth is no class."""
    first_missing: tuple[str, ...] = ()
    first_unknown: tuple[str, ...] = ()
    """Where the first of them stand, and what is wrong with them."""
    reading: LabelReading = field(default_factory=LabelReading)
    problem: str = ""
    """Why the truths cannot be read as one column; empty where they can."""

    @classmethod
    def of(cls, truth: Truth, decoded: Decoded, classes: int) -> Self:
        """Count the truths of one batch; none is refused."""
        try:
            found = truth.labels(decoded.batch)
        except DataError as error:
            return cls(np.zeros(classes, np.int64), problem=str(error))
        counts = np.bincount(found.indices[found.indices >= 0], minlength=classes).astype(np.int64)
        without = found.without
        missing = without[found.indices[without] == MISSING]
        unknown = without[found.indices[without] != MISSING]

        def places(rows: NDArray[np.intp]) -> tuple[str, ...]:
            spots = [(row, decoded.place(row, truth.column)) for row in rows[:_KEPT].tolist()]
            return tuple(f"{spot.where}: {spot.found!r} {found.problem(row)}" for row, spot in spots)

        return cls(counts, len(missing), len(unknown), places(missing), places(unknown), found.reading)

    def plus(self, other: Self) -> Self:
        """Add the truths of the rows that follow."""
        problem = self.problem or other.problem
        try:
            reading = self.reading.plus(other.reading)
        except DataError as error:
            reading, problem = self.reading, problem or str(error)
        return type(self)(
            self.classes + other.classes,
            self.missing + other.missing,
            self.unknown + other.unknown,
            (self.first_missing + other.first_missing)[:_KEPT],
            (self.first_unknown + other.first_unknown)[:_KEPT],
            reading,
            problem,
        )

    @property
    def trouble(self) -> str:
        """Why the truths cannot be read as one column, once all rows are counted; empty where they can."""
        try:
            self.reading.check(len(self.classes))
        except DataError as error:
            return self.problem or str(error)
        return self.problem


@dataclass(frozen=True, slots=True)
class Inspector:
    """Measures batches; stateless and picklable, so that threads and engines share it."""

    columns: Columns
    dtype: str
    limit: float
    """Robust deviations beyond which a logit is an outlier."""
    ruler: Ruler
    truth: Truth | None = None
    """Where the true classes come from; None: nowhere."""

    def count_truths(self, decoded: Decoded) -> TruthCounts | None:
        """Count the truths of one batch; None where there are none."""
        return None if self.truth is None else TruthCounts.of(self.truth, decoded, len(self.columns.classes))

    def __call__(self, decoded: Decoded) -> Profile:
        """Measure one batch."""
        scores = scores_of(decoded, self.columns, self.dtype)
        return Profile.of(self.ruler, scores.z, scores.raw)


def make_inspector(
    head: Sequence[Decoded], columns: Columns, dtype: str, limit: float, truth: Truth | None = None
) -> Inspector:
    """Decide what to measure with on the first rows of a table.

    Parameters
    ----------
    head : sequence of Decoded
        Batches that together have the first `HEAD_ROWS` rows, or all there are.
    limit : float
        Robust deviations beyond which a logit is an outlier; probabilities are not measured by it.
    """
    parts = [scores_of(decoded, columns, dtype).raw for decoded in head]
    rows = np.concatenate([np.zeros((0, len(columns.classes)), np.dtype(dtype)), *parts])[:HEAD_ROWS]
    return Inspector(columns, dtype, limit, make_ruler(rows, limit if columns.kind == "logits" else np.inf), truth)


def spot_of(decoded: Decoded, row: int, columns: Columns, is_bad: bool) -> Spot:
    """Say where a row of a batch stands in the input."""
    name = None if columns.id is None else str(texts(decoded.batch.slice(row, 1).column(columns.id))[0])
    if is_bad:
        marked = np.zeros(decoded.batch.num_rows, np.bool_)
        marked[row] = True
        (reject,) = rejects(decoded, marked, columns)
        return Spot(reject.where, name, str(reject))
    return Spot(decoded.place(row, None).where, name)


Severity = Literal["problem", "warning", "note"]
SCALE_RATIO = 4.0
"""Spread of a class against that of the median class. Real networks of 10 and 214 classes stay between 0.5 and 1.7."""
NAMED = 3
"""Places and classes that a sentence names."""
_WORST = 20
"""Outliers whose places are known; the report names the worst of them. Finding a place is slow in a text file."""


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
    """The figures of a run of rows; those of consecutive runs add up exactly, with `plus`."""

    profile: Profile
    columns: Columns
    dtype: str
    limit: float
    """Robust deviations."""
    ruler: Ruler
    """What the whole table is measured with."""
    spots: dict[int, Spot]
    """Where the wanted rows stand."""
    truths: TruthCounts | None = None
    """None where there are no truths."""

    @classmethod
    def none(cls, inspector: Inspector) -> Self:
        """Return the evidence of no row, where that of what an inspector looks at begins."""
        columns, dtype, ruler = inspector.columns, inspector.dtype, inspector.ruler
        empty = np.empty((0, len(columns.classes)), np.dtype(dtype))
        return cls(Profile.of(ruler, empty, empty), columns, dtype, inspector.limit, ruler, {})

    def with_batch(self, decoded: Decoded, profile: Profile, truths: TruthCounts | None = None) -> Self:
        """Add the rows of one batch, which follow, by what an inspector has found in them."""
        bad = {row for row, _ in profile.bad.places}
        return self._followed_by(profile, truths, lambda row: spot_of(decoded, row, self.columns, row in bad))

    def plus(self, other: Self) -> Self:
        """Add the evidence of the rows that follow."""
        return self._followed_by(other.profile, other.truths, lambda row: other.spots[row])

    def _followed_by(self, profile: Profile, truths: TruthCounts | None, spot: Callable[[int], Spot]) -> Self:
        """Add the figures of the rows that follow; `spot` is asked where those of them stand that are wanted now."""
        before = self.profile.rows
        both = truths if self.truths is None or truths is None else self.truths.plus(truths)
        total = replace(self, profile=self.profile.plus(profile), truths=both or self.truths, spots={})
        spots = {row: self.spots[row] if row < before else spot(row - before) for row in sorted(total.wanted)}
        return replace(total, spots=spots)

    @property
    def wanted(self) -> set[int]:
        """Rows whose places are written down: the first finds of every kind, and the worst cells.

        Which cells are outliers is known at the end only. Wanted are those beyond the fences of the first rows, and of
        these the farthest from the middle of the first rows. Another outlier is named by the number of its row alone.
        """
        one = self.profile
        firsts = (one.missing, one.above, one.masked, one.flat, one.bad)
        worst = sorted(self._beyond(self.ruler.fences), key=lambda cell: cell.rank)[:_WORST]
        return {row for first in firsts for row, _ in first.places} | {cell.row for cell in worst}

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
        return tuple(sorted(self._beyond(self.fences), key=lambda one: (-abs(self.robust_z(one)), one.row)))

    def _beyond(self, fences: Fences) -> list[Extreme]:
        return [
            one
            for one in self.profile.extremes
            if one.code < fences.low[one.position] or one.code > fences.high[one.position]
        ]

    def robust_z(self, cell: Extreme) -> float:
        """Robust deviations of a cell from the median of its class."""
        return (cell.value - float(self.fences.median[cell.position])) / float(self.fences.scale[cell.position])

    @cached_property
    def relative_spread(self) -> NDArray[np.float64]:
        """Robust spread of each class against that of the median class, shape (classes,); 1 where it has none."""
        spread = self.fences.scale
        known = (spread > 0) & self.scored_classes & ~self.profile.cells.constant
        return np.where(known, spread / np.median(spread[known]), 1.0) if known.any() else np.ones(len(spread))

    @property
    def scored_classes(self) -> NDArray[np.bool_]:
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
        return listed([self.classes[position] for position in positions], NAMED)


def share(part: int, whole: int) -> str:
    """Spell a share in percent."""
    percent = 100 * part / max(whole, 1)
    return f"{percent:.2g} %" if percent < 10 else f"{percent:.0f} %"
