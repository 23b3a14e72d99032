"""What is kept of a long table to name its rows is bounded, and the places are right."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from softmax_cli.batches.columns import Columns
from softmax_cli.batches.evidence import Evidence
from softmax_cli.batches.fold import Fold
from softmax_cli.batches.profile import make_inspector
from softmax_cli.batches.table import Decoded, Place
from softmax_cli.numeric.profile.profile import Profile

NAMES = tuple("abcdefgh")
COLUMNS = Columns(NAMES, NAMES, "logits")
BLOCK = 100


def blocks(table):
    """Batches whose places are the rows of the table, from 0."""
    for start in range(0, len(table), BLOCK):
        batch = pa.record_batch({name: pa.array(table[start : start + BLOCK, i]) for i, name in enumerate(NAMES)})
        yield Decoded(batch, lambda row, column, start=start: Place(f"place {start + row}", "", ""))


def fold_over(table):
    decoded = list(blocks(table))
    inspector = make_inspector(decoded[:10], COLUMNS, "float64", 6.0)
    fold = Fold(Evidence(Profile.of(inspector.ruler, *[np.empty((0, len(NAMES)))] * 2), COLUMNS, "float64", 6.0, {}))
    for one in decoded:
        fold.add(one, inspector(one))
    return fold.evidence


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
