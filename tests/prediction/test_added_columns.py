"""Columns on request, rows on request and decisions: what each row of the result says, against other libraries."""

from __future__ import annotations

import errno

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import logsumexp, softmax
from scipy.stats import entropy, rankdata

from softmax_cli.errors import DataError
from softmax_cli.prediction.abstention import Abstention
from softmax_cli.prediction.added_columns import FIGURES
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.scorer import Adjustment, BesideLogits, Scoring
from softmax_cli.prediction.sorting import Order, Sorter
from softmax_cli.prediction.steps import Costs, Superclasses
from softmax_cli.prediction.transform import build_transform
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import ClassLookup, OwnTruth
from softmax_cli.tables.table import Decoded, Place

ADDED = ("entropy", "margin", "energy", "max_logit", "true_prob", "correct", "rank_of_truth")
COLUMNS = Columns(("a", "b", "c"), ("a", "b", "c"), "logits", label="y", others=("y", "t"))
logits = hnp.arrays(np.float64, st.tuples(st.integers(1, 9), st.just(3)), elements=st.floats(-30, 30))


def decoded(z, truths=None, temperatures=None):
    truths = ["a"] * len(z) if truths is None else truths
    columns = {name: np.ascontiguousarray(z[:, place]) for place, name in enumerate("abc")}
    columns |= {"y": pa.array(truths, pa.string()), "t": temperatures or ["1"] * len(z)}
    batch = from_arrow(pa.record_batch(columns))
    return Decoded(batch, lambda row, column: Place(f"row {row + 1}", "found", ""))


def run(z, scoring=None, layout=None, truths=None, **rest):
    made = build_transform(COLUMNS, scoring or Scoring(), layout or Layout(), "float64", "error")
    truth = OwnTruth("y", ClassLookup.of(COLUMNS))
    from dataclasses import replace

    return replace(made, truth=truth, **rest).run(decoded(z, truths))


@given(logits, st.floats(0.1, 10), st.integers(0, 2))
def test_figures_are_those_of_scipy(z, temperature, truth):
    scoring = Scoring(Adjustment(temperature), figures=tuple(FIGURES))
    found = run(z, scoring, Layout(added=ADDED), ["abc"[truth]] * len(z)).batch.to_pylist()
    p = softmax(z / temperature, axis=1)
    best = np.sort(p, axis=1)
    wanted = {
        "entropy": entropy(p, axis=1),
        "margin": best[:, 2] - best[:, 1],
        "energy": -temperature * logsumexp(z / temperature, axis=1),
        "max_logit": z.max(axis=1),
        "true_prob": p[:, truth],
        "correct": z.argmax(axis=1) == truth,
        "rank_of_truth": [int(rankdata(-row, method="ordinal")[truth]) for row in z],
    }
    for name, values in wanted.items():
        np.testing.assert_allclose([row[name] for row in found], values, rtol=1e-9, atol=1e-12, err_msg=name)


def test_a_row_without_a_truth_has_no_figures_of_it_and_is_not_bad():
    found = run(np.eye(3), Scoring(figures=("true_prob",)), Layout(added=("true_prob", "correct")), ["a", None, "c"])
    assert [row["correct"] for row in found.batch.to_pylist()] == [1, None, 1]
    assert found.batch.to_pylist()[1]["true_prob"] is None
    assert found.tally.bad_rows == 0
    assert run(-np.eye(3), truths=["a", None, "c"], only="wrong").batch.num_rows == 2


def test_a_truth_that_is_no_class_is_a_bad_row():
    with pytest.raises(DataError, match="is no class"):
        run(np.eye(3), truths=["a", "x", "c"])


def test_an_abstained_row_is_neither_right_nor_wrong():
    abstention = Abstention(np.full(3, 0.7), "unsure")
    z = np.array([[5.0, 0, 0], [0.1, 0, 0], [0, 5.0, 0]])
    found = run(z, layout=Layout(added=("correct",), abstention=abstention))
    assert [row["correct"] for row in found.batch.to_pylist()] == [1, None, 0]
    for only, rows in (("wrong", ["b"]), ("abstained", ["unsure"]), ("bad", [])):
        outcome = run(z, layout=Layout(abstention=abstention), only=only)
        assert [row["prediction"] for row in outcome.batch.to_pylist()] == rows
        assert outcome.tally.rows == 3


@given(logits, hnp.arrays(np.float64, (3, 4), elements=st.floats(0, 9)))
def test_the_decision_has_the_least_expected_cost(z, costs):
    scored = Scoring(costs=Costs(costs, np.array([0, 1, 2, 3], np.int32), ("refer",)))(z.copy())
    expected = softmax(z, axis=1) @ costs
    assert scored.decision is not None
    chosen = np.take_along_axis(expected, scored.decision[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(chosen, expected.min(axis=1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(scored.figures["expected_cost"], chosen, rtol=1e-9, atol=1e-12)


@given(logits)
def test_superclasses_add_probabilities_up(z):
    groups = Superclasses(("ac", "b"), np.array([0, 1, 0]))
    scored = Scoring(Adjustment(2.0), superclasses=groups)(z.copy(), BesideLogits(labels=np.full(len(z), 2)))
    p = softmax(z / 2, axis=1)
    np.testing.assert_allclose(scored.values["prob"], np.stack([p[:, 0] + p[:, 2], p[:, 1]], axis=1), rtol=1e-9)
    assert scored.labels is not None
    assert (scored.labels == 0).all()


def test_a_temperature_that_is_none_is_a_bad_row():
    z = np.arange(9.0).reshape(3, 3) ** 0.5
    scoring = Scoring(Adjustment(temperature_column="t"))
    made = build_transform(COLUMNS, scoring, Layout(), "float64", "null")
    found = made.run(decoded(z, temperatures=["2", "0", "hot"]))
    assert [reject.column for reject in found.rejects] == ["t", "t"]
    first = found.batch.to_pylist()[0]
    np.testing.assert_allclose([first[f"prob_{name}"] for name in "abc"], softmax(z[0] / 2))


@given(
    st.lists(st.lists(st.sampled_from([-0.0, 0.0, -2.5, 0.5, 1.0, np.inf, np.nan]), max_size=6), max_size=7),
    st.one_of(st.none(), st.integers(1, 9)),
    st.sampled_from([(1 << 20, 1 << 10), (20, 8), (40, 16), (0, 24)]),
)
def test_rows_stand_in_the_order_of_their_keys(parts, most, sizes):
    """Whether they are held in memory or merged from temporary files, of pieces of one, two or three rows."""
    sorter, row = Sorter(most, *sizes), 0
    for keys in parts:
        batch = from_arrow(pa.record_batch({"row": np.arange(row, row + len(keys))}))
        sorter.add(batch, np.array(keys, np.float64))
        row += len(keys)
    keys = np.array([key for part in parts for key in part])
    found = [value["row"] for batch in sorter.batches() for value in batch.to_pylist()]
    assert found == np.argsort(keys, kind="stable")[:most].tolist()


def test_a_falling_order_keeps_bad_rows_last():
    scored = Scoring()(np.array([[1.0, 0], [np.nan, 0], [3.0, 0]]))
    for falls, order in ((False, [0, 2, 1]), (True, [2, 0, 1])):
        assert np.argsort(Order("confidence", falls).keys(scored), kind="stable").tolist() == order


def test_names_that_differ_between_batches_are_merged():
    sorter = Sorter(None, 0, 1)
    for names in (["x", "y"], ["z", "x"]):
        codes = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), names)
        sorter.add(from_arrow(pa.record_batch({"name": codes})), np.array([0.5, 0.1], np.float32))
    assert [row["name"] for batch in sorter.batches() for row in batch.to_pylist()] == ["y", "x", "x", "z"]


def test_a_temporary_folder_that_is_full_is_named(monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    sorter = Sorter(None, 0)
    with pytest.raises(DataError, match=r"did not take them: No space left .* set TMPDIR .* or add --limit N"):
        sorter.add(from_arrow(pa.record_batch({"row": [1]})), np.array([1.0]))
