"""The words of a column's name, and what is left of it as the name of a class."""

import pytest

from softmax_cli.tables.column_names import (
    class_names,
    families,
    id_rank,
    role_by_name,
    score_ending,
    score_name,
    truth_rank,
    words,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RawFormulaVal:Class=0", "raw formula val class 0"),
        ("imageID", "image id"),
        ("y_true", "y true"),
        ("top1_prob", "top 1 prob"),
        ("HTTPServer", "http server"),
        ("größe_2", "größe 2"),
        ("__", ""),
    ],
)
def test_words(name, expected):
    assert " ".join(words(name)) == expected


def test_names_of_scores_tell_the_kind_and_the_class():
    found, following = score_name("log_prob_big_cat")
    assert (found.kind, found.is_plain, following) == ("logprob", True, ("big", "cat"))
    assert score_name("y_score")[0].kind == "logits"
    assert score_name(".pred_cat")[1] == ("cat",)
    assert score_name(".pred_class") is None
    assert score_name("price") is None
    assert score_ending("cat_prob").kind == "prob"
    assert score_ending("prob") is None, "nothing is left for the class"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("user_id", "id"),
        ("Unnamed: 0", "index"),
        ("label", "truth"),
        ("y_pred", "prediction"),
        ("max_prob", "prediction"),
        ("sample_weight", "weight"),
        ("fold", "order"),
        ("price", None),
    ],
)
def test_roles_by_name(name, role):
    assert role_by_name(name, 1, 3) == role


def test_a_nameless_column_is_an_index_at_an_end_of_the_table_only():
    assert [role_by_name("", position, 3) for position in range(3)] == ["index", None, "index"]


def test_ranks():
    assert truth_rank("y_true") < truth_rank("label") < truth_rank("y")
    assert truth_rank("cat") is None
    assert [id_rank(name, 1, 3) for name in ("user_id", "file", "Unnamed: 0", "cat")] == [0, 1, 2, None]


def test_families_come_in_the_order_of_their_ranks():
    found = families(["p_cat", "p_dog", "p_id", "logit_cat", "logit_dog", "age"])
    assert [(one.given_by, one.kind, one.classes) for one in found] == [
        ("logit_*", "logits", {"cat", "dog"}),
        ("p_*", "prob", {"cat", "dog"}),
    ]


@pytest.mark.parametrize(
    ("columns", "truths", "expected"),
    [
        (["logit_cat", "logit_dog"], [], ("cat", "dog")),
        (["digit_0", "digit_1"], [], ("0", "1")),
        (["digit_0", "digit_1"], ["digit_1"], ("digit_0", "digit_1")),
        (["c0", "c1"], [], ("c0", "c1")),
        (["prob(cat)", "prob(dog)"], [], ("cat", "dog")),
        (["cat_prob", "dog_prob"], [], ("cat", "dog")),
        (["cat"], [], ("cat",)),
        (["prob_spam"], [], ("spam",)),
    ],
)
def test_class_names(columns, truths, expected):
    assert class_names(columns, truths) == expected
