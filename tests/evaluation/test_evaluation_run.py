"""A labelled table measured in parts: whatever the parts and however they are grouped, the report is the same."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from functools import partial, reduce

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.evaluation.labelled import LabelledScorer
from softmax_cli.evaluation.report import build_report
from softmax_cli.evaluation.run import Evaluation, bootstrap_of, evaluate_table
from softmax_cli.numeric.metrics import Parts, Plan
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.prediction.transform import build_transform
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import ClassLookup, OwnTruth
from softmax_cli.tables.table import Block, Decoded, Place, Table
from softmax_cli.tables.threads import Listeners

CLASSES = ("cat", "dog", "bird")
COLUMNS = Columns(CLASSES, CLASSES, "logits", label="y", others=("y", "source"), kind_is_given=False)
TRANSFORM = build_transform(COLUMNS, Scoring(emit=("logprob",)), Layout("list"), "float64", "skip")
SCORER = LabelledScorer(TRANSFORM, OwnTruth("y", ClassLookup.of(COLUMNS)), "source")
PLAN = Plan(top_k=(2,), replicates=40, seed=3)
SILENT = Listeners(lambda rows, size: None, lambda rejects: None)
ROWS = 60


def example(seed):
    """Rows of which some are bad, in the scores or in the truth."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2, (ROWS, len(CLASSES)))
    z[rng.random(ROWS) < 0.1, 1] = np.nan
    truth = [CLASSES[place] if place < 3 else None for place in rng.integers(0, 4, ROWS)]
    columns = {name: pa.array(z[:, place]) for place, name in enumerate(CLASSES)}
    return from_arrow(pa.record_batch(columns | {"y": truth, "source": [str(row % 3) for row in range(ROWS)]}))


def table_of(batch, edges):
    """A table whose blocks end at the edges."""
    blocks = [Block(batch.slice(start, stop - start)) for start, stop in itertools.pairwise(edges)]
    return Table(
        "t", batch.schema, iter(blocks), lambda block, scores: Decoded(block.data, partial(_place, block.data))
    )


def _place(batch, row, column):
    """Name a row by what it holds: the same wherever the table is cut."""
    return Place(f"row of {batch.slice(row, 1).to_pylist()}", "", "")


def reported(found):
    report = build_report("t", SCORER, PLAN, found.measured, found.bootstrap, found.read, [])
    return json.dumps([report.to_json(), found.kinds, found.reading.note])


def in_units(batch, blocks, units):
    """Measure every unit, then draw each with the number of its first row, as an engine does."""
    runs = [[place for place in blocks if start <= place <= stop] for start, stop in itertools.pairwise(units)]
    undrawn = replace(PLAN, replicates=0)
    measured = [evaluate_table(table_of(batch, edges), SCORER, undrawn, 1, SILENT) for edges in runs]
    first = itertools.accumulate((part.rows for part in measured), initial=0)
    replicates = [
        bootstrap_of(table_of(batch, edges), SCORER, PLAN, row, 1, SILENT)
        for edges, row in zip(runs, first, strict=False)
    ]
    return measured, replicates


places = st.lists(st.integers(0, ROWS), max_size=4)


@settings(max_examples=12, deadline=None)
@given(places, places, st.integers(0, 5))
def test_units_add_up_to_the_table(cuts, units, seed):
    """Figures, intervals and slices to the last digit, added up from the left or from the right, in blocks or whole."""
    batch = example(seed)
    measured, replicates = in_units(batch, sorted({0, ROWS, *cuts, *units}), sorted({0, ROWS, *units}))
    whole = reported(evaluate_table(table_of(batch, [0, ROWS]), SCORER, PLAN, 1, SILENT))
    from_left = replace(reduce(Evaluation.plus, measured), bootstrap=reduce(Parts.plus, replicates))
    assert reported(from_left) == whole
    right = reduce(lambda later, one: one.plus(later), reversed(measured))
    from_right = replace(right, bootstrap=reduce(lambda later, one: one.plus(later), reversed(replicates)))
    assert reported(from_right) == whole


def test_a_part_without_rows_changes_nothing_in_the_report():
    """Of no row it is not said that it looks like probabilities; nor does it keep others from looking so."""
    batch = pa.record_batch({name: [share] for name, share in zip(CLASSES, (0.2, 0.3, 0.5), strict=True)})
    batch = from_arrow(batch.append_column("y", pa.array(["dog"])).append_column("source", pa.array(["1"])))
    alike = evaluate_table(table_of(batch, [0, 1]), SCORER, PLAN, 1, SILENT)
    nothing = evaluate_table(table_of(batch, [0]), SCORER, PLAN, 1, SILENT)
    assert "--input prob" in (alike.kinds.warning(COLUMNS) or "")
    assert nothing.kinds.warning(COLUMNS) is None
    assert reported(nothing.plus(alike)) == reported(alike.plus(nothing)) == reported(alike)
