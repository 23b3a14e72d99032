"""The search for scores, step by step: what was typed, what the file says, names, values, and what stays open."""

import pyarrow as pa
import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.tables.column_names import role_by_name
from softmax_cli.tables.column_values import FirstRows
from softmax_cli.tables.score_columns import find_scores


def scores(columns, typed=None, given=(), record=None):
    batch = pa.RecordBatch.from_pydict(columns)
    names = batch.schema.names
    roles = {name: role_by_name(name, place, len(names)) for place, name in enumerate(names)}
    return find_scores(batch.schema, FirstRows(batch), typed, roles, given, record or {})


EVERYTHING = {"id": [1, 2], "logit_a": [0.5, 1.5], "logit_b": [1.0, 0.25], "age": [31.5, 40.0]}


@pytest.mark.parametrize(
    ("arguments", "names", "why"),
    [
        ({"typed": "age,logit_a"}, ("logit_a", "age"), "typed"),
        ({"record": {"scores": ["logit_b", "age"]}}, ("logit_b", "age"), "the file says so"),
        ({}, ("logit_a", "logit_b"), "logit_*"),
    ],
)
def test_the_first_that_tells_decides(arguments, names, why):
    found = scores(EVERYTHING, **arguments)
    assert (found.names, found.why) == (names, why)


def test_a_pattern_keeps_its_beginning_and_the_kind_of_its_names():
    found = scores(EVERYTHING, typed="logit*")
    assert (found.prefix, found.kind) == ("logit", "logits")


def test_by_elimination():
    found = scores({"passenger": [5, 6, 7], "a": [0.5, 1.5, 2.5], "b": [1.5, 0.5, 1.0], "label": [0, 1, 0]})
    assert (found.names, found.not_scores, found.by_elimination) == (("a", "b"), ("passenger",), True)


def test_what_was_given_another_role_is_no_score():
    assert scores({"a": [0.5], "b": [1.5], "c": [2.5]}, given=("b",)).names == ("a", "c")
    assert scores(EVERYTHING, given=("age",), record={"scores": ["logit_b", "age"]}).names == ("logit_a", "logit_b")


@pytest.mark.parametrize(
    ("columns", "typed", "error", "words"),
    [
        (EVERYTHING, "logit_z*", UsageError, "--logits 'logit_z.*': no such column"),
        ({"a": [True], "b": [1.0]}, "a,b", UsageError, "column 'a' holds bool, not numbers"),
        ({"a": [[1.0]], "b": [1.0]}, "a,b", UsageError, "'a' is a list column; name it alone"),
        ({"name": ["x"], "text": ["y"]}, None, DataError, "no column looks like a score"),
        ({"label_1": ["x"], "prob_1": [0.5], "label_2": ["y"], "prob_2": [0.25]}, None, DataError, "best classes only"),
        ({"x": [0.5, 1.5], "file": [0.25, 2.5]}, None, DataError, "named like an id and holds fractions"),
    ],
)
def test_what_is_refused(columns, typed, error, words):
    with pytest.raises(error, match=words):
        scores(columns, typed)
