"""Rows that belong together, against a loop over the groups with scipy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import softmax
from scipy.stats import rankdata

from softmax_cli.errors import DataError
from softmax_cli.prediction.grouped import group_transform, pooled_groups
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.long_to_wide import long_table
from softmax_cli.prediction.scorer import Adjustment, Scoring
from softmax_cli.prediction.transform import build_transform
from softmax_cli.stream.scores import ScoreTable
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.table import Block, Decoded, Place, Table

scores = st.integers(1, 25).flatmap(
    lambda rows: st.tuples(
        hnp.arrays(np.float64, rows, elements=st.floats(-30, 30).map(lambda value: round(value, 1))),
        st.lists(st.sampled_from(["q1", "q2", "q3"]), min_size=rows, max_size=rows),
    )
)


def decoded(columns):
    return Decoded(from_arrow(pa.record_batch(columns)), lambda row, column: Place(f"row {row + 1}", "x", ""))


def opened(columns, roles):
    block = decoded(columns)
    table = Table("t", block.batch.schema, iter([Block(block)]), lambda block, scores: block.data)
    return ScoreTable(table, roles)


PAIRS = Columns(("s",), ("not s", "s"), "logits", others=("query", "row"))


def groups_of(z, names, temperature=1.0, top=0, policy="error"):
    scoring = Scoring(Adjustment(temperature), top=top)
    transform = group_transform(build_transform(PAIRS, scoring, Layout(), "float64", policy), "query")
    return transform.run(decoded({"query": names, "row": np.arange(len(z)), "s": z}))


@given(scores, st.sampled_from([0.5, 1.0, 4.0]))
def test_softmax_and_ranks_within_each_group(table, temperature):
    z, names = table
    found = groups_of(z, names, temperature).batch.to_pylist()
    assert [row["row"] for row in found] == list(range(len(z)))
    for name in {*names}:
        rows = [row for row in found if row["query"] == name]
        own = z[[row["row"] for row in rows]]
        np.testing.assert_allclose([row["prob"] for row in rows], softmax(own / temperature), rtol=1e-9, atol=1e-300)
        assert [row["rank"] for row in rows] == rankdata(-own, method="ordinal").tolist()


def test_the_best_of_each_group():
    outcome = groups_of(np.array([1.0, 3, 2, 5]), ["q1", "q2", "q1", "q2"], top=1)
    assert [row["row"] for row in outcome.batch.to_pylist()] == [2, 3]
    assert outcome.tally.rows == 4


def test_a_row_without_a_score_is_left_out_of_its_group():
    z, names = np.array([1.0, np.nan, 2.0]), ["q1", "q1", "q1"]
    with pytest.raises(DataError, match="row 2"):
        groups_of(z, names)
    rows = groups_of(z, names, policy="null").batch.to_pylist()
    np.testing.assert_allclose([rows[0]["prob"], rows[2]["prob"]], softmax([1.0, 2.0]))
    assert (rows[1]["prob"], rows[1]["rank"]) == (None, None)
    assert [row["row"] for row in groups_of(z, names, policy="skip").batch.to_pylist()] == [0, 2]


LONG = Columns(("s",), ("not s", "s"), "logits", id="id", others=("id", "class"))


def test_a_long_table_is_a_wide_one():
    columns = {"id": ["1", "2", "1", "2"], "class": ["cat", "dog", "dog", "cat"], "s": [2.0, 1.0, 0.5, 3.0]}
    wide = long_table(opened(columns, LONG), "id", "class", None)
    transform = build_transform(wide.columns, Scoring(), Layout(), "float64", "error")
    rows = [row for block in wide.table.blocks for row in transform.run(wide.table.decode(block, ())).batch.to_pylist()]
    assert [row["id"] for row in rows] == ["1", "2"]
    p = softmax([[2.0, 0.5], [3.0, 1.0]], axis=1)
    np.testing.assert_allclose([[row["prob_cat"], row["prob_dog"]] for row in rows], p)


@pytest.mark.parametrize(
    ("classes", "words"),
    [(["cat", "cat"], "several rows for 'cat'"), (["cat", "owl"], "none of those before")],
)
def test_what_a_long_table_lacks(classes, words):
    columns = {"id": ["1", "1"], "class": classes, "s": [2.0, 1.0]}
    wide = long_table(opened(columns, LONG), "id", "class", ("cat", "dog"))
    transform = build_transform(wide.columns, Scoring(), Layout(), "float64", "error")
    with pytest.raises(DataError, match=words):
        [transform.run(wide.table.decode(block, ())) for block in wide.table.blocks]


FRAMES = Columns(("a", "b"), ("a", "b"), "logits", others=("query",))


@given(scores, st.sampled_from(["mean-prob", "mean-logit", "max"]))
def test_frames_are_pooled_as_numpy_does(table, pool):
    values, names = table
    z = np.stack([values, values[::-1]], axis=1)
    rows = Scoring(emit=("logprob" if pool == "mean-prob" else "logit",))
    transform = build_transform(FRAMES, rows, Layout("list"), "float64", "null")
    given = opened({"query": names, "a": z[:, 0].copy(), "b": z[:, 1].copy()}, FRAMES)
    found = pooled_groups(given, transform, "query", pool, 1, lambda kinds: None)
    last = build_transform(found.columns, Scoring(), Layout(), "float64", "error")
    out = [row for block in found.table.blocks for row in last.run(found.table.decode(block, ())).batch.to_pylist()]
    assert [row["query"] for row in out] == list(dict.fromkeys(names))
    for row in out:
        own = z[np.array(names) == row["query"]]
        wanted = {
            "mean-prob": softmax(own, axis=1).mean(axis=0),
            "mean-logit": softmax(own.mean(axis=0)),
            "max": softmax(own.max(axis=0)),
        }[pool]
        np.testing.assert_allclose([row["prob_a"], row["prob_b"]], wanted, rtol=1e-9)
        assert row["rows"] == len(own)
