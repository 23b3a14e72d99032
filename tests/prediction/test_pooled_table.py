"""Tables pooled into one: what NumPy gives for the means, and what becomes of rows that one table lacks a score for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from softmax_cli.errors import DataError, UsageError
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.members.ensemble import Pool, fit_weights, pooled_table
from softmax_cli.prediction.members.joining import open_members
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.prediction.transform import build_transform


def pooled(tables, pool, policy="error"):
    parts = []
    with open_members(tables, Scoring(emit=("logprob",)), policy != "error", wants_truth=True) as members:
        scores = pooled_table(members, pool, 1, lambda joined, rows: len(rows.log_p), parts.append)
        transform = build_transform(scores.columns, Scoring(), Layout(), "float64", policy)
        outcomes = [transform.run(scores.table.decode(block, ())) for block in scores.table.blocks]
    rows = [row for outcome in outcomes for row in outcome.batch.to_pylist()]
    return rows, [reject for outcome in outcomes for reject in outcome.rejects], parts


def p_of(rows):
    return np.array([[row[f"prob_{name}"] for name in "abc"] for row in rows])


@given(
    st.integers(1, 12),
    st.lists(st.floats(0.01, 1), min_size=2, max_size=4),
    st.sampled_from(["linear", "log", "logit"]),
)
def test_the_pools_are_means(table, rows, weights, kind):
    z = np.random.default_rng(rows).normal(size=(len(weights), rows, 3), scale=2)
    shares = np.array(weights) / sum(weights)
    found, _, parts = pooled([table(f"t{i}", one, cut=i + 2) for i, one in enumerate(z)], Pool(kind, shares))
    p = softmax(z, axis=2)
    wanted = {
        "linear": np.einsum("m,mrc->rc", shares, p),
        "log": softmax(np.einsum("m,mrc->rc", shares, np.log(p)), axis=1),
        "logit": softmax(np.einsum("m,mrc->rc", shares, z), axis=1),
    }
    np.testing.assert_allclose(p_of(found), wanted[kind], rtol=1e-9)
    votes = p.argmax(axis=2)
    agree = [np.mean([v[i] == v[j] for i in range(len(v)) for j in range(i)]) for v in votes.T]
    np.testing.assert_allclose([row["agreement"] for row in found], agree)
    assert sum(parts) == rows


def test_a_row_that_one_table_has_no_score_for(table):
    z = np.random.default_rng(0).normal(size=(5, 3))
    holed = z.copy()
    holed[3] = np.nan
    half = Pool("linear", np.array([0.5, 0.5]))
    with pytest.raises(DataError, match="two: row"):
        pooled([table("one", z), table("two", holed)], half)
    rows, rejects, _ = pooled([table("one", z), table("two", holed)], half, "skip")
    assert len(rows) == 4
    assert [reject.where for reject in rejects] == ["two: row 1"]  # of its block
    rows, _, _ = pooled([table("one", z), table("two", holed)], half, "null")
    assert [row["agreement"] is None for row in rows] == [False, False, False, True, False]


@pytest.mark.parametrize("kind", ["linear", "logit"])
def test_the_best_weights_leave_out_a_member_that_knows_nothing(table, kind):
    generator = np.random.default_rng(0)
    truths = generator.integers(0, 3, 300)
    good = generator.normal(size=(300, 3)) + 2 * np.eye(3)[truths]
    names = np.array(["a", "b", "c"])[truths]
    with open_members(
        [table("one", good, truths=names), table("two", np.zeros((300, 3)))], Scoring(emit=("logprob",)), False, True
    ) as members:
        weights = fit_weights(members, kind, 1).weights
    assert weights[0] > 0.9
    assert weights.sum() == pytest.approx(1)


def test_weights_are_fitted_to_truths(table):
    tables = [table(name, np.zeros((2, 3))) for name in ("one", "two")]
    with (
        open_members(tables, Scoring(emit=("logprob",)), False, wants_truth=True) as members,
        pytest.raises(UsageError, match="--label"),
    ):
        fit_weights(members, "linear", 1)
