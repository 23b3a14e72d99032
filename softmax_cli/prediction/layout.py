"""How a scored batch is laid out as columns: wide, a listing of the best classes, long, or one list column.

Which columns there will be follows from a description, `Computed`, before a row is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import UsageError
from softmax_cli.prediction.scorer import Computed, Emit, Scored
from softmax_cli.tables.batch import Batch, ListColumn, NameColumn, NameListColumn, NumberColumn, Own, number_type
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import INT32, NAME_LIST, NAMES, Field, Schema, Type, list_of
from softmax_cli.text.parsing import MISSING


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
    """Which columns a scored batch is given out as: those that pass through, then the computed ones."""

    shape: str = "wide"
    decision: Decision = field(default_factory=Decision)
    only_predictions: bool = False

    def __post_init__(self) -> None:
        if self.shape not in LAYOUTS:
            raise UsageError(f"--layout {self.shape}: choose one of {', '.join(LAYOUTS)}")

    def fields(self, computed: Computed) -> tuple[Field, ...]:
        """Describe the computed columns."""
        return _fields(self._shape_name(computed.top), self._has_predictions(computed.top), computed)

    def __call__(self, kept: Batch, scored: Scored, classes: tuple[str, ...]) -> Batch:
        """Lay out the columns that pass through (`kept`) and the computed ones."""
        computed = scored.describe(classes)
        shape = _SHAPES[self._shape_name(computed.top)]
        columns: list[Own] = []
        if self._has_predictions(computed.top):
            names = NameColumn(self.decision.codes(scored), (*classes, self.decision.abstain_label))
            columns = [names, NumberColumn(scored.confidence[:, None], valid=_valid(scored))]
        if shape.has_sets and scored.sets is not None:
            members = NameListColumn(scored.sets & ~scored.bad[:, None], classes, _valid(scored))
            sizes = scored.sets.sum(axis=1, dtype=np.int32)
            columns += [members, NumberColumn(sizes[:, None], valid=_valid(scored))]
        kept, of_classes = shape.columns(kept, scored, classes)
        fields = [*passed_fields(kept.schema), *self.fields(computed)]
        return Batch(Schema(fields), [*kept.columns, *columns, *of_classes], kept.num_rows)

    def _shape_name(self, top: int) -> str:
        if self.only_predictions:
            return "predictions"
        return "listing" if self.shape == "wide" and top else self.shape

    def _has_predictions(self, top: int) -> bool:
        """Whether there are ``prediction`` and ``confidence``: in a listing label_1 is both, unless it may abstain."""
        name = self._shape_name(top)
        return self.decision.threshold is not None if name == "listing" else _SHAPES[name].has_predictions


def passed_fields(given: Iterable[Field]) -> list[Field]:
    """Describe columns that pass through: a number that an earlier run computed is the user's own now."""
    return [field._replace(metadata=None) if METADATA_KEY in (field.metadata or {}) else field for field in given]


@lru_cache(8)
def _fields(shape: str, has_predictions: bool, computed: Computed) -> tuple[Field, ...]:
    number = number_type(computed.dtype)
    predictions = [Field("prediction", NAMES), _number("confidence", "prob", number)] if has_predictions else []
    has_sets = computed.has_sets and _SHAPES[shape].has_sets
    sets = [Field("set", NAME_LIST), Field("set_size", INT32)] if has_sets else []
    return (*predictions, *sets, *_SHAPES[shape].fields(computed, number))


class _Shape(NamedTuple):
    """The columns that stand for the classes, as they are described and as they are made."""

    fields: Callable[[Computed, Type], Iterator[Field]]
    columns: Callable[[Batch, Scored, tuple[str, ...]], tuple[Batch, Iterator[Own]]]
    """Gives the columns that pass through with them: a layout may need rows several times."""
    has_predictions: bool = True
    has_sets: bool = True


def _wide_fields(computed: Computed, number: Type) -> Iterator[Field]:
    return (_number(f"{emit}_{name}", emit, number) for emit in computed.emit for name in computed.classes)


def _wide(kept: Batch, scored: Scored, classes: tuple[str, ...]) -> tuple[Batch, Iterator[Own]]:
    valid, places = _valid(scored), range(len(classes))
    return kept, (NumberColumn(matrix, place, valid) for matrix in scored.values.values() for place in places)


def _listing_fields(computed: Computed, number: Type) -> Iterator[Field]:
    """``label_1, prob_1, label_2, ...``."""
    for rank in range(1, computed.top + 1):
        yield Field(f"label_{rank}", NAMES)
        yield from (_number(f"{emit}_{rank}", emit, number) for emit in computed.emit)


def _listing(kept: Batch, scored: Scored, classes: tuple[str, ...]) -> tuple[Batch, Iterator[Own]]:
    def columns() -> Iterator[Own]:
        assert scored.top is not None
        valid = _valid(scored)
        for rank, codes in enumerate(scored.top.T):
            yield NameColumn(np.where(scored.bad, np.int32(MISSING), codes), classes)
            yield from (NumberColumn(matrix, rank, valid) for matrix in scored.values.values())

    return kept, columns()


def _long_fields(computed: Computed, number: Type) -> Iterator[Field]:
    yield from (Field("rank", INT32), Field("label", NAMES))
    yield from (_number(emit, emit, number) for emit in computed.emit)


def _long(kept: Batch, scored: Scored, classes: tuple[str, ...]) -> tuple[Batch, Iterator[Own]]:
    """One row per class, the most probable first; a bad row keeps one row without values."""
    assert scored.top is not None
    rows, k = scored.top.shape
    ranks = np.tile(np.arange(1, k + 1, dtype=np.int32), rows)
    bad = np.repeat(scored.bad, k)
    use = ~bad | (ranks == 1)
    valid = None if not bad.any() else ~bad[use]
    codes = np.where(bad, np.int32(MISSING), scored.top.reshape(-1))[use]
    matrices = (ranks, *scored.values.values())
    rank, *numbers = (NumberColumn(matrix.reshape(-1)[use][:, None], valid=valid) for matrix in matrices)
    return kept.take(np.repeat(np.arange(rows), k)[use]), iter((rank, NameColumn(codes, classes), *numbers))


def _list_fields(computed: Computed, number: Type) -> Iterator[Field]:
    return (_number(emit, emit, list_of(number, len(computed.classes))) for emit in computed.emit)


def _list(kept: Batch, scored: Scored, classes: tuple[str, ...]) -> tuple[Batch, Iterator[Own]]:
    return kept, (ListColumn(matrix, _valid(scored)) for matrix in scored.values.values())


LAYOUTS = ("wide", "long", "list")
_SHAPES = {
    "wide": _Shape(_wide_fields, _wide),
    "listing": _Shape(_listing_fields, _listing),
    "long": _Shape(_long_fields, _long, has_predictions=False, has_sets=False),
    "list": _Shape(_list_fields, _list),
    "predictions": _Shape(lambda computed, number: iter(()), lambda kept, scored, classes: (kept, iter(()))),
}


def _valid(scored: Scored) -> NDArray[np.bool_] | None:
    return ~scored.bad if scored.bad.any() else None


def _number(name: str, emit: Emit, kind: Type) -> Field:
    """Describe a computed column; its mark says to a text format whether it holds probabilities or any numbers."""
    return Field(name, kind, {METADATA_KEY: b"prob" if emit == "prob" else b"number"})
