"""How a scored batch is laid out as columns: wide, a listing of the best classes, long, or one list column.

Each layout returns fields with their columns. A schema is what a layout makes of a batch without rows, so that the two
cannot part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import UsageError
from softmax_cli.prediction.scorer import Emit, Scored
from softmax_cli.tables.batch import Batch, Column, ListColumn, NameColumn, NameListColumn, NumberColumn, Own
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import Field, Schema
from softmax_cli.text.parsing import MISSING

Laid = tuple[Field, Column]


class Decision(NamedTuple):
    """When a prediction is given, and when the program abstains."""

    threshold: NDArray[np.float64] | None = None
    """Least confidence per class, shape (classes,); None: always predict."""
    abstain_label: str = ""

    def codes(self, scored: Scored) -> NDArray[np.int32]:
        """Label codes, shape (rows,): a class, the code after the last class to abstain, `MISSING` for a bad row."""
        codes = scored.prediction.copy()
        if self.threshold is not None:
            codes[scored.confidence < self.threshold[scored.prediction]] = len(self.threshold)
        codes[scored.bad] = MISSING
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

    def __call__(self, kept: Batch, scored: Scored, classes: tuple[str, ...]) -> Batch:
        """Lay out the columns that pass through (`kept`) and the computed ones."""
        if self.only_predictions:
            return _batch([*_passed(kept), *self._predictions(scored, classes)], len(scored.bad))
        return LAYOUTS[self.shape](self, kept, scored, classes)

    def _predictions(self, scored: Scored, classes: tuple[str, ...]) -> list[Laid]:
        names = NameColumn(self.decision.codes(scored), (*classes, self.decision.abstain_label))
        confidence = NumberColumn(scored.confidence[:, None], valid=_valid(scored))
        return [_laid("prediction", names), _number("confidence", "prob", confidence), *_sets(scored, classes)]


def _wide(layout: Layout, kept: Batch, scored: Scored, classes: tuple[str, ...]) -> Batch:
    if scored.top is not None:
        return _listing(layout, kept, scored, classes)
    valid = _valid(scored)
    columns = [*_passed(kept), *layout._predictions(scored, classes)]
    for emit, matrix in scored.values.items():
        of_classes = (NumberColumn(matrix, place, valid) for place in range(len(classes)))
        columns += zip(_class_fields(emit, classes, str(matrix.dtype)), of_classes, strict=True)
    return _batch(columns, len(scored.bad))


def _sets(scored: Scored, classes: tuple[str, ...]) -> list[Laid]:
    """Lay out prediction sets: the names of the classes in the order of the table, and how many there are."""
    if scored.sets is None:
        return []
    valid = _valid(scored)
    members = NameListColumn(scored.sets & ~scored.bad[:, None], classes, valid)
    sizes = NumberColumn(scored.sets.sum(axis=1, dtype=np.int32)[:, None], valid=valid)
    return [_laid("set", members), _laid("set_size", sizes)]


def _listing(layout: Layout, kept: Batch, scored: Scored, classes: tuple[str, ...]) -> Batch:
    """``label_1, prob_1, label_2, ...``: the prediction is label_1, unless a threshold may withhold it."""
    assert scored.top is not None
    valid = _valid(scored)
    columns = _passed(kept)
    if layout.decision.threshold is not None:
        columns += layout._predictions(scored, classes)
    else:
        columns += _sets(scored, classes)
    for rank in range(scored.top.shape[1]):
        codes = np.where(scored.bad, np.int32(MISSING), scored.top[:, rank])
        columns.append(_laid(f"label_{rank + 1}", NameColumn(codes, classes)))
        for emit, matrix in scored.values.items():
            columns.append(_number(f"{emit}_{rank + 1}", emit, NumberColumn(matrix, rank, valid)))
    return _batch(columns, len(scored.bad))


def _long(layout: Layout, kept: Batch, scored: Scored, classes: tuple[str, ...]) -> Batch:
    """One row per class, the most probable first; a bad row keeps one row without values."""
    assert scored.top is not None
    rows, k = scored.top.shape
    ranks = np.tile(np.arange(1, k + 1, dtype=np.int32), rows)
    bad = np.repeat(scored.bad, k)
    use = ~bad | (ranks == 1)
    valid = None if not bad.any() else ~bad[use]
    codes = np.where(bad, np.int32(MISSING), scored.top.reshape(-1))[use]
    columns = _passed(kept.take(np.repeat(np.arange(rows), k)[use]))
    columns += [
        _laid("rank", NumberColumn(ranks[use][:, None], valid=valid)),
        _laid("label", NameColumn(codes, classes)),
    ]
    for emit, matrix in scored.values.items():
        columns.append(_number(emit, emit, NumberColumn(matrix.reshape(-1)[use][:, None], valid=valid)))
    return _batch(columns, len(codes))


def _list(layout: Layout, kept: Batch, scored: Scored, classes: tuple[str, ...]) -> Batch:
    columns = [*_passed(kept), *layout._predictions(scored, classes)]
    for emit, matrix in scored.values.items():
        columns.append(_number(emit, emit, ListColumn(matrix, _valid(scored))))
    return _batch(columns, len(scored.bad))


LAYOUTS: dict[str, Callable[[Layout, Batch, Scored, tuple[str, ...]], Batch]] = {
    "wide": _wide,
    "long": _long,
    "list": _list,
}


def _batch(columns: Sequence[Laid], rows: int) -> Batch:
    return Batch(Schema(field for field, _ in columns), [column for _, column in columns], rows)


def _valid(scored: Scored) -> NDArray[np.bool_] | None:
    return ~scored.bad if scored.bad.any() else None


def _passed(batch: Batch) -> list[Laid]:
    """Take columns as they are; a number that an earlier run computed is the user's own now, written unchanged."""
    fields = [field._replace(metadata=None) if _is_marked(field) else field for field in batch.schema]
    return list(zip(fields, batch.columns, strict=True))


def _is_marked(field: Field) -> bool:
    return METADATA_KEY in (field.metadata or {})


def _laid(name: str, column: Own) -> Laid:
    return Field(name, column.type), column


@lru_cache(8)
def _class_fields(emit: Emit, classes: tuple[str, ...], dtype: str) -> list[Field]:
    none = NumberColumn(np.empty((0, 1), dtype))
    return [_number(f"{emit}_{name}", emit, none)[0] for name in classes]


def _number(name: str, emit: Emit, column: Own) -> Laid:
    """Return a computed column, marked so that a text format knows its numbers for probabilities or for any number."""
    mark = b"prob" if emit == "prob" else b"number"
    return Field(name, column.type, {METADATA_KEY: mark}), column
