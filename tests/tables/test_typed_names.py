"""Names of columns as users type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import UsageError
from softmax_cli.tables.typed_names import expand, find_name, repeated


@given(st.lists(st.sampled_from("abcd")))
def test_repeated(names):
    assert sorted(repeated(names)) == sorted({name for name in names if names.count(name) > 1})


NAMES = ["id", "logit_a", "logit_b", "logit_c", "a,b", " spaced "]


@pytest.mark.parametrize(
    ("typed", "chosen", "prefix"),
    [
        ("logit_*", ["logit_a", "logit_b", "logit_c"], "logit_"),
        ("logit_[ac]", ["logit_a", "logit_c"], "logit_"),
        ("logit_c,logit_a", ["logit_a", "logit_c"], ""),
        ("logit_b:logit_c", ["logit_b", "logit_c"], ""),
        ("a,b", ["a,b"], ""),
        ("spaced", [" spaced "], ""),
        (("logit_a", "id"), ["id", "logit_a"], ""),
    ],
)
def test_patterns_choose_columns_in_the_order_of_the_file(typed, chosen, prefix):
    assert expand(typed, NAMES) == (chosen, prefix)


@pytest.mark.parametrize(
    ("typed", "words_"),
    [("logit_d", "did you mean .*'logit_a'"), ("logit_c:logit_a", "write logit_a:logit_c"), ("x*", "no such column")],
)
def test_a_pattern_that_chooses_nothing_is_refused(typed, words_):
    with pytest.raises(UsageError, match=words_):
        expand(typed, NAMES)


def test_blanks_around_a_name_do_not_count():
    assert find_name("--id", "spaced", NAMES) == " spaced "
    with pytest.raises(UsageError, match="--id 'ids': no such column; did you mean 'id'"):
        find_name("--id", "ids", NAMES)
