"""What Python gives, as what a command takes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from softmax_cli import api, predict
from softmax_cli.api.arguments import given
from softmax_cli.api.frames import stored_table
from softmax_cli.errors import DataError, UsageError


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": "2"}, "^temperature='2': expected a number$"),
        ({"temperature": True}, "^temperature=True: expected a number$"),
        ({"top_k": 1.5}, "^top_k=1.5: expected a whole number, 0 at least$"),
        ({"top_k": -1}, "^top_k=-1: expected a whole number, 0 at least$"),
        ({"digits": 40}, "^digits=40: expected a whole number, 1 at least, 17 at most$"),
    ],
)
def test_a_number_that_an_option_does_not_take(options, words):
    with pytest.raises(UsageError, match=words):
        predict([[1.0, 2.0]], **options)


def test_numbers_of_numpy_are_numbers():
    wanted = predict([[1.0, 2.0], [0.0, 5.0]], temperature=2.0, limit=1)
    np.testing.assert_array_equal(
        predict([[1.0, 2.0], [0.0, 5.0]], temperature=np.float32(2), limit=np.int64(1)), wanted
    )


def test_what_is_doubtful_is_warned_of_where_the_function_was_called():
    with pytest.warns(UserWarning, match=r"say input='prob'") as caught:
        predict([[0.9, 0.1], [0.2, 0.8]])
    assert caught[0].filename == __file__


def test_what_is_no_warning_is_said(capsys):
    predict([[9.0, 0.1], [2, 8]], quiet=False)
    assert "2 rows" in capsys.readouterr().err


def test_the_files_of_a_call_are_gone_after_it():
    with given(api.predict, ([[1.0, 2.0]],), {"class_weights": {"0": np.int64(4)}}) as job:
        assert Path(job.values["paths"][0]).exists()
        assert json.loads(Path(job.values["class_weights"]).read_text()) == {"0": 4}
    assert not Path(job.folder).exists()
    with pytest.raises(DataError), given(api.predict, ([[1.0, 2.0]],), {}) as job:
        raise DataError("no")
    assert not Path(job.folder).exists()


def test_missing_labels_are_missing(tmp_path):
    path, _ = stored_table(["cat", None, float("nan")], str(tmp_path), "labels")
    assert pa.ipc.open_file(path).read_all().to_pydict() == {"labels": ["cat", None, None]}


def test_an_index_is_known_again(tmp_path):
    frame = pd.DataFrame({"cat": [1.0]}, index=pd.MultiIndex.from_tuples([("a", 1)], names=["x", None]))
    path, kind = stored_table(frame, str(tmp_path), "data")
    back = kind.returned(pa.ipc.open_file(path).read_all().replace_schema_metadata())
    pd.testing.assert_frame_equal(back, frame)


@pytest.fixture
def typed():
    """A frame with columns of types that Arrow calls otherwise, or that a file has no word for."""
    return pd.DataFrame(
        {
            "cat": [2.0, 0.0, 1.0],
            "dog": [1.0, 3.0, 5.0],
            "kind": pd.Categorical(["x", "y", None], categories=["y", "x", "z"]),
            "when": pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin"),
            "count": pd.array([1, None, 3], dtype="Int64"),
            "text": pd.array(["a", None, "c"], dtype="string"),
            "flag": [True, False, True],
        }
    )


def test_columns_that_pass_through_keep_their_types(typed):
    passed = ["kind", "when", "count", "text", "flag"]
    found = predict(typed, logits=["cat", "dog"], sort="confidence")
    order = predict(typed[["cat", "dog"]])["confidence"].argsort()
    pd.testing.assert_frame_equal(
        found[passed].reset_index(drop=True), typed[passed].iloc[order].reset_index(drop=True)
    )
    frame = pl.from_pandas(typed).with_columns(pl.col("text").cast(pl.Enum(["a", "c"])))
    again = predict(frame, logits=["cat", "dog"])
    assert again.select(passed).equals(frame.select(passed))
    assert again.schema["text"] == frame.schema["text"]
    assert again.schema["kind"] == frame.schema["kind"]


def test_a_prediction_of_an_earlier_run_gives_its_type_to_none(typed):
    before = typed.assign(prediction=pd.Categorical(["owl"] * 3))
    assert list(predict(before, logits=["cat", "dog"])["prediction"]) == ["cat", "dog", "dog"]


def test_the_same_kind_comes_back():
    table = pa.table({"cat": [2.0], "dog": [1.0]})
    assert isinstance(predict(table), pa.Table)
    assert predict(table.to_batches()[0]).equals(predict(table).to_batches()[0])
    assert predict(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pl.LazyFrame({"cat": [1.0], "dog": [2.0]}), r"^data: a LazyFrame holds no rows yet: collect\(\) them first$"),
        (None, "^data: None; expected a DataFrame"),
        ([1.0, 2.0], "^data: a 1-D array of 2 values"),
    ],
)
def test_what_is_no_table_is_said_to_be_none(data, words):
    with pytest.raises((UsageError, DataError), match=words):
        predict(data)
