"""One row to be explained: as it is typed, as it is found in a table, and as values that JSON has."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.explanation.example import TEMPERATURES, Example, find_by_id, find_by_row, to_json, typed_example
from softmax_cli.numeric.explanation import explain_row
from softmax_cli.stream.outputs import json_bytes
from softmax_cli.tables.columns import Selection, resolve
from softmax_cli.tables.table import Block, Decoded, Place, Table


@pytest.mark.parametrize(
    ("typed", "classes", "logits"),
    [
        (["2.0", "1.0", "0.1"], ("z1", "z2", "z3"), [2, 1, 0.1]),
        (["2,1,-inf"], ("z1", "z2", "z3"), [2, 1, -math.inf]),
        (["cat=2", " dog = -1 "], ("cat", "dog"), [2, -1]),
        (["a=b=1", "2"], ("a=b", "z2"), [1, 2]),
        (["1.5"], ("not z1", "z1"), [0, 1.5]),
        (["spam=1.5"], ("not spam", "spam"), [0, 1.5]),
    ],
)
def test_scores_as_typed(typed, classes, logits):
    example = typed_example(typed)
    assert (example.classes, example.logits.tolist()) == (classes, logits)


@pytest.mark.parametrize("typed", [["logits.csv"], ["1", "x"], ["temperature"]])
def test_what_is_no_number_is_something_else(typed):
    assert typed_example(typed) is None


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["cat=1", "cat=2"], "same name"),
        (["nan", "1"], "finite scores"),
        (["-inf", "-inf"], "finite"),
        (["inf"], "inf"),
    ],
)
def test_numbers_that_no_distribution_follows_from(typed, words):
    with pytest.raises(UsageError, match=words):
        typed_example(typed)


def table(**columns):
    """Make a table of blocks of two rows, and what its columns are."""
    batch = pa.RecordBatch.from_pydict(columns)
    starts = range(0, batch.num_rows, 2)

    def decode(block, scores):
        first = block.first_row
        return Decoded(block.data, lambda row, column: Place(f"t: row {first + row + 1}", "", ""))

    blocks = iter([Block(batch.slice(start, 2), first_row=start) for start in starts])
    return Table("t", batch.schema, blocks, decode), resolve(batch.schema, Selection(), batch)


COLUMNS = {"id": [7, 8, 7], "logit_a": [1.0, 2.0, 3.0], "logit_b": [0.5, np.nan, 1.5], "label": ["a", "b", None]}


def test_a_row_by_its_number_and_by_its_id():
    third = find_by_row(*table(**COLUMNS), 3)
    assert (third.where, third.classes, third.logits.tolist(), third.truth) == ("t: row 3", ("a", "b"), [3, 1.5], None)
    first = find_by_id(*table(**COLUMNS), "7")
    assert (first.where, first.truth) == ("t: row 1", "a")


def test_probabilities_are_explained_on_the_log_scale():
    example = find_by_row(*table(prob_a=[0.25], prob_b=[0.75]), 1)
    np.testing.assert_allclose(example.logits, np.log([0.25, 0.75]))


@pytest.mark.parametrize(
    ("find", "which", "error", "words"),
    [
        (find_by_row, 4, DataError, "t: --row 4: there are 3 rows, counted from 1"),
        (find_by_row, 2, DataError, "t: row 2: column 'logit_b': the value is missing .* --row N"),
        (find_by_id, "9", DataError, "column 'id': no row has the id '9'"),
    ],
)
def test_a_row_that_cannot_be_explained(find, which, error, words):
    with pytest.raises(error, match=words):
        find(*table(**COLUMNS), which)


def test_without_ids_rows_are_counted():
    with pytest.raises(UsageError, match="no id column; name it with --id-column, or count with --row N"):
        find_by_id(*table(logit_a=[1.0], logit_b=[2.0]), "7")


def test_every_number_as_json():
    example = Example("typed", ("cat", "dog", "cow"), np.array([2.0, 1.0, -np.inf]), "dog")
    explanation = explain_row(example.logits, 2.0, np.array([1.0, 4.0, 1.0]))
    found = json.loads(json_bytes(to_json(example, explanation)))
    steps = found["steps"]
    assert (found["truth"], found["prediction"], found["temperature"]) == ("dog", "dog", 2)
    assert steps["scores"] == {"cat": 2, "dog": 1, "cow": None}
    assert steps["plus_log_weight"]["dog"] == pytest.approx(0.5 + math.log(4))
    assert sum(steps["prob"].values()) == pytest.approx(1)
    assert steps["exponentials"]["dog"] / steps["sum"] == pytest.approx(steps["prob"]["dog"])
    assert [*found["temperatures"]] == [f"{t:g}" for t in TEMPERATURES]
    assert found["jacobian"]["classes"][0] == "dog"
    assert np.shape(found["jacobian"]["values"]) == (3, 3)
    assert found["without_prediction"] == {"cat": pytest.approx(1), "dog": 0, "cow": 0}
