"""Truths find their classes by name; numbers count classes only where no name says otherwise."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import MISSING, UNKNOWN, ClassLookup, LabelReading


def lookup(*classes, scores=None):
    return ClassLookup.of(Columns(tuple(scores or classes), tuple(classes), "logits"))


@given(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=8, unique_by=str.strip), st.data())
def test_every_name_finds_its_class_whatever_else_it_looks_like(classes, data):
    """Also "1", "nan" or a blank, as long as it is text."""
    truth = data.draw(st.lists(st.sampled_from(classes), max_size=20))
    found = lookup(*classes)(pa.array(truth, pa.string()))
    assert [classes[i] for i in found.indices] == truth
    assert found.reading.by_index is None


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.integers(0, 30))
def test_numbers_count_the_classes_in_every_type_and_cut(truth, cut):
    look = lookup("cat", "dog", "bird", "fish", "cow")
    for column in (
        pa.array(truth, pa.int64()),
        pa.array(truth, pa.uint8()),
        pa.array(truth, pa.float32()),
        pa.array([str(t) for t in truth]),
        pa.array([str(t) for t in truth]).dictionary_encode(),
    ):
        parts = [look(column.slice(0, cut)), look(column.slice(cut))]
        assert np.concatenate([part.indices for part in parts]).tolist() == truth
        assert parts[0].reading.plus(parts[1].reading).note is not None


def test_a_number_that_is_a_name_is_a_name():
    """Classes 7, 8, 9: the truth 8 is the second of them, and 0 is none."""
    look = lookup("7", "8", "9")
    assert look(pa.array([8, 9, 7])).indices.tolist() == [1, 2, 0]
    with pytest.raises(DataError, match="'8' is the name of a class and the truth '0' is not"):
        look(pa.array([8, 0]))


def test_names_and_numbers_do_not_mix_across_batches():
    look = lookup("7", "8", "9")
    first, second = look(pa.array([0, 1])), look(pa.array([8]))
    with pytest.raises(DataError, match="--classes"):
        first.reading.plus(second.reading)


def test_full_column_names_match_unless_they_are_class_names():
    assert lookup("cat", "dog", scores=("logit_cat", "logit_dog"))(pa.array(["logit_dog", "cat"])).indices.tolist() == [
        1,
        0,
    ]
    assert lookup("b", "a", scores=("a", "b"))(pa.array(["a", "b"])).indices.tolist() == [1, 0]


def test_booleans_are_the_two_classes_of_a_binary_task():
    assert lookup("not spam", "spam", scores=("spam",))(pa.array([True, False, None])).indices.tolist() == [
        1,
        0,
        MISSING,
    ]


@pytest.mark.parametrize("column", [pa.array(["", None, "cat"]), pa.array([None, float("nan"), 0.0])])
def test_nothing_is_missing_and_no_class(column):
    assert lookup("cat", "dog")(column).indices.tolist() == [MISSING, MISSING, 0]


def test_what_stands_for_no_truth_is_one_where_a_class_is_called_so():
    assert lookup("nan", "none", "NA")(pa.array(["none", "NA", "nan"])).indices.tolist() == [1, 2, 0]


@pytest.mark.parametrize("truth", ["ship", "3", "-1", "00", "1.5", "²", "1e0"])
def test_a_truth_that_is_no_class_names_both_sets(truth):
    found = lookup("cat", "dog")(pa.array(["1", truth]))
    assert found.indices.tolist() == [1, UNKNOWN]
    assert "is no class; name the column of truths with --label" in found.problem(1)
    assert found.problem(1).endswith(f"classes: cat, dog; truths here: 1, {truth}")


def test_no_rows_say_nothing():
    found = lookup("cat", "dog")(pa.array([], pa.string()))
    assert (len(found.indices), found.reading) == (0, LabelReading())
