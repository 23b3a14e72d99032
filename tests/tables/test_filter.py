"""Rows of one split: the others are as if they were not there, in values, faults and places."""

from __future__ import annotations

import pyarrow as pa
import pytest

from softmax_cli.errors import UsageError
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.filter import Condition, rows_where
from softmax_cli.tables.table import Block, Decoded, Fault, Place, Table

BATCH = pa.record_batch({"a": [1.0, 2.0, 3.0, 4.0], "split": ["val", "test", None, "val"], "fold": [1, 2, 2, 2]})
COLUMNS = Columns(("a",), ("not a", "a"), "logits", others=("split", "fold"))


def narrowed(said):
    faults = (Fault(1, "a", "is odd"), Fault(3, "a", "is odd too"))
    decoded = Decoded(BATCH, lambda row, column: Place(f"row {row + 1}", "", ""), faults)
    table = Table("t", BATCH.schema, iter(()), lambda block, scores: decoded)
    return rows_where(table, COLUMNS, Condition.read(said)).decode(Block(None), ("a",))


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("split=val", [1, 4]),
        ("split = test", [2]),
        ("fold=2", [2, 3, 4]),
        ("split=other", []),
        ("split != val", [2, 3]),
        ("split in val,test", [1, 2, 4]),
        ("split in test", [2]),
        ("fold>1", [2, 3, 4]),
        ("fold < 1.5", [1]),
        ("fold >= 2", [2, 3, 4]),
        ("fold<=1", [1]),
        ("split > tesa", [1, 2, 4]),
        ("split < 3", []),
    ],
)
def test_the_rows_that_have_the_value(said, values):
    assert narrowed(said).batch.column("a").to_pylist() == values


def test_faults_and_places_stay_with_their_rows():
    found = narrowed("split=val")
    assert found.faults == (Fault(1, "a", "is odd too"),)
    assert found.place(1, "a").where == "row 4"


@pytest.mark.parametrize(("said", "words"), [("a=1", "beside the scores"), ("b=1", "there are: split, fold")])
def test_other_columns_are_refused(said, words):
    with pytest.raises(UsageError, match=words):
        narrowed(said)


@pytest.mark.parametrize("said", ["split", "=val", "", "fold >", "in val"])
def test_a_condition_has_a_column_and_a_value(said):
    with pytest.raises(UsageError, match=r"COLUMN=VALUE|nothing to compare"):
        Condition.read(said)
