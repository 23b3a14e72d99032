"""A file of delimited lines."""

from __future__ import annotations

import threading
from typing import BinaryIO

import pyarrow as pa

from softmax_cli.batches.table import WriteOptions
from softmax_cli.delimited.weave import RowWriter


class DelimitedWriter:
    """Writes batches as delimited text with a header, which stands in the file as soon as this exists."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, options: WriteOptions) -> None:
        self._file, self._schema, self._options = file, schema, options
        self._own = threading.local()
        self._file.write(self._rows().header())

    def encode(self, batch: pa.RecordBatch) -> bytes | memoryview:
        """Turn a batch into lines; may be called from several threads at once."""
        return self._rows().lines(batch)

    def write(self, payload: bytes | memoryview) -> None:
        """Put down what `encode` made."""
        if len(payload):
            self._file.write(payload)

    def close(self) -> None:
        """Nothing ends a file of lines."""

    def _rows(self) -> RowWriter:
        if not hasattr(self._own, "rows"):
            self._own.rows = RowWriter(self._schema, self._options)
        rows: RowWriter = self._own.rows
        return rows
