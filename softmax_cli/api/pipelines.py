"""The steps of ``predict`` for the Arrow batches of a pipeline: Ray, Spark, or any other that hands over batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from softmax_cli.numeric.class_weights import log_weights
from softmax_cli.prediction.bad_rows import Policy
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.score_kinds import score_dtype
from softmax_cli.prediction.scorer import Adjustment, Scoring, Term
from softmax_cli.prediction.transform import Transform, build_transform
from softmax_cli.tables.arrays import from_arrow, from_arrow_schema, to_arrow, to_arrow_schema, without_dictionaries
from softmax_cli.tables.column_names import Kind
from softmax_cli.tables.columns import Selection, resolve
from softmax_cli.weighting.class_values import align
from softmax_cli.weighting.logit_terms import direction


def transform(
    sample: pa.RecordBatch | pa.Table,
    *,
    temperature: float = 1.0,
    class_weights: Mapping[str, float] | None = None,
    top_k: int = 0,
    logits: str | Sequence[str] | None = None,
    kind: Kind | None = None,
    on_bad_row: Policy = "error",
) -> ArrowTransform:
    """Decide what is to be done to all batches of a table, from a few of its rows.

    Parameters
    ----------
    sample : RecordBatch or Table
        At least one row, with all columns.
    on_bad_row : {"error", "skip", "null"}
        What becomes of a row that cannot be scored: an error, left out, or kept without values.

    The other parameters, and what is raised, are as for `predict`.

    Returns
    -------
    ArrowTransform
        Frozen, stateless and picklable: ``t(batch)`` scores a RecordBatch, ``t.schema(schema)`` gives the columns of
        the result. `for_ray` and `for_spark` fit it into a pipeline.

    Examples
    --------
    >>> t = transform(pa.table({"logit_cat": [2.0], "logit_dog": [1.0]}))
    >>> t(pa.record_batch({"logit_cat": [0.0], "logit_dog": [0.0]})).to_pylist()
    [{'prediction': 'cat', 'confidence': 0.5, 'prob_cat': 0.5, 'prob_dog': 0.5}]
    """
    if not temperature > 0:
        raise ValueError(f"temperature {temperature}: expected a number above 0")
    typed = logits if logits is None or isinstance(logits, str) else tuple(logits)
    head = sample if isinstance(sample, pa.RecordBatch) else pa.Table.to_batches(sample.combine_chunks())[0]
    given = from_arrow(head)
    columns = resolve(given.schema, Selection(scores=typed, kind=kind), given)
    terms = () if class_weights is None else (_weights(class_weights, columns.classes),)
    scoring = Scoring(Adjustment(temperature, terms), top=top_k)
    dtype = str(score_dtype(given.schema, columns))
    return ArrowTransform(build_transform(columns, scoring, Layout(), dtype, on_bad_row))


@dataclass(frozen=True, slots=True)
class ArrowTransform:
    """What the command line does to every batch, for batches of Arrow; made by `transform`."""

    steps: Transform

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Score one batch."""
        return to_arrow(self.steps(from_arrow(batch)))

    def schema(self, given: pa.Schema) -> pa.Schema:
        """Columns of the result for a table with the columns `given`, with a record of what was done to it."""
        return to_arrow_schema(self.steps.schema(from_arrow_schema(given)))


def _weights(weights: Mapping[str, float], classes: tuple[str, ...]) -> Term:
    values, _ = align("class_weights", weights, classes, default=1.0)
    return Term("class_weights", "+ log w", log_weights(values), direction(values, classes))


def for_ray(transform: ArrowTransform) -> Callable[[pa.Table], pa.Table]:
    """Make what ``ds.map_batches(..., batch_format="pyarrow")`` takes: Ray hands over tables."""

    def score(table: pa.Table) -> pa.Table:
        batches = [transform(batch) for batch in table.to_batches()]
        return table.from_batches(batches, transform.schema(table.schema))

    return score


def for_spark(transform: ArrowTransform) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Make what ``df.mapInArrow(..., schema)`` takes: Spark hands over batches one by one, and reads plain columns."""
    return lambda batches: (without_dictionaries(transform(batch)) for batch in batches)
