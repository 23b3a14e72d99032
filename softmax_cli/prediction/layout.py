"""How a scored batch is laid out as columns: wide, a listing of the best classes, long, or one list column.

Each layout returns fields with their arrays. A schema is what a layout makes of a batch without rows, so that the two
cannot part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.errors import UsageError
from softmax_cli.prediction.scorer import Emit, Scored
from softmax_cli.tables.arrays import (
    NULL_CODE,
    by_row,
    columns_of,
    labels,
    lists,
    lists_of_names,
    numbers,
    strings,
    take,
)
from softmax_cli.tables.columns import METADATA_KEY

Column = tuple[pa.Field, pa.Array]


class Decision(NamedTuple):
    """When a prediction is given, and when the program abstains."""

    threshold: NDArray[np.float64] | None = None
    """Least confidence per class, shape (classes,); None: always predict."""
    abstain_label: str = ""

    def codes(self, scored: Scored) -> NDArray[np.int32]:
        """Label codes, shape (rows,): a class, the code after the last class to abstain, `NULL_CODE` for a bad row."""
        codes = scored.prediction.copy()
        if self.threshold is not None:
            codes[scored.confidence < self.threshold[scored.prediction]] = len(self.threshold)
        codes[scored.bad] = NULL_CODE
        return codes


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns a scored batch is given out as."""

    shape: str = "wide"
    decision: Decision = field(default_factory=Decision)
    only_predictions: bool = False

    def __post_init__(self) -> None:
        if self.shape not in LAYOUTS:
            raise UsageError(f"--layout {self.shape}: choose one of {', '.join(LAYOUTS)}")

    def __call__(self, kept: pa.RecordBatch, scored: Scored, classes: tuple[str, ...]) -> pa.RecordBatch:
        """Lay out the columns that pass through (`kept`) and the computed ones."""
        if self.only_predictions:
            columns = [*_passed(kept), *self._predictions(scored, classes)]
        else:
            columns = LAYOUTS[self.shape](self, kept, scored, classes)
        fields = [field for field, _ in columns]
        return pa.RecordBatch.from_arrays([array for _, array in columns], schema=pa.schema(fields))

    def _predictions(self, scored: Scored, classes: tuple[str, ...]) -> list[Column]:
        valid = None if not scored.bad.any() else ~scored.bad
        names = strings([*classes, self.decision.abstain_label])
        return [
            _column("prediction", labels(self.decision.codes(scored), names)),
            _number("confidence", "prob", numbers(scored.confidence, valid)),
            *_sets(scored, classes),
        ]


def _wide(layout: Layout, kept: pa.RecordBatch, scored: Scored, classes: tuple[str, ...]) -> list[Column]:
    if scored.top is not None:
        return _listing(layout, kept, scored, classes)
    valid = None if not scored.bad.any() else ~scored.bad
    columns = [*_passed(kept), *layout._predictions(scored, classes)]
    for emit, matrix in scored.values.items():
        columns += zip(_class_fields(emit, classes, str(matrix.dtype)), columns_of(matrix, valid), strict=True)
    return columns


def _sets(scored: Scored, classes: tuple[str, ...]) -> list[Column]:
    """Lay out prediction sets: the names of the classes in the order of the table, and how many there are."""
    if scored.sets is None:
        return []
    good = ~scored.bad
    valid = None if good.all() else good
    members = lists_of_names(scored.sets & good[:, None], strings(classes), valid)
    return [_column("set", members), _column("set_size", numbers(scored.sets.sum(axis=1, dtype=np.int32), valid))]


def _listing(layout: Layout, kept: pa.RecordBatch, scored: Scored, classes: tuple[str, ...]) -> list[Column]:
    """``label_1, prob_1, label_2, ...``: the prediction is label_1, unless a threshold may withhold it."""
    assert scored.top is not None
    valid = None if not scored.bad.any() else ~scored.bad
    names = strings(classes)
    columns = _passed(kept)
    if layout.decision.threshold is not None:
        columns += layout._predictions(scored, classes)
    else:
        columns += _sets(scored, classes)
    for rank in range(scored.top.shape[1]):
        codes = np.where(scored.bad, np.int32(NULL_CODE), scored.top[:, rank])
        columns.append(_column(f"label_{rank + 1}", labels(codes, names)))
        for emit, matrix in scored.values.items():
            columns.append(_number(f"{emit}_{rank + 1}", emit, numbers(matrix[:, rank], valid)))
    return columns


def _long(layout: Layout, kept: pa.RecordBatch, scored: Scored, classes: tuple[str, ...]) -> list[Column]:
    """One row per class, the most probable first; a bad row keeps one row without values."""
    assert scored.top is not None
    rows, k = scored.top.shape
    ranks = np.tile(np.arange(1, k + 1, dtype=np.int32), rows)
    bad = np.repeat(scored.bad, k)
    use = ~bad | (ranks == 1)
    valid = None if not bad.any() else ~bad[use]
    codes = np.where(bad, np.int32(NULL_CODE), scored.top.reshape(-1))[use]
    repeated = take(kept, np.repeat(np.arange(rows), k)[use])
    columns = _passed(repeated)
    columns += [_column("rank", numbers(ranks[use], valid)), _column("label", labels(codes, strings(classes)))]
    for emit, matrix in scored.values.items():
        columns.append(_number(emit, emit, numbers(matrix.reshape(-1)[use], valid)))
    return columns


def _list(layout: Layout, kept: pa.RecordBatch, scored: Scored, classes: tuple[str, ...]) -> list[Column]:
    valid = None if not scored.bad.any() else ~scored.bad
    columns = [*_passed(kept), *layout._predictions(scored, classes)]
    for emit, matrix in scored.values.items():
        columns.append(_number(emit, emit, lists(by_row(matrix), valid)))
    return columns


LAYOUTS: dict[str, Callable[[Layout, pa.RecordBatch, Scored, tuple[str, ...]], list[Column]]] = {
    "wide": _wide,
    "long": _long,
    "list": _list,
}


def _passed(batch: pa.RecordBatch) -> list[Column]:
    """Take columns as they are; a number that an earlier run computed is the user's own now, written unchanged."""
    fields = [field.remove_metadata() if _is_marked(field) else field for field in batch.schema]
    return list(zip(fields, batch.columns, strict=True))


def _is_marked(field: pa.Field) -> bool:
    return METADATA_KEY in (field.metadata or {})


def _column(name: str, array: pa.Array) -> Column:
    return pa.field(name, array.type), array


@lru_cache(8)
def _class_fields(emit: Emit, classes: tuple[str, ...], dtype: str) -> list[pa.Field]:
    none = numbers(np.empty(0, dtype))
    return [_number(f"{emit}_{name}", emit, none)[0] for name in classes]


def _number(name: str, emit: Emit, array: pa.Array) -> Column:
    """Return a computed column, marked so that a text format knows its numbers for probabilities or for any number."""
    mark = b"prob" if emit == "prob" else b"number"
    return pa.field(name, array.type, metadata={METADATA_KEY: mark}), array
