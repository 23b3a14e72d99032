"""A report does not depend on where its table was cut; what is kept to name rows is bounded, and places are right."""

from __future__ import annotations

import itertools
import json
from functools import reduce

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.inspection.evidence import Evidence, make_inspector
from softmax_cli.inspection.report import inspection
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.table import Decoded, Place

NAMES = tuple("abcdefgh")
COLUMNS = Columns(NAMES, NAMES, "logits")
BLOCK = 100


def rows_of(table, start, stop):
    """A batch whose places are the rows of the table, from 0."""
    batch = pa.record_batch({name: pa.array(table[start:stop, i]) for i, name in enumerate(NAMES)})
    return Decoded(batch, lambda row, column: Place(f"place {start + row}", "", ""))


def evidence_of(table, inspector, edges):
    """The evidence of some batches of a table, one after the other."""
    batches = [rows_of(table, start, stop) for start, stop in itertools.pairwise(edges)]
    return reduce(lambda so_far, one: so_far.with_batch(one, inspector(one)), batches, Evidence.none(inspector))


def fold_over(table):
    inspector = make_inspector([rows_of(table, 0, 10 * BLOCK)], COLUMNS, "float64", 6.0)
    return evidence_of(table, inspector, range(0, len(table) + 1, BLOCK))


def told(evidence):
    return json.dumps(inspection("t", evidence).to_json())


usual = st.floats(-3, 3)
cells = st.one_of(usual, usual, usual, st.sampled_from([np.nan, np.inf, -np.inf, 1e308, -90.0, 30.0, 31.0, 0.5, 0.5]))
tables = hnp.arrays(np.float64, st.tuples(st.integers(0, 60), st.just(len(NAMES))), elements=cells)


@settings(max_examples=100, deadline=None)
@given(tables, st.lists(st.integers(0, 60), max_size=6), st.lists(st.integers(0, 60), max_size=3))
def test_every_cut_and_every_grouping_gives_the_same_report(table, cuts, units):
    """Batches within units, and units added up from either end: figures, findings and places to the last byte."""
    head = np.random.default_rng(0).normal(0, 1, (100, len(NAMES)))
    inspector = make_inspector([rows_of(head, 0, 100)], COLUMNS, "float64", 6.0)
    batches = sorted({0, len(table), *(min(place, len(table)) for place in (*cuts, *units))})
    edges = sorted({0, len(table), *(min(place, len(table)) for place in units)})
    parts = [
        evidence_of(table, inspector, [place for place in batches if start <= place <= stop])
        for start, stop in itertools.pairwise(edges)
    ]
    parts = [Evidence.none(inspector), *parts, Evidence.none(inspector)]
    whole = told(evidence_of(table, inspector, [0, len(table)]))
    assert told(reduce(Evidence.plus, parts)) == whole
    assert told(reduce(lambda later, one: one.plus(later), reversed(parts))) == whole


def test_places_are_those_of_the_rows_and_few():
    """Bad, masked and flat rows, and outliers in every class: only the worst of them are looked up."""
    table = np.random.default_rng(0).normal(0, 1, (4000, len(NAMES)))
    table[5::40, 0], table[15::40, 1], table[35::40] = np.nan, -np.inf, 1
    for position in range(len(NAMES)):
        table[24 + position :: 400, position] = 500 + np.arange(10) + 100 * position
    evidence = fold_over(table)
    assert all(spot.where == f"place {row}" for row, spot in evidence.spots.items())
    assert len(evidence.outliers) == 3 * len(NAMES)
    assert len(evidence.spots) <= 5 * 5 + 20
    assert [one.row for one in evidence.outliers[:2]] == [3631, 3231]
    assert all(one.row in evidence.spots for one in evidence.outliers[:5])
    assert evidence.outliers[-1].row not in evidence.spots


def test_nothing_is_looked_up_in_a_sound_table():
    """Finding a place is slow in a text file, and must not be paid for cells that are extreme but usual."""
    assert fold_over(np.random.default_rng(0).normal(0, 1, (4000, len(NAMES)))).spots == {}
