"""A writer that keeps the first rows of a result, for a table on the screen."""

from __future__ import annotations

import pyarrow as pa

from softmax_cli.batches.arrays import empty_batch


class FirstRows:
    """Takes every batch and keeps the first rows of all; answers to `formats.Writer`."""

    def __init__(self, schema: pa.Schema, limit: int | None) -> None:
        self._schema = schema
        self._limit = limit
        self._kept: list[pa.RecordBatch] = []
        self._rows = 0

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave a batch as it is."""
        return batch

    def write(self, payload: pa.RecordBatch) -> None:
        """Keep what still fits."""
        left = payload.num_rows if self._limit is None else min(payload.num_rows, self._limit - self._rows)
        if left:
            self._kept.append(payload.slice(0, left))
            self._rows += left

    def close(self) -> None:
        """Nothing ends a screen."""

    def batch(self) -> pa.RecordBatch:
        """Return the kept rows as one batch."""
        table = pa.Table.from_batches(self._kept, self._schema).combine_chunks()
        batches = table.to_batches()
        return batches[0] if batches else empty_batch(self._schema)
