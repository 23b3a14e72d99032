"""How a scored batch is laid out as columns: wide, a listing of the best classes, long, or one list column.

Which columns there will be follows from a description, `Computed`, before a row is read.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.prediction.scorer import Computed, Emit, Scored
from softmax_cli.tables.batch import Batch, ListColumn, NameColumn, NameListColumn, NumberColumn, Own, number_type
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.schema import INT32, NAME_LIST, NAMES, Field, Schema, Type, list_of
from softmax_cli.text.parsing import MISSING

if TYPE_CHECKING:
    from softmax_cli.prediction.abstention import Abstention


class Layout(NamedTuple):
    """Which columns a scored batch is given out as: those that pass through, then the computed ones."""

    shape: str = "wide"
    abstention: "Abstention | None" = None
    """When a prediction is withheld; None: never."""
    only_predictions: bool = False
    added: tuple[str, ...] = ()
    """Columns of figures, by their names in `added`."""
    has_costs: bool = False
    """Whether the prediction is the decision of least expected cost."""
    others: tuple[str, ...] = ()
    """Decisions of least cost that are no class."""
    has_gaps: bool = True
    """Whether a bad row stays, without values; else a binary file is told that there is always one, and is smaller."""

    def fields(self, computed: Computed) -> tuple[Field, ...]:
        """Describe the computed columns."""
        shape, has_predictions = self._shape_name(computed.top), self._has_predictions(computed.top)
        return _fields(shape, has_predictions, self.added, self.has_gaps, computed)

    def __call__(self, kept: Batch, scored: Scored, classes: tuple[str, ...]) -> Batch:
        """Lay out the columns that pass through (`kept`) and the computed ones."""
        computed = scored.describe(classes)
        shape = _SHAPES[self._shape_name(computed.top)]
        columns: list[Own] = []
        if self._has_predictions(computed.top):
            withheld = () if self.abstention is None else (self.abstention.label,)
            names = NameColumn(self.codes(scored), (*classes, *self.others, *withheld))
            columns = [names, NumberColumn(scored.confidence[:, None], valid=_valid(scored))]
        if shape.has_sets and scored.sets is not None:
            members = NameListColumn(scored.sets & ~scored.bad[:, None], classes, _valid(scored))
            sizes = scored.sets.sum(axis=1, dtype=np.int32)
            columns += [members, NumberColumn(sizes[:, None], valid=_valid(scored))]
        passed, fields = kept.num_columns, [*passed_fields(kept.schema), *self.fields(computed)]
        for name in self.added:
            kept = kept.with_column(name, self._figure(name, scored, len(classes)))
        kept, of_classes = shape.columns(kept, scored, classes)
        columns = [*kept.columns[:passed], *columns, *kept.columns[passed:], *of_classes]
        return Batch(Schema(fields), columns, kept.num_rows)

    def codes(self, scored: Scored) -> NDArray[np.int32]:
        """Label codes, shape (rows,): a class, one after the last class to abstain, `MISSING` for a bad row."""
        codes = scored.prediction.copy() if scored.decision is None else scored.decision.copy()
        if self.abstention is not None:
            codes[self.abstention.withholds(scored)] = len(self.abstention.threshold)
        codes[scored.bad] = MISSING
        return codes

    def chosen(self, scored: Scored, only: str, classes: int) -> NDArray[np.bool_]:
        """Whether a row is one of the kind ``wrong``, ``abstained`` or ``bad``, shape (rows,)."""
        if only == "bad":
            return scored.bad
        codes = self.codes(scored)
        if only == "abstained":
            return np.asarray(codes >= classes)
        assert scored.labels is not None, "what is wrong is known by the truth"
        known = (codes >= 0) & (codes < classes) & (scored.labels >= 0)
        return np.asarray(known & (codes != scored.labels))

    def _figure(self, name: str, scored: Scored, classes: int) -> NumberColumn:
        if name == "correct":
            assert scored.labels is not None, "what is correct is known by the truth"
            codes = self.codes(scored)
            known = (scored.labels >= 0) & (codes >= 0) & (codes < classes)
            return NumberColumn((codes == scored.labels).astype(np.int32)[:, None], valid=known)
        values = scored.figures[name]
        known = ~(np.isnan(values) | scored.bad)
        if name == "rank_of_truth":
            values = np.where(known, values, 0).astype(np.int32)
        return NumberColumn(values[:, None], valid=None if known.all() else known)

    def _shape_name(self, top: int) -> str:
        if self.only_predictions:
            return "predictions"
        return "listing" if self.shape == "wide" and top else self.shape

    def _has_predictions(self, top: int) -> bool:
        """Whether there are ``prediction`` and ``confidence``: in a listing label_1 is both, unless it may abstain."""
        name = self._shape_name(top)
        can_differ = self.abstention is not None or self.has_costs
        return can_differ if name == "listing" else _SHAPES[name].has_predictions


def passed_fields(given: Iterable[Field]) -> list[Field]:
    """Describe columns that pass through: a number that an earlier run has computed is the user's own now."""
    return [
        field._replace(metadata=None)
        if METADATA_KEY in (field.metadata or {}) and not isinstance(field.type, Type)
        else field
        for field in given
    ]


@lru_cache(8)
def _fields(
    shape: str, has_predictions: bool, added: tuple[str, ...], has_gaps: bool, computed: Computed
) -> tuple[Field, ...]:
    number = number_type(computed.dtype)
    predictions = [Field("prediction", NAMES), _number("confidence", "prob", number)] if has_predictions else []
    has_sets = computed.has_sets and _SHAPES[shape].has_sets
    sets = [Field("set", NAME_LIST), Field("set_size", INT32)] if has_sets else []
    figures = [Field(name, INT32) if name in WHOLE else _number(name, _emit_of(name), number) for name in added]
    fields = (*predictions, *sets, *figures, *_SHAPES[shape].fields(computed, number))
    if has_gaps:
        return fields
    return tuple(
        field if field.metadata is None or field.name in added else field._replace(nullable=False) for field in fields
    )


WHOLE = ("correct", "rank_of_truth")
"""Added columns of whole numbers; correct is 1 or 0."""


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
    """One row per class that is there, the most probable first; a bad row keeps one row without values."""
    assert scored.top is not None
    rows, k = scored.top.shape
    ranks = np.tile(np.arange(1, k + 1, dtype=np.int32), rows)
    bad = np.repeat(scored.bad, k)
    codes = np.where(bad, np.int32(MISSING), scored.top.reshape(-1))
    use = np.where(bad, ranks == 1, codes != MISSING)
    valid = None if not bad.any() else ~bad[use]
    matrices = (ranks, *scored.values.values())
    rank, *numbers = (NumberColumn(matrix.reshape(-1)[use][:, None], valid=valid) for matrix in matrices)
    return kept.take(np.repeat(np.arange(rows), k)[use]), iter((rank, NameColumn(codes[use], classes), *numbers))


def _draw_fields(computed: Computed, number: Type) -> Iterator[Field]:
    yield from [Field("draw", INT32)] if computed.top > 1 else []
    yield from (Field("action", NAMES), _number("prob", "prob", number), _number("log_prob", "logprob", number))


def _draws(kept: Batch, scored: Scored, classes: tuple[str, ...]) -> tuple[Batch, Iterator[Own]]:
    """One row per draw."""
    assert scored.top is not None
    kept, columns = _long(kept, scored, classes)
    return kept, columns if scored.top.shape[1] > 1 else islice(columns, 1, None)


def _list_fields(computed: Computed, number: Type) -> Iterator[Field]:
    return (_number(emit, emit, list_of(number, len(computed.classes))) for emit in computed.emit)


def _list(kept: Batch, scored: Scored, classes: tuple[str, ...]) -> tuple[Batch, Iterator[Own]]:
    return kept, (ListColumn(matrix, _valid(scored)) for matrix in scored.values.values())


LAYOUTS = ("wide", "long", "list")
DRAWS = "draws"
"""What ``sample`` writes: a row for each action."""
_SHAPES = {
    "wide": _Shape(_wide_fields, _wide),
    "listing": _Shape(_listing_fields, _listing),
    "long": _Shape(_long_fields, _long, has_predictions=False, has_sets=False),
    "list": _Shape(_list_fields, _list),
    DRAWS: _Shape(_draw_fields, _draws, has_predictions=False, has_sets=False),
    "predictions": _Shape(lambda computed, number: iter(()), lambda kept, scored, classes: (kept, iter(()))),
}


def _valid(scored: Scored) -> NDArray[np.bool_] | None:
    return ~scored.bad if scored.bad.any() else None


def _emit_of(added: str) -> Emit:
    return "prob" if added in ("true_prob", "margin") else "logit"


def _number(name: str, emit: Emit, kind: Type) -> Field:
    """Describe a computed column; its mark says to a text format whether it holds probabilities or any numbers."""
    return Field(name, kind, {METADATA_KEY: b"prob" if emit == "prob" else b"number"})
