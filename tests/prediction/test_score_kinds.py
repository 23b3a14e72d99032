"""Scores of a batch as a matrix on the log scale: from any column type, of any kind, bad values as nan."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from softmax_cli.errors import DataError
from softmax_cli.numeric.softmax import COLUMNAR_CLASSES
from softmax_cli.prediction.bad_rows import what_is_wrong
from softmax_cli.prediction.score_kinds import (
    KindCheck,
    check_width,
    read_scores,
    score_dtype,
    to_log_scale_,
)
from softmax_cli.tables.columns import Columns, Selection, resolve

FLOAT64 = np.dtype(np.float64)


def columns_of(batch, **typed) -> Columns:
    return resolve(batch.schema, Selection(**typed), batch)


def scores_of(batch, **typed):
    return read_scores(batch, columns_of(batch, **typed), FLOAT64)


def test_a_float32_table_is_computed_in_float32():
    narrow = pa.record_batch(
        {"logit_a": pa.array([1.0], pa.float32()), "logit_b": pa.array([np.float16(1)], pa.float16())}
    )
    assert score_dtype(narrow.schema, columns_of(narrow)) == np.float32
    wide = narrow.append_column("logit_c", pa.array([1]))
    assert score_dtype(wide.schema, columns_of(wide)) == np.float64


TWO_ROWS = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(TWO_ROWS),
        pa.array(TWO_ROWS, pa.large_list(pa.float32())),
        pa.array(TWO_ROWS, pa.list_(pa.float64(), 2)),
        pa.array([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}]),
        pa.array([[("a", 1.0), ("b", 2.0)], [("b", 4.0), ("a", 3.0)]], pa.map_(pa.string(), pa.float64())),
    ],
    ids=lambda column: str(column.type),
)
def test_a_row_in_one_column(column):
    """A slice too: Arrow's children do not know that they are part of one."""
    batch = pa.record_batch({"logits": column})
    columns = columns_of(batch)
    assert read_scores(batch, columns, FLOAT64).tolist() == TWO_ROWS
    assert read_scores(batch.slice(1), columns, FLOAT64).tolist() == TWO_ROWS[1:]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1.0, 2.0], None, [1.0], [3.0, None]]),
        pa.array([[1.0, 2.0], None, [None, None], [3.0, None]], pa.list_(pa.float64(), 2)),
        pa.array([{"a": 1.0, "b": 2.0}, None, {"a": None, "b": None}, {"a": 3.0, "b": None}]),
        pa.array(
            [[("a", 1.0), ("b", 2.0)], None, [("a", 1.0)], [("a", 3.0), ("b", None)]],
            pa.map_(pa.string(), pa.float64()),
        ),
    ],
    ids=lambda column: str(column.type),
)
def test_rows_that_do_not_fit_are_nan(column):
    scores = scores_of(pa.record_batch({"logits": column}))
    assert scores[0].tolist() == [1, 2]
    assert np.isnan(scores[1:3]).all()
    assert scores[3, 0] == 3
    assert np.isnan(scores[3, 1])


@pytest.mark.parametrize("classes", [2, COLUMNAR_CLASSES + 1])
def test_memory_runs_as_the_kernels_want_it(classes):
    batch = pa.record_batch({f"logit_{i}": np.arange(3.0) for i in range(classes)})
    scores = scores_of(batch)
    assert scores.flags.c_contiguous == (classes > COLUMNAR_CLASSES)


def test_text_among_the_scores_is_refused():
    batch = pa.record_batch({"logit_a": [1.0], "logit_b": [2.0]})
    columns = columns_of(batch)
    with pytest.raises(DataError, match="column 'logit_b' holds string, not numbers; name the class columns"):
        read_scores(pa.record_batch({"logit_a": [1.0], "logit_b": ["x"]}), columns, FLOAT64)


KINDS = [("logits", lambda p: np.log(p / (1 - p))), ("prob", lambda p: p), ("logprob", np.log)]


@pytest.mark.parametrize(("kind", "spelled"), KINDS)
def test_a_single_score_is_the_second_of_two_classes(kind, spelled):
    p = np.array([0.1, 0.5, 0.9])
    batch = pa.record_batch({"score": spelled(p)})
    columns = columns_of(batch, scores="score", kind=kind)
    z = to_log_scale_(read_scores(batch, columns, FLOAT64), columns)
    np.testing.assert_allclose(1 / (1 + np.exp(z[:, 0] - z[:, 1])), p, rtol=1e-12)


@given(hnp.arrays(np.float64, (3, 2)))
def test_logits_stay_as_they_are(values):
    columns = columns_of(pa.record_batch({"logit_a": [1.0], "logit_b": [2.0]}))
    assert to_log_scale_(values.copy(), columns).tobytes() == values.tobytes()


def test_what_a_kind_cannot_take_is_nan():
    prob = columns_of(pa.record_batch({"prob_a": [0.5], "prob_b": [0.5]}))
    taken = to_log_scale_(np.array([[0.0, 1.0], [-0.1, 1.0], [1.0005, 0.5], [1.1, 0.5]]), prob)
    assert taken[0].tolist() == [-np.inf, 0]
    assert np.isnan(taken[[1, 3], 0]).all()
    assert np.isfinite(taken[2]).all(), "rounded"
    log_p = columns_of(pa.record_batch({"logprob_a": [-1.0], "logprob_b": [-1.0]}))
    assert np.isnan(to_log_scale_(np.array([[0.1, -1.0]]), log_p)).tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("row", "kind", "position", "words"),
    [
        ([1.0, np.nan], "logit", 1, "is missing"),
        ([np.inf, 1.0], "logit", 0, "is infinite"),
        ([0.5, -0.5], "prob", 1, "is not a probability"),
        ([0.5, -0.5], "logprob", 0, "above 0"),
        ([-np.inf, -np.inf], "logit", 0, "nothing is left to choose from"),
    ],
)
def test_the_culprit_of_a_row_is_named(row, kind, position, words):
    found, problem = what_is_wrong(np.array(row), named(kind))
    assert found == position
    assert words in problem


def named(kind):
    return columns_of(pa.record_batch({f"{kind}_a": [-0.5], f"{kind}_b": [-0.5]}))


def test_rows_that_look_like_another_kind_add_up():
    unnamed = columns_of(pa.record_batch({"a": [0.5], "b": [1.5]}))
    p, z = np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([[2.5, 1.0]])
    alike = KindCheck.of(p, unnamed)
    assert alike.warning(unnamed).startswith("the values of all rows lie in [0, 1] and sum to 1")
    assert KindCheck.of(100 * p, unnamed).warning(unnamed).startswith("the values of all rows lie in [0, 100]")
    assert KindCheck.of(z, unnamed).warning(unnamed) is None
    mixed = alike.plus(KindCheck.of(z, unnamed))
    assert mixed == KindCheck.of(np.concatenate([p, z]), unnamed)
    assert mixed.warning(unnamed).startswith("the values of 2 of 3 rows lie in [0, 1] and sum to 1")
    typed = columns_of(pa.record_batch({"a": [0.5], "b": [1.5]}), kind="logits")
    assert KindCheck.of(p, typed).warning(typed) is None, "whoever typed it knows"


def test_probabilities_that_do_not_sum_to_1_are_counted():
    assert KindCheck.of(np.array([[0.2, 0.3], [0.5, 0.5]]), named("prob")).note == (
        "1 row of 2 did not sum to 1 and was normalised"
    )
    assert KindCheck.of(np.array([[0.5, 0.5]]), named("prob")).note is None


def test_lists_of_another_length_than_the_names():
    schema = pa.schema([("logits", pa.list_(pa.float64(), 3))])
    columns = columns_of(pa.record_batch({"logits": [[1.0, 2.0]]}))
    with pytest.raises(DataError, match="holds lists of 3 numbers, and there are names for 2 classes"):
        check_width(schema, columns)
