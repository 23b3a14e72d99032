"""A table written into an open file: its format, and the compression around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa

from softmax_cli.batches.table import WriteOptions
from softmax_cli.compression import Compression
from softmax_cli.formats import Format, Writer


@contextmanager
def table_writer(
    file: BinaryIO, form: Format, compression: Compression | None, schema: pa.Schema, options: WriteOptions
) -> Iterator[Writer]:
    """Give a writer for batches of `schema`; the table has its end when the block ends, and `file` stays open."""
    packed = file if compression is None else compression.write(file)
    writer = form.write(packed, schema, options)
    yield writer
    writer.close()
    if packed is not file:
        packed.close()
