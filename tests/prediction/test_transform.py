"""The transform: a batch of scores in, a batch of probabilities out, the same whatever the container and the cut."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax, softmax

from softmax_cli.api import ArrowTransform
from softmax_cli.errors import DataError
from softmax_cli.prediction.abstention import Abstention
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.scorer import Adjustment, Scoring, Term, Truncation
from softmax_cli.prediction.transform import build_transform
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.columns import Columns, Selection, resolve
from softmax_cli.weighting.logit_terms import direction

scores = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(2, 12)),
    elements=st.floats(-700, 700, allow_subnormal=False),
)


def wide(matrix):
    return pa.RecordBatch.from_arrays(
        [pa.array(np.ascontiguousarray(column)) for column in matrix.T], [f"c{i}" for i in range(matrix.shape[1])]
    )


def listed(matrix, kind="fixed"):
    flat = pa.array(matrix.reshape(-1))
    if kind == "fixed":
        column = pa.FixedSizeListArray.from_arrays(flat, matrix.shape[1])
    else:
        offsets = pa.array(np.arange(0, matrix.size + 1, matrix.shape[1]), pa.int32() if kind == "list" else pa.int64())
        column = (pa.ListArray if kind == "list" else pa.LargeListArray).from_arrays(offsets, flat)
    return pa.RecordBatch.from_arrays([column], ["logits"])


def transform(batch, scoring=None, layout=None, *, kind="logits", on_bad_row="error", dtype="float64"):
    given = from_arrow(batch)
    columns = resolve(given.schema, Selection(kind=kind), given)
    return ArrowTransform(build_transform(columns, scoring or Scoring(), layout or Layout(), dtype, on_bad_row))


def matrix_of(batch, prefix="prob_"):
    return np.column_stack([batch.column(n).to_numpy() for n in batch.schema.names if n.startswith(prefix)])


@given(scores)
def test_it_is_the_softmax(z):
    batch = wide(z)
    np.testing.assert_allclose(matrix_of(transform(batch)(batch)), softmax(z, axis=1), rtol=1e-12, atol=1e-300)


@given(scores, st.sampled_from(["fixed", "list", "large"]))
def test_the_container_changes_no_bit(z, kind):
    as_columns, as_lists = wide(z), listed(z, kind)
    np.testing.assert_array_equal(
        matrix_of(transform(as_columns)(as_columns)), matrix_of(transform(as_lists)(as_lists))
    )


@pytest.mark.parametrize("classes", [3, 128, 129, 300])
def test_the_cut_changes_no_bit(classes):
    z = np.random.default_rng(classes).normal(scale=300, size=(700, classes))
    batch = wide(z)
    whole = matrix_of(transform(batch)(batch))
    scorer = transform(batch)
    cut = np.concatenate([matrix_of(scorer(batch.slice(i, n))) for i, n in ((0, 1), (1, 98), (99, 601))])
    np.testing.assert_array_equal(whole, cut)


@given(scores)
def test_it_survives_pickling(z):
    batch = wide(z)
    scorer = transform(batch, Scoring(emit=("prob", "logprob", "logit"), top=2))
    assert pickle.loads(pickle.dumps(scorer))(batch).equals(scorer(batch))


@given(scores)
def test_the_schema_is_that_of_the_result(z):
    batch = wide(z)
    for layout in (Layout(), Layout("long"), Layout("list"), Layout(only_predictions=True)):
        scorer = transform(batch, layout=layout)
        assert scorer.schema(batch.schema).equals(scorer(batch).schema)


@given(scores, st.sampled_from(["skip", "null"]), st.sampled_from(["wide", "long", "list"]), st.integers(0, 5))
def test_a_column_that_is_said_to_lack_nothing_lacks_nothing(z, policy, shape, top):
    """And that is said of every probability, unless bad rows are kept without one."""
    z[0, 0] = np.nan
    scoring = Scoring(truncation=Truncation(top_p=0.9), emit=("prob", "logit"), top=top, figures=("true_prob",))
    batch = wide(z)
    scored = transform(batch, scoring, Layout(shape, added=("true_prob",)), on_bad_row=policy)
    out = scored(batch)
    assert out.schema.equals(scored.schema(batch.schema), check_metadata=False)
    surely = [field.name for field in out.schema if not field.nullable]
    assert [name for name in surely if out.column(name).null_count] == []
    probabilities = {name for name in out.schema.names if name.startswith(("prob", "logit", "confidence"))}
    assert {*surely} == ({*()} if policy == "null" else probabilities)


@given(scores, st.integers(1, 20))
def test_a_listing_is_the_head_of_the_ranking(z, k):
    batch = wide(z)
    out = transform(batch, Scoring(top=k))(batch)
    best = np.argsort(-z, axis=1, kind="stable")[:, : min(k, z.shape[1])]
    labels = [[f"c{i}" for i in row] for row in best.T]
    assert [out.column(f"label_{r + 1}").to_pylist() for r in range(best.shape[1])] == labels
    p = softmax(z, axis=1)
    np.testing.assert_allclose(matrix_of(out), np.take_along_axis(p, best, axis=1), rtol=1e-12, atol=1e-300)
    assert f"label_{best.shape[1] + 1}" not in out.schema.names


@given(scores)
def test_the_long_layout_is_the_wide_one_told_otherwise(z):
    batch = wide(z)
    long, out = transform(batch, layout=Layout("long"))(batch), matrix_of(transform(batch)(batch))
    rows, classes = z.shape
    assert long.num_rows == z.size
    at = np.array([int(name[1:]) for name in long.column("label").to_pylist()]).reshape(rows, classes)
    np.testing.assert_array_equal(np.take_along_axis(out, at, axis=1).reshape(-1), long.column("prob").to_numpy())
    assert long.column("rank").to_pylist() == list(range(1, classes + 1)) * rows


def test_weights_of_the_contract():
    term = Term("-w", "+ log w", np.log([1.0, 4.0, 1.0]), "")
    batch = wide(np.array([[2.0, 1.0, -1.0]]))
    out = transform(batch, Scoring(Adjustment(2.0, (term,))))(batch)
    np.testing.assert_allclose(matrix_of(out)[0], [0.274029, 0.664827, 0.061144], atol=5e-7)
    batch = wide(np.array([[-1.0, -2.0]]))
    term = Term("-w", "+ log w", np.log([1.0, 4.0]), "")
    out = transform(batch, Scoring(Adjustment(1.0, (term,))))(batch)
    np.testing.assert_allclose(matrix_of(out)[0], [0.405, 0.595], atol=5e-4)


@given(scores)
def test_emitted_numbers_agree(z):
    batch = wide(z)
    out = transform(batch, Scoring(Adjustment(2.0), emit=("logit", "logprob", "prob")))(batch)
    np.testing.assert_array_equal(matrix_of(out, "logit_"), z / 2)
    np.testing.assert_allclose(matrix_of(out, "logprob_"), log_softmax(z / 2, axis=1), rtol=1e-12, atol=1e-12)
    assert [n[:5] for n in out.schema.names if n.endswith("_c0")] == ["logit", "logpr", "prob_"]


@given(scores)
def test_probabilities_come_back_from_themselves(z):
    batch = wide(z)
    p = transform(batch, Scoring(emit=("prob", "logprob")))(batch)
    again = p.select([name for name in p.schema.names if name.startswith("prob_")])
    np.testing.assert_allclose(matrix_of(transform(again, kind="prob")(again)), matrix_of(p), rtol=1e-12, atol=1e-300)
    logs = p.select([name for name in p.schema.names if name.startswith("logprob_")])
    np.testing.assert_allclose(matrix_of(transform(logs, kind="logprob")(logs)), matrix_of(p), rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize(("kind", "value"), [("logits", 1.25), ("prob", 0.777299861), ("logprob", -0.251929)])
def test_one_score_stands_for_two_classes(kind, value):
    batch = pa.RecordBatch.from_pydict({"spam": [value]})
    p = matrix_of(transform(batch, kind=kind)(batch))[0]
    np.testing.assert_allclose(p, [0.222700, 0.777300], atol=1e-6)


def test_abstaining_needs_a_threshold():
    batch = wide(np.array([[0.0, 0.1], [0.0, 5.0], [5.0, 0.0]]))
    abstention = Abstention(np.array([0.999, 0.6]), "unsure")
    out = transform(batch, layout=Layout(abstention=abstention))(batch)
    assert out.column("prediction").to_pylist() == ["unsure", "c1", "unsure"]


def test_top_p_keeps_the_smallest_set():
    batch = wide(np.log([[0.5, 0.3, 0.15, 0.05]]))
    out = transform(batch, Scoring(truncation=Truncation(top_p=0.75)))(batch)
    np.testing.assert_allclose(matrix_of(out)[0], [0.625, 0.375, 0, 0], atol=1e-12)


BAD = np.array([[1.0, 2.0], [np.nan, 1.0], [np.inf, 0.0], [-np.inf, -np.inf], [-np.inf, 3.0]])


class TestBadRows:
    def test_the_first_stops_the_run(self):
        batch = wide(BAD)
        with pytest.raises(DataError, match=r"row 2: column 'c0': .* missing or not a number; .*--on-bad-row"):
            transform(batch)(batch)

    def test_skip_leaves_them_out(self):
        batch = wide(BAD)
        out = transform(batch, on_bad_row="skip")(batch)
        np.testing.assert_allclose(matrix_of(out), [[0.26894142, 0.73105858], [0, 1]], atol=1e-8)

    @pytest.mark.parametrize("layout", ["wide", "list", "long"])
    def test_null_keeps_them_unscored(self, layout):
        batch = pa.RecordBatch.from_arrays([*wide(BAD).columns, pa.array(list("abcde"))], ["c0", "c1", "id"])
        out = transform(batch, layout=Layout(layout), on_bad_row="null")(batch)
        bad = [row for row in out.to_pylist() if row["id"] in "bcd"]
        assert len(bad) == 3
        assert all(value is None for row in bad for name, value in row.items() if name != "id")
        good = [row for row in out.to_pylist() if row["id"] not in "bcd"]
        assert all(value is not None for row in good for value in row.values())

    def test_null_in_a_listing(self):
        batch = wide(BAD)
        out = transform(batch, Scoring(top=1), on_bad_row="null")(batch)
        assert out.column("label_1").to_pylist() == ["c1", None, None, None, "c1"]
        assert out.column("prob_1").null_count == 3

    @pytest.mark.parametrize(
        ("kind", "row", "words"),
        [
            ("logits", [np.inf, 1.0], "infinite"),
            ("logits", [-np.inf, -np.inf], "masked"),
            ("prob", [1.5, 0.5], "not a probability"),
            ("prob", [-0.5, 0.5], "not a probability"),
            ("prob", [0.0, 0.0], "masked"),
            ("logprob", [0.5, -1.0], "above 0"),
        ],
    )
    def test_the_reason_is_told(self, kind, row, words):
        batch = wide(np.array([row]))
        with pytest.raises(DataError, match=words):
            transform(batch, kind=kind)(batch)

    def test_a_list_of_another_length(self):
        batch = pa.RecordBatch.from_arrays([pa.array([[1.0, 2.0], [1.0], [3.0, 4.0], None])], ["logits"])
        out = transform(batch, on_bad_row="null")(batch)
        assert out.column("prob_0").null_count == 2

    def test_a_mask_over_all_that_is_left(self):
        term = Term("-w", "+ log w", np.array([-np.inf, 0.0]), "")
        batch = wide(np.array([[1.0, -np.inf]]))
        with pytest.raises(DataError, match="c"):
            transform(batch, Scoring(Adjustment(1.0, (term,))))(batch)


def test_a_column_that_passes_gives_way_to_a_computed_one():
    batch = pa.RecordBatch.from_pydict({"label": ["c0"], "confidence": ["high"], "c0": [1.0], "c1": [0.0]})
    columns = Columns(("c0", "c1"), ("c0", "c1"), "logits", label="label", others=("label", "confidence"))
    out = ArrowTransform(build_transform(columns, Scoring(), Layout(), "float64", "error"))(batch)
    assert out.schema.names == ["label", "input_confidence", "prediction", "confidence", "prob_c0", "prob_c1"]
    out = ArrowTransform(build_transform(columns, Scoring(), Layout("long"), "float64", "error"))(batch)
    assert out.schema.names == ["input_label", "confidence", "rank", "label", "prob"]


def test_narrow_floats_widen():
    half = np.array([[1.0, 2.0], [3.0, -4.0]], np.float16)
    batch = pa.RecordBatch.from_arrays([pa.array(half[:, 0]), pa.array(half[:, 1])], ["c0", "c1"])
    out = transform(batch, dtype="float32")(batch)
    assert out.column("prob_c0").type == pa.float32()
    np.testing.assert_allclose(matrix_of(out), softmax(half.astype(np.float64), axis=1), rtol=1e-6)


def test_probabilities_taken_for_logits_are_doubted():
    from softmax_cli.tables.table import Decoded

    p = softmax(np.random.default_rng(0).normal(size=(5, 3)), axis=1)
    most, few = np.vstack([p, [[3.0, 1, 2]]]), np.vstack([p, p + 1, [[3.0, 1, 2]]])
    for matrix, doubtful in ((p, True), (most, True), (100 * p, True), (p + 1, False), (few, False)):
        batch = from_arrow(wide(matrix))
        columns = resolve(batch.schema, Selection(), batch)
        outcome = build_transform(columns, Scoring(), Layout(), "float64", "error").run(Decoded(batch, None))
        assert (outcome.kinds.warning(columns) is not None) is doubtful


@pytest.mark.parametrize(
    ("ratios", "words"),
    [
        ([4.0, 1.0], "raises cat (x4)"),
        ([1.0, 0.25], "lowers dog (x0.25)"),
        ([0.0, 2.0], "masks cat, raises dog (x2)"),
        ([1.0, 1.0], "changes nothing"),
    ],
)
def test_the_direction_is_told_in_words(ratios, words):
    assert direction(np.array(ratios), ("cat", "dog")) == words
