"""A stored matrix, and the arrays that belong to it, as a table with one list column of scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.batches.arrays import lists, numbers, strings
from softmax_cli.batches.columns import METADATA_KEY
from softmax_cli.batches.table import Block, ReadOptions, Table
from softmax_cli.binary.batches import decode_batch, rows_per_block
from softmax_cli.matrices.header import ArrayHeader
from softmax_cli.matrices.names import kind_of
from softmax_cli.matrices.rows import row_blocks, scores_of, strided_blocks


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array that has been looked at and not been read yet."""

    name: str
    """What messages call it."""
    header: ArrayHeader
    open: Callable[[], AbstractContextManager[BinaryIO]]
    """Opens its file at the first value."""

    def blocks(self, rows: int, closing: ExitStack) -> Iterator[NDArray[np.generic]]:
        """Read the rows in order; `closing` closes the file."""
        file = closing.enter_context(self.open())
        is_by_class = self.header.fortran_order and len(self.header.shape) > 1
        return (strided_blocks if is_by_class else row_blocks)(file, self.header, rows, self.name)


def matrix_table(
    scores: StoredArray,
    array_name: str,
    column: str,
    beside: dict[str, StoredArray],
    options: ReadOptions,
    table_name: str,
) -> Table:
    """Make a table of a matrix and of 1-D arrays of the same length.

    Parameters
    ----------
    scores : StoredArray
        Shape (rows, classes).
    array_name : str
        What its owner called it, which may tell the kind of the scores.
    column : str
        What to call the list column of scores.
    beside : dict
        Column name to array of shape (rows,).

    Returns
    -------
    Table
        The columns `beside`, then the scores, whose kind the metadata tell where the name of their array does.
    """
    header = scores.header
    score_type = pa.from_numpy_dtype(scores_of(np.empty(0, header.dtype)).dtype)
    fields = [pa.field(name, _companion_type(array.header.dtype)) for name, array in beside.items()]
    fields.append(pa.field(column, pa.list_(score_type, header.shape[1])))
    schema = pa.schema(fields, metadata=_record(array_name, column))
    rows = rows_per_block(schema, options)

    def blocks() -> Iterator[Block]:
        first_row = 0
        with ExitStack() as closing:
            companions = [array.blocks(rows, closing) for array in beside.values()]
            for values, *others in zip(scores.blocks(rows, closing), *companions, strict=True):
                columns = [*map(_companion, others), lists(scores_of(values))]
                yield Block(pa.RecordBatch.from_arrays(columns, schema=schema), first_row=first_row, size=values.nbytes)
                first_row += len(values)

    notes = tuple(f"{name} from {array.name}" for name, array in beside.items())
    return Table(
        table_name,
        schema,
        blocks(),
        lambda block, names: decode_batch(block, names, table_name),
        header.data_bytes,
        notes,
    )


def _record(array: str, column: str) -> dict[bytes, bytes] | None:
    kind = kind_of(array)
    return None if kind is None else {METADATA_KEY: json.dumps({"kind": kind, "scores": [column]}).encode()}


def is_companion(header: ArrayHeader, rows: int) -> bool:
    """Whether an array can be a column beside a matrix of `rows` rows."""
    return header.shape == (rows,) and header.dtype.kind in "fiubUS"


def _companion_type(dtype: np.dtype[np.generic]) -> pa.DataType:
    if dtype.kind in "US":
        return pa.string()
    return pa.float64() if dtype.kind == "f" else pa.int64()


def _companion(values: NDArray[np.generic]) -> pa.Array:
    if values.dtype.kind == "S":
        return strings([cell.decode("utf-8", "backslashreplace") for cell in values.tolist()])
    if values.dtype.kind == "U":
        return strings(values.tolist())
    return numbers(values.astype(np.float64 if values.dtype.kind == "f" else np.int64))
