"""Lines of JSON: what is plain is read as the ``json`` module reads it, and every other line is named."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from softmax_cli.text.parsing import Parsed, Reason, cell_texts, parse_objects, text_role

KEYS = ["id", 'a "key"', "logits"]
ROLES = np.array([text_role(0), 0, 1], np.int32)
SIZES = np.array([-1, -1, 2], np.int32)

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**25), 10**25)
plain_texts = st.text(st.characters(codec="utf-8", exclude_characters='"\\', min_codepoint=32))
rows = st.fixed_dictionaries(
    {
        "id": plain_texts | numbers | st.sampled_from([None, True, False]),
        'a "key"': numbers,
        "logits": st.lists(numbers, min_size=2, max_size=2),
    }
).map(lambda row: {key: row[key] for key in KEYS})
odd_values: st.SearchStrategy[Any] = st.sampled_from(
    [None, "x", "\\", '"', "\n", True, [], [1], [1, None], [1, "x"], [1, 2, 3], [[1, 2]], {}, math.inf, math.nan]
)
odd_rows = st.dictionaries(st.sampled_from([*KEYS, "other"]), numbers | odd_values) | odd_values


def read(text: str) -> Parsed:
    return parse_objects(text.encode(), [json.dumps(key).encode() for key in KEYS], ROLES, SIZES)


def spelled(value: Any) -> str | None:
    """The text of a cell that passes through."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


@given(
    st.lists(rows),
    st.sampled_from([(",", ":"), (" , ", "\t: "), (", ", ": ")]),
    st.sampled_from(["\n", "\r\n", "\n \n"]),
)
def test_plain_rows(values: list[dict[str, Any]], separators: tuple[str, str], line_end: str) -> None:
    lines = [json.dumps(value, ensure_ascii=False, separators=separators) for value in values]
    text = line_end.join(lines)
    parsed = read(text)
    assert parsed.flaws == []
    assert parsed.scores.tolist() == [[float(v['a "key"']), *map(float, v["logits"])] for v in values]
    assert cell_texts(text.encode(), parsed.spans[:, 0], False) == [spelled(value["id"]) for value in values]
    data = text.encode()
    records = [data[a:b].strip().decode() for a, b in zip(parsed.starts, parsed.starts[1:], strict=False)]
    assert records == lines


@given(st.lists(rows | odd_rows))
def test_every_line_that_is_not_plain_is_named(values: list[Any]) -> None:
    """What is read is right, however little that is; a line of other keys, types or lengths is never taken."""
    text = "".join(json.dumps(value) + "\n" for value in values)
    parsed = read(text)
    assert len(parsed.scores) == len(values)
    odd = {flaw.row for flaw in parsed.flaws}
    assert {flaw.reason for flaw in parsed.flaws} <= {Reason.ODD_OBJECT}
    ids = cell_texts(text.encode(), parsed.spans[:, 0], False)
    for row, value in enumerate(values):
        if row in odd:
            continue
        assert list(value) == KEYS
        assert parsed.scores[row].tolist() == [float(value['a "key"']), *map(float, value["logits"])]
        assert ids[row] == spelled(value["id"])


@given(st.text('{}[]":,.0123456789eE+-truefalsn \tx\\\x01é', max_size=30))
@example("01")
@example("1.")
@example(".5")
@example("+1")
@example("1e")
@example("-")
@example("1.e5")
@example("-0.0e-0")
@example('"a\x01"')
@example('"\\u0041"')
@example("nul")
@example("1 2")
def test_nothing_is_taken_that_is_no_json(value: str) -> None:
    """In a value that passes through, and in one that is a number."""
    for key, roles in (("k", [text_role(0)]), ("k", [0])):
        line = f'{{"{key}":{value}}}'.encode()
        parsed = parse_objects(line, [b'"k"'], np.array(roles, np.int32), np.array([-1], np.int32))
        if "\n" in value or parsed.flaws:
            continue
        item = json.loads(line)[key]
        if roles == [0]:
            assert parsed.scores[0, 0] == item
            assert not isinstance(item, bool)
        else:
            text = cell_texts(line, parsed.spans[:, 0], False)[0]
            assert text == item or json.loads(str(text)) == item


@pytest.mark.parametrize(
    "line",
    [
        '{"id":1,"a \\"key\\"":2,"logits":[1,2]} {}',
        '{"id":1,"a \\"key\\"":2,"logits":[1,2]},',
        '{"id":1,"a \\"key\\"":2,"logits":[1,2],"more":3}',
        '{"id":1,"a \\"key\\"":2,"logits":[1,2]',
        '{"id":1,"a \\"key\\"":2,"logits":[1,2,]}',
        '{"id":1,"a \\"key\\"":NaN,"logits":[1,2]}',
        '{"id":1,"logits":[1,2],"a \\"key\\"":2}',
        '[{"id":1,"a \\"key\\"":2,"logits":[1,2]}]',
        "{}",
        "{",
        "\x00",
    ],
)
def test_lines_that_are_odd(line: str) -> None:
    good = '{"id":1,"a \\"key\\"":2,"logits":[1,2]}\n'
    parsed = read(good + line + "\n" + good)
    assert [(flaw.row, flaw.cell) for flaw in parsed.flaws] == [(1, (len(good), len(good) + len(line)))]


def test_no_lines() -> None:
    for text in ("", "\n", " \r\n\t\n"):
        parsed = read(text)
        assert (parsed.scores.shape, parsed.flaws, parsed.starts.tolist()) == ((0, 3), [], [len(text)])
