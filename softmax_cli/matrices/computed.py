"""Which columns of a result make up its matrix of scores."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.batches.arrays import floats
from softmax_cli.batches.columns import METADATA_KEY, OUTPUT_NAMES
from softmax_cli.errors import UsageError

LISTING = ("rank", "label_1")
"""Columns of the layouts whose numbers mean nothing without the label beside them."""


def score_matrices(schema: pa.Schema) -> dict[str, list[str]]:
    """Name the columns of each matrix of computed scores: one list column, or one column per class.

    Returns
    -------
    dict
        ``{"prob": ["prob"]}`` or ``{"prob": ["prob_cat", "prob_dog"]}``, in the order of the columns.

    Raises
    ------
    UsageError
        There is none, or the columns are a listing of the best classes.
    """
    computed = [field for field in schema if METADATA_KEY in (field.metadata or {}) and field.name not in OUTPUT_NAMES]
    if listing := [name for name in LISTING if name in schema.names]:
        raise UsageError(
            f"a matrix has no place for the column {listing[0]!r}: leave out --top-k and --layout long, "
            "or choose --format parquet"
        )
    if not computed:
        raise UsageError(
            "a matrix holds the scores of every class: leave out --only-predictions, or choose --format parquet"
        )
    matrices: dict[str, list[str]] = {}
    for field in computed:
        emit = field.name if pa.types.is_fixed_size_list(field.type) else field.name.partition("_")[0]
        matrices.setdefault(emit, []).append(field.name)
    return matrices


def matrix_dtype(schema: pa.Schema, columns: list[str]) -> np.dtype[np.floating]:
    """Dtype of the values in a matrix of scores."""
    kind = schema.field(columns[0]).type
    dtype: np.dtype[np.floating] = np.dtype(
        (kind.value_type if pa.types.is_fixed_size_list(kind) else kind).to_pandas_dtype()
    )
    return dtype


def classes_in(schema: pa.Schema, columns: list[str]) -> int:
    """Width of a matrix of scores."""
    kind = schema.field(columns[0]).type
    return int(kind.list_size) if pa.types.is_fixed_size_list(kind) else len(columns)


def class_names(schema: pa.Schema, columns: list[str]) -> list[str]:
    """Names of the classes, from what the schema records, or else from the columns."""
    recorded = json.loads((schema.metadata or {}).get(METADATA_KEY, b"{}")).get("classes", [])
    if len(recorded) == classes_in(schema, columns):
        return [str(name) for name in recorded]
    if len(columns) == 1:
        return [str(index) for index in range(classes_in(schema, columns))]
    return [name.partition("_")[2] for name in columns]


def matrix_of(batch: pa.RecordBatch, columns: list[str]) -> NDArray[np.floating]:
    """Gather a matrix of scores, shape (rows, classes), in C order; a missing row is ``nan``."""
    dtype = matrix_dtype(batch.schema, columns)
    first = batch.column(columns[0])
    if not pa.types.is_fixed_size_list(first.type):
        matrix = np.empty((batch.num_rows, len(columns)), dtype)
        for index, name in enumerate(columns):
            matrix[:, index] = floats(batch.column(name), dtype)
        return matrix
    size = first.type.list_size
    values = floats(first.values.slice(first.offset * size, len(first) * size), dtype).reshape(len(first), size)
    if first.null_count:
        values = values.copy()
        values[floats(first.is_null().cast(pa.float64()), np.dtype(np.float64)) != 0] = np.nan
    return values
