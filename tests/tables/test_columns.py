"""Which columns are taken for what: the rules of `predict --help`, each with a table that only it decides."""

import json

import pyarrow as pa
import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.tables.columns import METADATA_KEY, Columns, Selection, resolve


def table(metadata=None, **columns):
    """A batch; a column of strings, numbers or lists by name."""
    batch = pa.RecordBatch.from_pydict(columns)
    return batch.replace_schema_metadata(metadata) if metadata else batch


def taken(batch, **said) -> Columns:
    return resolve(batch.schema, Selection(**said), batch)


def test_a_prefix_goes_before_other_numbers():
    columns = taken(table(id=["a"], logit_cat=[1.0], logit_dog=[2.0], age=[3.0]))
    assert columns.scores == ("logit_cat", "logit_dog")
    assert columns.classes == ("cat", "dog")
    assert columns.others == ("id", "age")


@pytest.mark.parametrize(("prefix", "kind"), [("logit_", "logits"), ("prob_", "prob"), ("logprob_", "logprob")])
def test_a_prefix_tells_the_kind(prefix, kind):
    columns = taken(table(**{f"{prefix}a": [0.5], f"{prefix}b": [0.5]}))
    assert (columns.kind, columns.kind_is_given) == (kind, False)


def test_what_is_said_goes_before_the_prefix():
    assert taken(table(prob_a=[0.5], prob_b=[0.5]), kind="logits").kind == "logits"


NOT_SCORES = ["id", "user_id", "Index", "idx", "row", "key", "target", "truth", "class", "y", "y_true", "split", "fold"]


@pytest.mark.parametrize("name", NOT_SCORES)
def test_numbers_named_like_ids_and_truths_are_no_scores(name):
    assert taken(table(**{name: [7], "cat": [1.0], "dog": [2.0]})).scores == ("cat", "dog")


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_an_index_that_pandas_wrote_is_the_id(name):
    columns = taken(table(**{name: [0], "cat": [1.0], "dog": [2.0]}))
    assert (columns.id, columns.scores) == (name, ("cat", "dog"))


def test_a_list_column_goes_before_numbers():
    columns = taken(table(extra=[1.0], scores=[[1.0, 2.0, 3.0]]))
    assert (columns.scores, columns.is_list, columns.classes) == (("scores",), True, ("0", "1", "2"))


@pytest.mark.parametrize(("name", "kind"), [("logits", "logits"), ("probs", "prob"), ("log_probs", "logprob")])
def test_the_name_of_a_list_column_tells_the_kind(name, kind):
    assert taken(table(**{name: [[0.5, 0.5]]})).kind == kind


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("s_*", ("s_a", "s_b", "s_c")),
        ("s_a,s_c", ("s_a", "s_c")),
        ("s_c,s_a", ("s_a", "s_c")),
        ("s_b:s_c", ("s_b", "s_c")),
        ("s_[ab],s_c", ("s_a", "s_b", "s_c")),
        (("s_a", "s_b"), ("s_a", "s_b")),
    ],
)
def test_ways_to_say_the_scores(said, names):
    assert taken(table(s_a=[1.0], s_b=[2.0], s_c=[3.0], t=[4.0]), scores=said).scores == names


def test_a_name_with_a_comma_is_a_name():
    assert taken(table(**{"a,b": [1.0], "a": [2.0]}), scores="a,b").scores == ("a,b",)


def test_a_shared_prefix_is_no_part_of_the_class():
    assert taken(table(digit_0=[1.0], digit_1=[2.0])).classes == ("0", "1")


def test_unless_the_truth_spells_it():
    assert taken(table(digit_0=[1.0], digit_1=[2.0], label=["digit_1"])).classes == ("digit_0", "digit_1")


def test_a_prefix_ends_in_a_separator():
    assert taken(table(cat=[1.0], cow=[2.0])).classes == ("cat", "cow")


def test_one_column_is_binary():
    columns = taken(table(id=[1], spam=[1.0]))
    assert (columns.is_binary, columns.classes) == (True, ("not spam", "spam"))
    assert taken(table(id=[1], score=[1.0]), positive="spam").classes == ("not spam", "spam")


def test_our_own_file_tells_what_it_holds():
    record = json.dumps({"kind": "logprob", "scores": ["x"], "classes": ["cat", "dog"]}).encode()
    columns = taken(table({METADATA_KEY: record}, x=[[-0.1, -2.0]]))
    assert (columns.kind, columns.classes) == ("logprob", ("cat", "dog"))


def test_what_we_wrote_beside_the_scores_is_written_anew():
    columns = taken(table(id=[1], prediction=["a"], confidence=[0.9], prob_a=[0.9], prob_b=[0.1]))
    assert (columns.scores, columns.others) == (("prob_a", "prob_b"), ("id",))


def test_logits_go_before_the_probabilities_made_of_them():
    columns = taken(table(id=[1], prob_a=[0.9], prob_b=[0.1], logit_a=[2.0], logit_b=[0.0]))
    assert (columns.kind, columns.scores, columns.others) == ("logits", ("logit_a", "logit_b"), ("id",))


@pytest.mark.parametrize(
    ("batch", "said", "error", "words"),
    [
        (table(a=["x"], id=[1]), {}, DataError, "no column looks like a score"),
        (table(a=[1.0]), {"scores": "b_*"}, UsageError, "no such column"),
        (table(a=[1.0]), {"id": "nr"}, UsageError, "--id 'nr'"),
        (table(a=[1.0], b=[1.0]), {"label": "t"}, UsageError, "--label 't'"),
        (table(a=[1.0], b=[1.0]), {"classes": ("x",)}, UsageError, "1 names for 2 score columns"),
        (table(a=[1.0], b=[1.0]), {"classes": ("x", "x")}, DataError, "same name"),
        (table(a=[1.0], b=[1.0]), {"positive": "x"}, UsageError, "--positive"),
        (table(a=[1.0], b=[1.0]), {"scores": "b:a"}, UsageError, "write a:b"),
        (table(a=[True], b=[1.0]), {"scores": "a,b"}, UsageError, "holds bool"),
        (table(label_1=["x"], prob_1=[0.5], label_2=["y"], prob_2=[0.4]), {}, DataError, "without --top-k"),
    ],
)
def test_what_cannot_be_settled_is_said(batch, said, error, words):
    with pytest.raises(error, match=words):
        taken(batch, **said)


def test_names_are_unique():
    batch = pa.RecordBatch.from_arrays([pa.array([1.0]), pa.array([2.0])], names=["a", "a"])
    with pytest.raises(DataError, match="same name: 'a'"):
        taken(batch)
