"""Truths find their classes by name; numbers count classes only where no name says otherwise."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import MISSING, ClassLookup, LabelReading


def lookup(*classes, scores=None):
    return ClassLookup.of(Columns(tuple(scores or classes), tuple(classes), "logits"))


@given(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=8, unique=True), st.data())
def test_every_name_finds_its_class_whatever_else_it_looks_like(classes, data):
    """Also "1", "nan" or a blank, as long as it is text."""
    truth = data.draw(st.lists(st.sampled_from(classes), max_size=20))
    found = lookup(*classes)(pa.array(truth, pa.string()), "y")
    assert [classes[i] for i in found.indices] == truth
    assert found.reading.by_number is None


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
        parts = [look(column.slice(0, cut), "y"), look(column.slice(cut), "y")]
        assert np.concatenate([part.indices for part in parts]).tolist() == truth
        assert parts[0].reading.plus(parts[1].reading).note is not None


def test_a_number_that_is_a_name_is_a_name():
    """Classes 7, 8, 9: the truth 8 is the second of them, and 0 is none."""
    look = lookup("7", "8", "9")
    assert look(pa.array([8, 9, 7]), "y").indices.tolist() == [1, 2, 0]
    with pytest.raises(DataError, match="'8' is the name of a class and the truth '0' is not"):
        look(pa.array([8, 0]), "y")


def test_names_and_numbers_do_not_mix_across_batches():
    look = lookup("7", "8", "9")
    first, second = look(pa.array([0, 1]), "y"), look(pa.array([8]), "y")
    with pytest.raises(DataError, match="--classes"):
        first.reading.plus(second.reading)


def test_full_column_names_match_unless_they_are_class_names():
    assert lookup("cat", "dog", scores=("logit_cat", "logit_dog"))(
        pa.array(["logit_dog", "cat"]), "y"
    ).indices.tolist() == [1, 0]
    assert lookup("b", "a", scores=("a", "b"))(pa.array(["a", "b"]), "y").indices.tolist() == [1, 0]


def test_booleans_are_the_two_classes_of_a_binary_task():
    assert lookup("not spam", "spam", scores=("spam",))(pa.array([True, False, None]), "y").indices.tolist() == [
        1,
        0,
        MISSING,
    ]


@pytest.mark.parametrize("column", [pa.array(["", None, "cat"]), pa.array([None, float("nan"), 0.0])])
def test_nothing_is_missing_and_no_class(column):
    assert lookup("cat", "dog")(column, "y").indices.tolist() == [MISSING, MISSING, 0]


def test_the_text_nan_is_a_name():
    with pytest.raises(DataError, match="'nan' is no class"):
        lookup("cat", "dog")(pa.array(["nan"]), "y")


@pytest.mark.parametrize("truth", ["ship", "2", "-1", "00", "1.0", "1.5", "²"])
def test_a_truth_that_is_no_class_names_both_sets(truth):
    with pytest.raises(DataError) as caught:
        lookup("cat", "dog")(pa.array(["1", truth]), "y")
    assert f"column 'y': the truth '{truth}' is no class; truths here: 1, {truth}; classes: cat, dog;" in str(
        caught.value
    )


def test_no_rows_say_nothing():
    found = lookup("cat", "dog")(pa.array([], pa.string()), "y")
    assert (len(found.indices), found.reading) == (0, LabelReading())
