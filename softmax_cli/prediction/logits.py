"""The scores of a batch as one matrix on the log scale, laid out for the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.numeric.softmax import COLUMNAR_CLASSES
from softmax_cli.tables.arrays import floats, matrix_of, validity
from softmax_cli.tables.column_names import Kind
from softmax_cli.tables.columns import Columns

TOLERANCE = 1e-3
"""How far a probability may exceed 1, or a log-probability 0, and still count as rounded."""


def score_dtype(schema: pa.Schema, columns: Columns) -> np.dtype[np.floating]:
    """float32 when every score is float32 or narrower, else float64."""
    kinds = [schema.field(name).type for name in columns.scores]
    values = [part for kind in kinds for part in _number_types(kind)]
    narrow = all(pa.types.is_float32(kind) or pa.types.is_float16(kind) for kind in values)
    return np.dtype(np.float32 if narrow else np.float64)


def _number_types(kind: pa.DataType) -> list[pa.DataType]:
    if pa.types.is_struct(kind):
        return [kind.field(i).type for i in range(kind.num_fields)]
    if pa.types.is_map(kind):
        return [kind.item_type]
    return [kind.value_type if pa.types.is_nested(kind) else kind]


def read_scores(batch: pa.RecordBatch, columns: Columns, dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """Scores as they stand in the file, shape (rows, classes), a fresh array; a missing value is ``nan``.

    The memory runs along the rows where there are many classes, else down the columns.
    """
    order: Literal["C", "F"] = "C" if len(columns.classes) > COLUMNAR_CLASSES else "F"
    if columns.is_list:
        matrix = np.empty((batch.num_rows, len(columns.classes)), dtype, order=order)
        _fill_from_nested(matrix, batch.column(columns.scores[0]), columns)
        return _as_shares(matrix, columns)
    place = {name: i for i, name in enumerate(batch.schema.names)}
    positions = [place[name] for name in columns.scores]
    if columns.is_binary:  # of two classes, the score is that of the second
        positions *= 2
    try:
        return _as_shares(matrix_of(batch, positions, dtype, order), columns)
    except TypeError as error:
        raise DataError(f"{error}; name the class columns with --logits") from None


def _as_shares(scores: NDArray[np.floating], columns: Columns) -> NDArray[np.floating]:
    """Turn percentages into probabilities, in place."""
    return cast("NDArray[np.floating]", np.divide(scores, 100, out=scores)) if columns.percent else scores


def _fill_from_nested(matrix: NDArray[np.floating], array: pa.Array, columns: Columns) -> None:
    if not columns.keys:
        return _fill_from_list(matrix, array, columns)
    if pa.types.is_map(array.type):
        return _fill_from_map(matrix, array, columns)
    for position, key in enumerate(columns.keys):
        at = array.type.get_field_index(key)
        matrix[:, position] = np.nan if at < 0 else floats(array.field(at), matrix.dtype)
    matrix[~validity(array)] = np.nan
    return None


def _fill_from_map(matrix: NDArray[np.floating], array: pa.Array, columns: Columns) -> None:
    """Put the values of maps under their keys; a row that lacks a key, or has another, is ``nan`` throughout."""
    place = {key: position for position, key in enumerate(columns.keys)}
    matrix[...] = np.nan
    for row, pairs in enumerate(array.to_pylist()):
        if pairs is not None and {key for key, _ in pairs} == place.keys():
            for key, value in pairs:
                matrix[row, place[key]] = np.nan if value is None else value


def _fill_from_list(matrix: NDArray[np.floating], array: pa.Array, columns: Columns) -> None:
    rows, classes = matrix.shape
    present = validity(array)
    if pa.types.is_fixed_size_list(array.type):
        # `values` disregards the slice that this array may be of its parent.
        flat = floats(array.values.slice(array.offset * classes, rows * classes), matrix.dtype)
        matrix[...] = flat.reshape(rows, classes)
        matrix[~present] = np.nan
        return
    wide = pa.types.is_large_list(array.type)
    offsets = np.frombuffer(array.buffers()[1], np.int64 if wide else np.int32)[array.offset : array.offset + rows + 1]
    fits = present & (np.diff(offsets) == classes)
    flat = floats(array.values, matrix.dtype)
    matrix[~fits] = np.nan
    for row in np.flatnonzero(fits) if not fits.all() else ():
        matrix[row] = flat[offsets[row] : offsets[row + 1]]
    if fits.all() and rows:
        matrix[...] = flat[offsets[0] : offsets[-1]].reshape(rows, classes)


def to_log_scale_(scores: NDArray[np.floating], columns: Columns) -> NDArray[np.floating]:
    """Turn scores into logits, in place; a value that its kind cannot take becomes ``nan``."""
    if columns.is_binary:
        return _BINARY[columns.kind](scores)
    return _KINDS[columns.kind](scores)


def _logits(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    return scores


def _log_of_probabilities(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    scores[scores > 1 + TOLERANCE] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):  # log 0 is a masked class, log of a negative number a bad row
        return cast("NDArray[np.floating]", np.log(scores, out=scores))


def _log_probabilities(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    scores[scores > TOLERANCE] = np.nan
    return scores


def _binary_logits(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    scores[:, 0] = 0
    return scores


def _binary_probabilities(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    positive = _log_of_probabilities(scores[:, 1].copy())
    with np.errstate(divide="ignore", invalid="ignore"):
        scores[:, 0] = np.log1p(-np.minimum(scores[:, 1], 1))
    scores[:, 1] = positive
    return scores


def _binary_log_probabilities(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    _log_probabilities(scores[:, 1])
    with np.errstate(divide="ignore"):
        scores[:, 0] = np.log(-np.expm1(np.minimum(scores[:, 1], 0)))
    return scores


_Step = Callable[[NDArray[np.floating]], NDArray[np.floating]]
_KINDS: dict[Kind, _Step] = {"logits": _logits, "prob": _log_of_probabilities, "logprob": _log_probabilities}
_BINARY: dict[Kind, _Step] = {
    "logits": _binary_logits,
    "prob": _binary_probabilities,
    "logprob": _binary_log_probabilities,
}


def explain(scores: NDArray[np.floating], kind: Kind) -> tuple[int, str]:
    """Say why one row, shape (classes,), cannot be scored: the position of the culprit and what is wrong with it.

    `scores` is the row as it was read, before `to_log_scale_`.
    """
    checks: list[tuple[NDArray[np.bool_], str]] = [
        (np.isnan(scores), "is missing or not a number"),
        (scores == np.inf, "is infinite: no probability follows from it"),
    ]
    if kind == "prob":
        checks.append(((scores < 0) | (scores > 1 + TOLERANCE), "is not a probability (--input prob)"))
    if kind == "logprob":
        checks.append((scores > TOLERANCE, "is not a log-probability: it is above 0 (--input logprob)"))
    for wrong, problem in checks:
        if wrong.any():
            return int(wrong.argmax()), problem
    return 0, "and every other class of the row is masked (-inf, or probability 0): nothing is left to choose from"


def look_like_probabilities(scores: NDArray[np.floating]) -> bool:
    """Whether every row lies in [0, 1] and sums to 1 within 1e-3: then a softmax would be the second one."""
    if not len(scores):
        return True
    # Most tables fail on their first row, which costs nothing to look at.
    return _sums_to_one(scores[:1]) and _sums_to_one(scores)


def _sums_to_one(scores: NDArray[np.floating]) -> bool:
    if not (scores.min() >= 0 and scores.max() <= 1):
        return False
    return bool((np.abs(scores.sum(axis=1) - 1) <= TOLERANCE).all())


def check_width(schema: pa.Schema, columns: Columns) -> None:
    """Refuse a fixed-size list column whose length is not the number of classes."""
    kind = schema.field(columns.scores[0]).type
    if columns.is_list and pa.types.is_fixed_size_list(kind) and kind.list_size != len(columns.classes):
        raise DataError(
            f"column {columns.scores[0]!r} holds lists of {kind.list_size} numbers, "
            f"and there are names for {len(columns.classes)} classes"
        )
