"""A NumPy matrix: one row per example, one column per class. Labels and ids come from the files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

if TYPE_CHECKING:
    from softmax_cli.formats.npy.writer import NpyWriter
    from softmax_cli.tables.schema import Schema

SUFFIXES = (".npy",)
MAGIC = (b"\x93NUMPY",)
SEEKS = True
BINARY = True
ONE_ARRAY = True


def read(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a .npy matrix."""
    from softmax_cli.formats.npy.reader import open_matrix

    return open_matrix(file, name, options)


def write(file: BinaryIO, schema: Schema, options: WriteOptions) -> NpyWriter:
    """Begin a .npy file with the computed scores."""
    from softmax_cli.formats.npy.writer import NpyWriter

    return NpyWriter(file, schema)
