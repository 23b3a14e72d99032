"""A file of delimited lines."""

from __future__ import annotations

from typing import BinaryIO

from softmax_cli.formats._lines import LineWriter
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import WriteOptions
from softmax_cli.text.formatting import LineFormat, Texts, text_spans, write_rows


class DelimitedWriter:
    """Writes batches as delimited text with a header, which stands in the file as soon as this exists.

    Cells that would be misread are quoted after RFC 4180.
    """

    def __init__(self, file: BinaryIO, schema: Schema, options: WriteOptions) -> None:
        form = LineFormat(options.delimiter, escape_formulas=options.escape_formulas)
        before = [b"", *[options.delimiter.encode()] * (len(schema) - 1)]
        self._file = file
        self._rows = LineWriter(schema, options, form, before, b"\n")
        names = [Texts(mark, *text_spans([name])) for mark, name in zip(before, schema.names, strict=True)]
        self._file.write(write_rows(names, 1, form))

    def encode(self, batch: Batch) -> bytearray:
        """Turn a batch into lines; may be called from several threads at once."""
        return self._rows.lines(batch)

    def write(self, payload: bytearray) -> None:
        """Put down what `encode` made."""
        if payload:
            self._file.write(payload)
            self._file.flush()

    def close(self) -> None:
        """Nothing ends a file of lines."""
