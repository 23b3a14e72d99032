"""Tables of the same rows side by side: joined by id or position, and refused where they are not the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.prediction.members import joining
from softmax_cli.prediction.members.joining import open_members
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.tables.threads import NOBODY


def joined(*tables):
    with open_members(tables, Scoring(emit=("logprob",)), False, wants_truth=True) as members:
        return list(members.rows(1, NOBODY))


@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 7), st.integers(0, 99))
def test_each_row_is_beside_its_own(table, rows, cut, other_cut, seed):
    order = np.random.default_rng(seed).permutation(rows)
    z, ids = np.arange(3.0 * rows).reshape(rows, 3) ** 0.5, np.array([f"r{row}" for row in range(rows)])
    blocks = joined(table("one", z, ids, cut=cut), table("two", z[order], ids[order], cut=other_cut))
    for block in blocks:
        np.testing.assert_array_equal(*(member.log_p for member in block.members))
    assert np.concatenate([block.members[0].ids for block in blocks]).tolist() == ids.tolist()


def test_what_waits_for_its_turn_has_a_limit(table, monkeypatch):
    monkeypatch.setattr(joining, "MOST_KEPT", 100)
    z, ids = np.zeros((9, 3)), [f"r{row}" for row in range(9)]
    with pytest.raises(DataError, match="sort both tables by id"):
        joined(table("one", z, ids), table("two", z, ids[::-1]))
    assert len(joined(table("one", z, ids), table("two", z, ids))) == 3


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        (["a", "b", "x"], "no row with the id 'c'"),
        (["a", "b", "b"], "there is twice|is there twice"),
        (["a", "b", "c", "d"], "such as the id 'd'"),
        (["a", "b"], "no row with the id 'c'"),
    ],
)
def test_tables_of_other_rows_are_refused(ids, words, table):
    z = np.zeros((4, 3))
    with pytest.raises(DataError, match=words):
        joined(table("one", z[:3], ["a", "b", "c"]), table("two", z[: len(ids)], ids))


@pytest.mark.parametrize(("rows", "words"), [(2, "fewer rows"), (4, "more rows")])
def test_without_ids_there_are_as_many_rows(rows, words, table):
    with pytest.raises(DataError, match=words):
        joined(table("one", np.zeros((3, 3))), table("two", np.zeros((rows, 3))))


def test_classes_are_matched_by_name_or_counted(table):
    z = np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(DataError, match="lacks c and has x"):
        joined(table("one", z), table("two", z, classes=("a", "b", "x")))
    numbered = table("one", z, classes=("0", "1", "2"), cut=4, truths=["b", "c", "a", "b"])
    (rows,) = joined(numbered, table("two", z))
    np.testing.assert_array_equal(rows.members[0].log_p, rows.members[1].log_p)
    assert rows.members[0].labels.tolist() == [1, 2, 0, 1]
