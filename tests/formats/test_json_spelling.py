"""JSON values are spelled as they stood in the file, to the last digit."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.formats.json.spelling import parse, spell

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(values)
def test_what_was_parsed_is_spelled_as_it_was(value):
    text = json.dumps(value, ensure_ascii=False)
    assert json.loads(spell(parse(text.encode()))) == value


def test_numbers_keep_their_digits():
    assert spell(parse(b'{"id": 9007199254740993, "z": [1.50, 1e400]}')) == '{"id":9007199254740993,"z":[1.50,1e400]}'


@pytest.mark.parametrize("text", [b'"\\ud800"', b'{"\\udc00": 1}', b"[1", b"\xff"])
def test_what_no_text_can_hold_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse(text)
