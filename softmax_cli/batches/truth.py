"""Where the truth of a row comes from: a column of the same table, or another table that is joined by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from softmax_cli.batches.labels import MISSING, ClassLookup, Labels, Reading, distinct


class Truth(Protocol):
    """Gives the class of every row of a batch; stateless, so that several threads share it."""

    @property
    def column(self) -> str:
        """The column of the batch that tells it, or that would have to be looked at where it is missing."""

    @property
    def problem(self) -> str:
        """What is wrong with a row without a truth; reads on from its place."""

    def labels(self, batch: pa.RecordBatch) -> Labels:
        """Return the true classes of a batch."""


@dataclass(frozen=True, slots=True)
class OwnTruth:
    """The truth stands in a column of the table."""

    column: str
    lookup: ClassLookup

    @property
    def problem(self) -> str:
        """An empty cell."""
        return "is empty: there is no truth to compare with"

    def labels(self, batch: pa.RecordBatch) -> Labels:
        """Read it."""
        return self.lookup(batch.column(self.column), self.column)


@dataclass(frozen=True, slots=True)
class JoinedTruth:
    """The truth stands in another table, under the same id."""

    column: str
    """The ids."""
    by_id: Mapping[str, int]
    """Class index of every labelled id."""
    reading: Reading
    file: str

    @property
    def problem(self) -> str:
        """An id that the other table has not."""
        return f"is an id that {self.file} has no truth for"

    def labels(self, batch: pa.RecordBatch) -> Labels:
        """Look the ids up."""
        codes, ids = distinct(batch.column(self.column))
        table = np.array([*(self.by_id.get(one, MISSING) for one in ids), MISSING], np.int64)
        return Labels(table[codes], self.reading)
