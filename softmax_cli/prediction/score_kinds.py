"""The kinds of scores: logits, probabilities or percentages, read as one matrix and brought to the log scale."""

from collections.abc import Callable
from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, counted
from softmax_cli.numeric.softmax import COLUMNAR_CLASSES, SUM_TOLERANCE, sums_to
from softmax_cli.tables.batch import Batch, Column, ListColumn, floats, matrix_of
from softmax_cli.tables.column_names import Kind
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.schema import (
    DataType,
    Schema,
    is_fixed_size_list,
    is_large_list,
    is_map,
    is_narrow,
    is_nested,
    is_struct,
)

TOLERANCE = SUM_TOLERANCE
"""How far a probability may exceed 1, or a log-probability 0, and still count as rounded."""


def score_dtype(schema: Schema, columns: Columns) -> np.dtype[np.floating]:
    """float32 when every score is float32 or narrower, else float64."""
    kinds = [schema.field(name).type for name in columns.scores]
    values = [part for kind in kinds for part in _number_types(kind)]
    return np.dtype(np.float32 if all(map(is_narrow, values)) else np.float64)


def _number_types(kind: DataType) -> list[DataType]:
    if is_struct(kind):
        return [kind.field(i).type for i in range(kind.num_fields)]
    if is_map(kind):
        return [kind.item_type]
    return [kind.value_type if is_nested(kind) else kind]


def read_scores(batch: Batch, columns: Columns, dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """Scores as they stand in the file, shape (rows, classes), a fresh array; a missing value is ``nan``.

    The memory runs along the rows where there are many classes, else down the columns.
    """
    order: Literal["C", "F"] = "C" if len(columns.classes) > COLUMNAR_CLASSES else "F"
    if columns.is_list:
        matrix = np.empty((batch.num_rows, len(columns.classes)), dtype, order=order)
        _fill_from_nested(matrix, batch.column(columns.scores[0]), columns)
        return _as_shares(matrix, columns)
    names = columns.scores * 2 if columns.is_binary else columns.scores  # of two classes, it is that of the second
    try:
        return _as_shares(matrix_of(batch, names, dtype, order), columns)
    except TypeError as error:
        raise DataError(f"{error}; name the class columns with --logits") from None


def _as_shares(scores: NDArray[np.floating], columns: Columns) -> NDArray[np.floating]:
    """Turn percentages into probabilities, in place."""
    return cast("NDArray[np.floating]", np.divide(scores, 100, out=scores)) if columns.percent else scores


def _fill_from_nested(matrix: NDArray[np.floating], array: Column, columns: Columns) -> None:
    if isinstance(array, ListColumn) and array.keys == columns.keys:
        matrix[...] = array.matrix
        return None
    if isinstance(array, ListColumn):
        for position, key in enumerate(columns.keys):
            matrix[:, position] = array.matrix[:, array.keys.index(key)] if key in array.keys else np.nan
        return None
    from softmax_cli.tables.arrays import validity

    if not columns.keys:
        return _fill_from_list(matrix, array, validity(array))
    if is_map(array.type):
        return _fill_from_map(matrix, array, columns)
    for position, key in enumerate(columns.keys):
        at = array.type.get_field_index(key)
        matrix[:, position] = np.nan if at < 0 else floats(array.field(at), matrix.dtype)
    matrix[~validity(array)] = np.nan
    return None


def _fill_from_map(matrix: NDArray[np.floating], array: Column, columns: Columns) -> None:
    """Put the values of maps under their keys; a row that lacks a key, or has another, is ``nan`` throughout."""
    place = {key: position for position, key in enumerate(columns.keys)}
    matrix[...] = np.nan
    for row, pairs in enumerate(array.to_pylist()):
        if pairs is not None and {key for key, _ in pairs} == place.keys():
            for key, value in pairs:
                matrix[row, place[key]] = np.nan if value is None else value


def _fill_from_list(matrix: NDArray[np.floating], array: Column, present: NDArray[np.bool_]) -> None:
    rows, classes = matrix.shape
    if is_fixed_size_list(array.type):
        # `values` disregards the slice that this array may be of its parent.
        flat = floats(array.values.slice(array.offset * classes, rows * classes), matrix.dtype)
        matrix[...] = flat.reshape(rows, classes)
        matrix[~present] = np.nan
        return
    wide = is_large_list(array.type)
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


class KindCheck(NamedTuple):
    """How many rows look like another kind than they are read as; those of consecutive runs add up, with `plus`."""

    rows: int = 0
    like_probabilities: int = 0
    """Rows taken as logits that lie in [0, 1] and sum to 1; of a single column those in [0, 1]."""
    like_percentages: int = 0
    """Rows taken as logits that lie in [0, 100] and sum to 100."""
    unnormalised: int = 0
    """Rows taken as probabilities that do not sum to 1."""

    @classmethod
    def of(cls, scores: NDArray[np.floating], columns: Columns) -> "KindCheck":
        """Look at the scores of a batch as they were read, shape (rows, classes)."""
        if columns.is_binary:
            values = scores[:, 1]
            like = int(((values >= 0) & (values <= 1)).sum()) if columns.kind_is_assumed else 0
            return cls(len(scores), like)
        if columns.kind_is_assumed:
            like = int(sums_to(scores).sum())
            return cls(len(scores), like, 0 if like else int(sums_to(scores, 100.0).sum()))
        if columns.kind == "prob":
            with np.errstate(invalid="ignore", over="ignore"):
                sums = scores.sum(axis=1)
                off = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
                off = off[(sums[off] > 0) & (scores[off] >= 0).all(axis=1)]
            return cls(len(scores), 0, 0, len(off) - int(sums_to(scores[off]).sum()))
        return cls(len(scores))

    def plus(self, other: "KindCheck") -> "KindCheck":
        """Add the rows that follow."""
        return KindCheck(*map(sum, zip(self, other, strict=True)))

    def warning(self, columns: Columns) -> str | None:
        """What contradicts the kind of the scores; None: nothing does."""
        if self.unnormalised and 2 * self.unnormalised >= self.rows > 1:
            return (
                f"{self.unnormalised:,} of {self.rows:,} rows do not sum to 1 and were normalised: are these columns "
                "the probabilities of all classes of one model? If not, name them with --logits"
            )
        if columns.is_binary:
            if not 0 < self.rows == self.like_probabilities:
                return None
            return (
                f"every value of {columns.scores[0]!r} lies in [0, 1], as probabilities do, but was read as a logit; "
                "if it is a probability, say --input prob (if it is a logit, --input logits)"
            )
        for alike, range_, flag in ((self.like_probabilities, 1, "prob"), (self.like_percentages, 100, "percent")):
            if alike and 2 * alike >= self.rows:
                which = "all rows" if alike == self.rows else f"{alike:,} of {self.rows:,} rows"
                return (
                    f"the values of {which} lie in [0, {range_}] and sum to {range_}, as probabilities do, but were "
                    "read as logits: a softmax of probabilities is far too flat; if they are probabilities, say "
                    f"--input {flag} (if they are logits, --input logits)"
                )
        return None

    @property
    def note(self) -> str | None:
        """What was done to rows of probabilities that do not sum to 1; None: there are none."""
        if not self.unnormalised:
            return None
        rows = counted(self.unnormalised, "row")
        return f"{rows} of {self.rows:,} did not sum to 1 and {'was' if self.unnormalised == 1 else 'were'} normalised"


def check_width(schema: Schema, columns: Columns) -> None:
    """Refuse a fixed-size list column whose length is not the number of classes."""
    kind = schema.field(columns.scores[0]).type
    if columns.is_list and is_fixed_size_list(kind) and kind.list_size != len(columns.classes):
        raise DataError(
            f"column {columns.scores[0]!r} holds lists of {kind.list_size} numbers, "
            f"and there are names for {len(columns.classes)} classes"
        )
