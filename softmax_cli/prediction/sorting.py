"""The rows of a result in the order of a figure; of the first N, memory holds a few times N."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.prediction.scorer import Scored
from softmax_cli.tables.batch import Batch

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1 << 14
_SLACK = 1 << 16
"""So many rows are gathered, beyond those that are wanted, before the others are let go."""


class Order(NamedTuple):
    """What rows are sorted by."""

    figure: str
    """``confidence``, or a name in `added.FIGURES`."""
    falls: bool

    def keys(self, scored: Scored) -> NDArray[np.floating]:
        """Numbers that stand in the order of the rows, the least first, shape (rows,); nan comes last."""
        values = scored.confidence if self.figure == "confidence" else scored.figures[self.figure]
        values = np.where(scored.bad, values.dtype.type(np.nan), values)
        return -values if self.falls else values


class Sorter:
    """Takes batches with the keys of their rows, and gives out the rows from the least key to the largest.

    Rows of equal keys stay in their order; rows whose key is nan come last.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._batches: list[pa.RecordBatch] = []
        self._keys: list[NDArray[np.floating]] = []
        self._held = 0

    def add(self, batch: Batch, keys: NDArray[np.floating]) -> None:
        """Take some more rows."""
        from softmax_cli.tables.arrays import to_arrow

        self._batches.append(to_arrow(batch))
        self._keys.append(keys)
        self._held += len(keys)
        if self._most is not None and self._held > 2 * self._most + _SLACK:
            self._sort()

    def _sort(self) -> None:
        import pyarrow as pa

        keys = np.concatenate(self._keys)
        order = np.argsort(keys, kind="stable")[: self._most]
        table = pa.Table.from_batches(self._batches).unify_dictionaries().combine_chunks()
        self._batches = table.take(pa.array(order)).combine_chunks().to_batches()
        self._keys, self._held = [keys[order]], len(order)

    def batches(self) -> Iterator[Batch]:
        """Give out the rows that come first."""
        from softmax_cli.tables.arrays import from_arrow

        if self._batches:
            self._sort()
        for batch in self._batches:
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                yield from_arrow(batch.slice(start, _BATCH_ROWS))
