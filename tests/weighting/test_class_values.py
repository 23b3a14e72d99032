"""Numbers per class, in every form that a user may give them."""

import numpy as np
import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.weighting.class_values import align, read_class_values

WEIGHTS = ("weight",)


def read(said):
    return read_class_values("--class-weights", str(said), WEIGHTS)


@pytest.mark.parametrize("said", ["cat=4,dog=1", " cat = 4 , dog=1", "cat=4e0,dog=1.0"])
def test_typed(said):
    assert read(said) == {"cat": 4.0, "dog": 1.0}


def test_a_class_name_may_hold_the_sign():
    assert read("a=b=2") == {"a=b": 2.0}


def test_a_csv_file(tmp_path):
    (tmp_path / "w.csv").write_text("class,weight\ncat,4\n")
    assert read(tmp_path / "w.csv") == {"cat": 4.0}


def test_one_column_of_several(tmp_path):
    (tmp_path / "w.csv").write_text("class,train,weight,test\ncat,1,4,2\n")
    assert read(tmp_path / "w.csv") == {"cat": 4.0}
    assert read(f"{tmp_path / 'w.csv'}:test") == {"cat": 2.0}


def test_a_json_file(tmp_path):
    (tmp_path / "w.json").write_text('{"cat": 4}')
    assert read(tmp_path / "w.json") == {"cat": 4.0}


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ("cat", UsageError, "no such file, and not of the form"),
        ("cat=x", UsageError, "'x' is not a number"),
        ("cat=nan", UsageError, "finite"),
        ("cat=1,cat=2", UsageError, "twice"),
        ("cat=1,dog", UsageError, "'dog' is not of the form"),
    ],
)
def test_what_is_typed_wrong_is_said(said, error, words):
    with pytest.raises(error, match=words):
        read(said)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("w.csv", "class,a,b\ncat,1,2\n", "which column"),
        ("w.csv", "a,b\n1,2\n3,4\n", "expected a column 'class' and one of numbers"),
        ("w.csv", "", "empty"),
        ("w.json", '["a"]', "."),
        ("w.json", "{", "not JSON"),
    ],
)
def test_a_file_of_something_else_is_said(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=words):
        read(tmp_path / name)


def test_align_follows_the_classes():
    values, missing = align("-w", {"dog": 2.0}, ("cat", "dog"), default=1.0)
    np.testing.assert_array_equal(values, [1.0, 2.0])
    assert missing == ["cat"]


def test_align_names_strangers_and_gaps():
    with pytest.raises(UsageError, match="no class is called 'cow'; the classes are: cat, dog"):
        align("-w", {"cow": 2.0}, ("cat", "dog"), default=1.0)
    with pytest.raises(UsageError, match="missing: cat"):
        align("-w", {"dog": 2.0}, ("cat", "dog"), default=None)
