"""Whatever Python gives as a table, as labels or for each class: read as it is meant, or refused in one message."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.special import softmax

from softmax_cli import compare, ensemble, evaluate, explain, predict, sample, weights
from softmax_cli.errors import DataError, SoftmaxCliError, UsageError

Z = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 5.0], [4.0, 1.0, 1.0]])
Y = [0, 1, 2, 0]
FRAME = pd.DataFrame(Z, columns=["a", "b", "c"])
ARROW = pa.Table.from_pandas(FRAME, preserve_index=False)
ONE_HOT = np.eye(3)[Y]


@pytest.mark.parametrize(
    "data",
    [
        Z.tolist(),
        tuple(map(tuple, Z)),
        Z.astype(object),
        Z.astype(int),
        (row for row in Z.tolist()),
        map(list, Z),
        FRAME.astype(object),
        FRAME.to_dict("list"),
        dict(zip("abc", Z.T, strict=True)),
        FRAME.to_dict("records"),
        np.array(list(map(tuple, Z)), dtype=[(name, "f8") for name in "abc"]),
        FRAME.set_axis(pd.MultiIndex.from_product([["z"], list("abc")]), axis=1),
        FRAME.assign(bin=pd.cut([1, 2, 3, 4], 2)),
        ARROW.to_reader(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_table_of_any_make(data):
    found = predict(data)
    if isinstance(found, pd.DataFrame):
        found = found[[name for name in found if name.startswith("prob_")]].to_numpy()
    elif isinstance(found, pa.Table):
        found = np.column_stack([found[name] for name in found.column_names if name.startswith("prob_")])
    np.testing.assert_allclose(found, softmax(Z, axis=1), rtol=1e-12)


@pytest.mark.parametrize("function", [predict, sample, evaluate, ensemble, compare, explain])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "None; expected a DataFrame"),
        (np.array(3.0), "ndarray of shape (), float64; expected"),
        ({1.0, 2.0}, "set of shape (), object; expected"),
        ([[1, 2], [1]], "inhomogeneous shape"),
        (np.array([["a", "b"]]), "ndarray of shape (1, 2), str32; expected"),
        (np.array([[1, "b"]], object), "could not convert string to float: 'b'"),
        (np.zeros((2, 2, 2)), "a 3-D array of shape (2, 2, 2)"),
        (pd.DataFrame(Z, columns=["a", "a", "b"]), "two columns are called 'a'"),
        (FRAME.assign(x=[object()] * 4), "Could not convert"),
        (pl.LazyFrame({"a": [1.0]}), "collect() them first"),
        (np.ma.array(Z, mask=Z > 3), "is missing or not a number"),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, str) else "",
)
def test_what_is_no_table_of_scores_is_refused(function, data, words):
    given = (data, FRAME) if function in (ensemble, compare) else (data,)
    options = {"row": 3} if function is explain else {"labels": Y} if function is evaluate else {}
    with pytest.raises(SoftmaxCliError) as caught:
        function(*given, **options)
    assert words in str(caught.value)
    assert str(caught.value).startswith("data")


@pytest.mark.parametrize(
    "labels",
    [
        Y,
        tuple(Y),
        (place for place in Y),
        np.array(Y)[:, None],
        np.array(Y, float),
        pd.Series(Y, index=[3, 2, 1, 0]),
        pd.Series(Y, dtype=object),
        pd.Categorical(Y),
        pd.Index(Y),
        pl.Series(Y),
        pl.Series("y", Y),
        pa.array(Y),
        pa.chunked_array([Y[:1], Y[1:]]),
        pd.DataFrame({"y": Y}),
        [str(place) for place in Y],
        ONE_HOT,
        ONE_HOT.astype(bool),
        ONE_HOT.astype(int).tolist(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_labels_of_any_make(labels):
    labels = list(labels) if hasattr(labels, "__next__") else labels
    assert evaluate(Z, labels=iter(labels) if type(labels) is list else labels, bootstrap=0).figures["accuracy"] == 1
    assert weights(labels).figures == weights(Y).figures == {"0": 2 / 3, "1": 4 / 3, "2": 4 / 3}


def test_labels_by_id():
    frame = FRAME.assign(id=list("pqrs"))
    assert evaluate(frame, labels=dict(zip("srqp", [0, 2, 1, 0], strict=True)), bootstrap=0).figures["accuracy"] == 1


def test_counts_of_any_make():
    wanted = weights(["x", "y", "x"]).figures
    assert wanted == weights(Counter("xyx")).figures == weights(pd.Series(list("xyx")).value_counts()).figures
    assert wanted == weights({"label": ["x", "y", "x"]}).figures


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (3, "int of shape (), int64; expected a label for each row"),
        ({0, 1}, "set of shape (), object; expected a label for each row"),
        (np.zeros((2, 2, 2)), "ndarray of shape (2, 2, 2), float64; expected a label for each row"),
        (np.array([["a", "b"]] * 4), "ndarray of shape (4, 2), str32; expected a label for each row"),
        (np.full((4, 3), 1 / 3), "0.333"),
        (np.array([[0, 1, 1]] * 4), "[0,1,1]"),
    ],
)
def test_what_is_no_label_is_refused(labels, words):
    for run in (lambda: evaluate(Z, labels=labels), lambda: weights(labels)):
        with pytest.raises(SoftmaxCliError) as caught:
            run()
        assert words in str(caught.value).replace(", ", ",").replace("; ", ";") or words in str(caught.value)
    with pytest.raises(UsageError, match="labels: None; expected a label"):
        weights(None)


@pytest.mark.parametrize("option", ["class_weights", "threshold", "source_prior"])
def test_a_number_for_each_class_in_a_list(option):
    more = {"target_prior": "uniform"} if option == "source_prior" else {}
    wanted = predict(FRAME, **{option: {"a": 0.2, "b": 0.3, "c": 0.5}}, **more)
    for given in ([0.2, 0.3, 0.5], np.array([0.2, 0.3, 0.5]), pd.Series([0.2, 0.3, 0.5], index=list("abc"))):
        pd.testing.assert_frame_equal(predict(FRAME, **{option: given}, **more), wanted)
    with pytest.raises((UsageError, DataError), match="2 values for 3 classes"):
        predict(FRAME, **{option: [0.5, 0.5]}, **more)


def test_names_costs_and_flags():
    for names in (["x,1", "y", "w"], np.array(["x,1", "y", "w"]), pd.Index(["x,1", "y", "w"]), iter(["x,1", "y", "w"])):
        assert predict(Z, classes=names, top_k=1)["label_1"].to_pylist() == ["x,1", "y", "w", "x,1"]
    pd.testing.assert_frame_equal(predict(FRAME, logits=FRAME.columns[:2]), predict(FRAME, logits=["a", "b"]))
    costs = pd.DataFrame(1 - np.eye(3), index=list("abc"), columns=list("abc"))
    assert predict(FRAME, costs=costs)["prediction"].tolist() == ["a", "b", "c", "a"]
    pd.testing.assert_frame_equal(predict(FRAME, temperature=None, top_k=None), predict(FRAME))
    with pytest.raises(UsageError, match=r"^only_predictions='yes': expected True or False$"):
        predict(FRAME, only_predictions="yes")
    with pytest.raises(UsageError, match=r"^scores: that of 'a' is 'x', and no number$"):
        explain({"a": "x"})
    with pytest.raises(UsageError, match=r"^scores: none"):
        explain([])
