"""A .npy file, opened: its matrix, and the arrays of labels and ids in the files beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from softmax_cli.errors import DataError
from softmax_cli.formats.npy.reader import (
    StoredArray,
    check_matrix,
    check_size,
    companions,
    holds_labels,
    is_companion,
    kind_of,
    matrix_table,
    read_header,
    vector_table,
)
from softmax_cli.storage.reading import is_file, open_bytes
from softmax_cli.tables.table import ReadOptions, Table

SUFFIX = ".npy"


def open_matrix(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a .npy matrix.

    Raises
    ------
    DataError
        It is no matrix of numbers, is cut short, or its header does not fit the file.
    """
    header = read_header(file, name)
    is_vector = options.single_values and holds_labels(header)
    if not is_vector:
        check_matrix(header, name)
    size = file.seek(0, 2)
    check_size(header, size - header.offset, name)

    @contextmanager
    def at_first_value() -> Iterator[BinaryIO]:
        file.seek(header.offset)
        yield file

    stem = os.path.basename(name).removesuffix(SUFFIX)
    scores = StoredArray(name, header, at_first_value)
    if is_vector:
        return vector_table(scores, stem, options, name)
    beside, notes = _siblings(name, stem, header.shape[0]) if name.endswith(SUFFIX) else ({}, ())
    table = matrix_table(scores, stem, kind_of(stem) or "logits", beside, options, name)
    return table._replace(size=size, notes=(*table.notes, *notes))


def _siblings(path: str, stem: str, rows: int) -> tuple[dict[str, StoredArray], tuple[str, ...]]:
    """Find the arrays of labels and ids beside a matrix, and say which of them do not fit."""
    beside: dict[str, StoredArray] = {}
    notes: list[str] = []
    for column, names in companions(stem).items():
        there = (os.path.join(os.path.dirname(path), name + SUFFIX) for name in names)
        sibling = next((candidate for candidate in there if is_file(candidate)), None)
        if sibling is None:
            continue
        array, problem = _look_at(sibling, rows)
        if array is None:
            notes.append(f"{sibling} was not taken for the column {column!r}: {problem}")
        else:
            beside[column] = array
    return beside, tuple(notes)


def _look_at(path: str, rows: int) -> tuple[StoredArray | None, str]:
    try:
        with open_bytes(path) as file:
            header = read_header(file, path)
            check_size(header, file.seek(0, os.SEEK_END) - header.offset, path)
    except (DataError, OSError) as error:
        return None, str(error)
    if not is_companion(header, rows):
        return None, f"it holds {header.dtype.name} of shape {header.shape}, where {rows:,} labels or ids were expected"

    @contextmanager
    def at_first_value() -> Iterator[BinaryIO]:
        with open_bytes(path) as file:
            file.seek(header.offset)
            yield file

    return StoredArray(path, header, at_first_value), ""
