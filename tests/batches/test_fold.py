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

COLUMNS = Columns(("a", "b", "c"), ("a", "b", "c"), "logits")
BLOCK = 100


def blocks(table):
    """Batches whose places are the rows of the table, from 0."""
    for start in range(0, len(table), BLOCK):
        batch = pa.record_batch({name: pa.array(table[start : start + BLOCK, i]) for i, name in enumerate("abc")})
        yield Decoded(batch, lambda row, column, start=start: Place(f"place {start + row}", "", ""))


def fold_over(table):
    decoded = list(blocks(table))
    inspector = make_inspector(decoded[:10], COLUMNS, "float64", 6.0)
    fold = Fold(Evidence(Profile.of(inspector.ruler, *[np.empty((0, 3))] * 2), COLUMNS, "float64", 6.0, {}))
    for one in decoded:
        fold.add(one, inspector(one))
    return fold.evidence


def test_places_are_those_of_the_rows_and_few():
    """Every tenth row is bad, masked, flat or an outlier."""
    table = np.random.default_rng(0).normal(0, 1, (4000, 3))
    table[5::40, 0], table[15::40, 1], table[25::40, 2] = np.nan, -np.inf, 500 + np.arange(100)
    table[35::40] = 1
    evidence = fold_over(table)
    assert all(spot.where == f"place {row}" for row, spot in evidence.spots.items())
    assert len(evidence.spots) <= 5 * 5 + 20
    assert [one.row for one in evidence.outliers] == [3985, 3945, 3905]
    assert all(one.row in evidence.spots for one in evidence.outliers)


def test_nothing_is_looked_up_in_a_sound_table():
    """Finding a place is slow in a text file, and must not be paid for cells that are extreme but usual."""
    assert fold_over(np.random.default_rng(0).normal(0, 1, (4000, 3))).spots == {}
