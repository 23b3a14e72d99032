"""Profiles add up in the order of the rows, and the places of rows that may be named at the end are written down."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from softmax_cli.batches.evidence import Evidence
from softmax_cli.batches.profile import spot_of
from softmax_cli.batches.table import Decoded
from softmax_cli.numeric.profile.profile import Profile

_WORST = 20
"""Outliers whose places are known; the report names the worst of them. Finding a place is slow in a text file."""


@dataclass
class Fold:
    """The evidence of the rows so far.

    A place can be found only while the batch is at hand, but which cells are outliers is settled at the end. One that
    the medians of the rows up to its own did not tell is named by the number of its row alone.
    """

    evidence: Evidence
    _worst: set[int] = field(default_factory=set)

    def add(self, decoded: Decoded, profile: Profile) -> None:
        """Add the rows that follow."""
        before = self.evidence.profile.rows
        self.evidence = replace(self.evidence, profile=self.evidence.profile.plus(profile))
        if profile.extremes:
            self._worst = {one.row for one in self.evidence.outliers[:_WORST]}
        total = self.evidence.profile
        bad = {row for row, _ in total.bad.places}
        firsts = (total.missing, total.above, total.masked, total.flat, total.bad)
        wanted = {row for first in firsts for row, _ in first.places} | self._worst
        spots = {row: spot for row, spot in self.evidence.spots.items() if row in wanted}
        for row in sorted(row for row in wanted if row >= before):
            spots[row] = spot_of(decoded, row - before, self.evidence.columns, row in bad)
        self.evidence = replace(self.evidence, spots=spots)
