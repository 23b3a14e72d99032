"""A file of delimited lines."""

from __future__ import annotations

from typing import BinaryIO

from softmax_cli.formats._lines import LineWriter
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import WriteOptions
from softmax_cli.text.formatting import LineFormat, Texts, text_spans, write_rows


class DelimitedWriter(LineWriter):
    """Writes batches as delimited text with a header, which stands in the file as soon as this exists.

    Cells that would be misread are quoted after RFC 4180.
    """

    def __init__(self, file: BinaryIO, schema: Schema, options: WriteOptions) -> None:
        form = LineFormat(options.delimiter, escape_formulas=options.escape_formulas)
        before = [b"", *[options.delimiter.encode()] * (len(schema) - 1)]
        super().__init__(file, schema, options, form, before, b"\n")
        names = [Texts(mark, *text_spans([name])) for mark, name in zip(before, schema.names, strict=True)]
        file.write(write_rows(names, 1, form))
