"""Truths from a file of their own: by id in any order, by row order where there are no ids."""

from __future__ import annotations

import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.stream.inputs import input_files
from softmax_cli.stream.label_file import OrderedLabels, read_labels
from softmax_cli.stream.scores import Inputs, open_scores
from softmax_cli.tables.labels import ClassLookup, JoinedTruth


@pytest.fixture
def labels(tmp_path):
    """Read a file of truths for a table of two rows."""

    def read(text: str, table: str = "id,logit_cat,logit_dog\na,1,2\nb,2,1\n", column: str = ""):
        (tmp_path / "x.csv").write_text(table)
        (tmp_path / "y.csv").write_text(text)
        with open_scores(Inputs(input_files([str(tmp_path / "x.csv")]))) as opened:
            columns = opened.columns
            return read_labels(f"{tmp_path / 'y.csv'}{column}", columns, ClassLookup.of(columns)), opened

    return read


def test_ids_join_in_any_order(labels):
    found, _ = labels("id,label\nb,cat\na,dog\n")
    assert isinstance(found, JoinedTruth)
    assert found.by_id == {"a": 1, "b": 0}


def test_without_ids_the_order_counts(labels):
    found, _ = labels("label\ndog\ncat\n", "logit_cat,logit_dog\n1,2\n2,1\n")
    assert isinstance(found, OrderedLabels)
    assert found.values.to_pylist() == ["dog", "cat"]


def test_two_truths_of_one_id_are_refused(labels):
    with pytest.raises(DataError, match="the id 'a' has two truths"):
        labels("id,label\na,cat\na,dog\n")


def test_a_column_that_is_not_there_is_named(labels):
    with pytest.raises(UsageError, match=r"no column 'lable'.*label"):
        labels("id,label\na,cat\n", column=":lable")
