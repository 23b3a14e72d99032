"""An archive of NumPy arrays: one matrix of scores, and 1-D arrays of labels and ids under matching names."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats.npy.writer import NpzWriter
    from softmax_cli.tables.schema import Schema

SUFFIXES = (".npz",)
MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
SEEKS = True
BINARY = True
ONE_ARRAY = True


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open an archive."""
    from softmax_cli.formats.npy.reader import open_archive

    return open_archive(file, name, options)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> NpzWriter:
    """Begin an archive with the computed scores and every other column."""
    from softmax_cli.formats.npy.writer import NpzWriter

    return NpzWriter(file, schema)
