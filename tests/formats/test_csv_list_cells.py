"""Lists of numbers in the cells of a CSV file, and what else people's delimited files begin and end with."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.formats.csv.list_cells import list_size, read_lists
from softmax_cli.formats.csv.reader import open_table
from softmax_cli.tables.schema import FLOAT64, list_of
from softmax_cli.tables.table import ReadOptions

numbers = st.lists(st.floats(allow_nan=False, width=32), min_size=2, max_size=5)

SPELLINGS = {
    "Python": str,
    "tuple": lambda row: str(tuple(row)),
    "NumPy": lambda row: str(np.array(row)) if all(abs(x) < 1e4 for x in row) else np.array2string(np.array(row)),
    "repr": lambda row: repr(np.array(row, np.float64)),
    "NumPy 2 items": lambda row: "[" + ", ".join(f"np.float64({x})" for x in row) + "]",
    "torch": lambda row: f"tensor({row})",
    "torch on a device": lambda row: f"tensor([{row}], device='cuda:0')",
    "blanks alone": lambda row: " ".join(map(str, row)),
    "bars": lambda row: "|".join(map(str, row)),
    "semicolons": lambda row: "; ".join(map(str, row)),
    "broken line": lambda row: "[" + ",\n ".join(map(str, row)) + "]",
}


@given(st.lists(numbers.filter(lambda row: len(row) == 3), min_size=1, max_size=5), st.sampled_from(list(SPELLINGS)))
def test_every_spelling_of_a_list_is_read(rows, spelling):
    cells = [SPELLINGS[spelling](row) for row in rows]
    assert list_size(cells) == 3
    found, faults = read_lists(cells, 3)
    assert faults == {}
    exact = spelling not in ("NumPy", "repr")
    np.testing.assert_allclose(np.array(found.to_pylist()), rows, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-5)


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("[1, 2]", "holds 2 values where the first row has 3"),
        ("[0.1 0.2 ... 0.3]", "was cut short by NumPy"),
        ("[1, x, 2]", "is not a list of 3 numbers"),
        ("what", "is not a list of 3 numbers"),
        ("", None),
    ],
)
def test_what_is_no_such_list_is_named(cell, problem):
    found, faults = read_lists(["[1, 2, 3]", cell], 3)
    assert np.isnan(found.to_pylist()[1]).all()
    assert (problem is None and not faults) or problem in faults[1]


@pytest.mark.parametrize("cells", [["a", "b"], ["[1, 2]", "x", "y"], ["[]"], ["1.5"], ["[a]"]])
def test_other_text_is_no_list(cells):
    assert list_size(cells) is None


def table(text: str, **options: object):
    return open_table(io.BytesIO(text.encode()), "x.csv", ReadOptions(**options))


def rows_of(text: str, **options: object) -> list[dict]:
    opened = table(text, **options)
    scores = [field.name for field in opened.schema if str(field.type) != "string"]
    return [row for block in opened.blocks for row in opened.decode(block, scores).batch.to_pylist()]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("sep=;\ncat;dog\n2;1\n", ["cat", "dog"]),
        ("sep=,\r\ncat,dog\r\n2,1\r\n", ["cat", "dog"]),
        ("SEP=|\ncat|dog\n2|1\n", ["cat", "dog"]),
        (" cat , dog\n2,1\n", ["cat", "dog"]),
        ("cat,dog,\n2,1,\n", ["cat", "dog"]),
        ("cat,dog,,\n2,1,,\n", ["cat", "dog"]),
        (",cat,dog\n,2,1\n", ["cat", "dog"]),
        ("cat,dog\n2,1,\n3,4,\n", ["cat", "dog"]),
        ("cat dog\n2.0 1.0\n3.5 4.0\n", ["cat", "dog"]),
        ("# cat,dog\n2.0,1.0\n", ["cat", "dog"]),
        ("# cat dog\n2.0 1.0\n3.5 4.0\n", ["cat", "dog"]),
        ("# made by a program\n# of ours\ncat;dog\n2.0;1.0\n", ["cat", "dog"]),
        ('"cat" ,"dog "\n2.0,1.0\n', ["cat", "dog"]),
        ("  cat   dog\n 2.00  1.00\n13.50 14.00\n", ["cat", "dog"]),
    ],
)
def test_what_stands_around_a_table_is_no_part_of_it(text, names):
    assert table(text).schema.names == names
    assert list(rows_of(text)[0].values()) == [2.0, 1.0]


def test_a_nameless_column_that_holds_something_is_kept():
    assert table(",cat,dog\n7,2,1\n").schema.names == ["", "cat", "dog"]
    assert table("cat,dog,\n2,1,7\n").schema.names == ["cat", "dog", ""]
    assert table("cat,dog\nr1,2,1\nr2,3,4\n").schema.names == ["", "cat", "dog"]  # R's row names


def test_a_nameless_column_that_is_filled_later_is_refused(monkeypatch):
    monkeypatch.setattr("softmax_cli.formats.csv.sniff._ROWS_LOOKED_AT_LEAST", 2)
    monkeypatch.setattr("softmax_cli.formats.csv.sniff._CELLS_LOOKED_AT", 1)
    with pytest.raises(DataError, match=r"x\.csv:4: '7' stands in a column without a name that was empty before"):
        rows_of("cat,dog,\n2,1,\n2,1,\n3,4,7\n")


def test_dropping_is_said():
    assert table("cat,dog,\n2,1,\n").notes == ("x.csv: column 3 has no name and is empty: left out",)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1,2,3\n0.5,1.5,0.25\n", ["1", "2", "3"]),
        ("0,1\n0.5,1.5\n", ["0", "1"]),
        ("0,1,2\n5,3,1\n", ["0", "1", "2"]),
        ("id,1,2\na,3,1\n", ["id", "1", "2"]),
    ],
)
def test_a_header_of_numbers_is_a_header(text, names):
    opened = table(text)
    assert (opened.schema.names, len(rows_of(text))) == (names, 1)


@pytest.mark.parametrize("text", ["1,2,3\n4,5,6\n", "0,1\n1,0\n", "0\n5\n", "1.5,2\n3,4\n", "1,2\n2,1\n"])
def test_other_first_lines_of_numbers_are_data(text):
    assert len(rows_of(text)) == 2


@pytest.mark.parametrize(
    "cell", ["98%", "98 %", "1,234.5", "1 234", "1'234.5", "98,5 %", "2.0f", "0x1p3", "\u22122.0", "'2.0'"]
)
def test_numbers_spelled_for_people_are_refused_and_not_left_out(cell):
    opened = table(f"a;b;c\n{cell};1;2\n{cell};1;2\n", delimiter=";")
    assert str(opened.schema.field("a").type) == "double"
    (block,) = opened.blocks
    assert "is not a number" in opened.decode(block, ["a"]).faults[0].problem


# -- in the program


@pytest.mark.parametrize("spelling", [name for name in SPELLINGS if name != "broken line"])
def test_lists_in_cells_are_scores(softmax_cli, tmp_path, spelling):
    rows = [[0.7, 0.3], [0.2, 0.8]]
    frame = pd.DataFrame({"text": ["hi", "yo"], "probs": [SPELLINGS[spelling](row) for row in rows], "label": [0, 1]})
    frame.to_csv(tmp_path / "x.csv", index=False)
    found = [json.loads(line) for line in softmax_cli("predict", "x.csv", "--format", "jsonl").text.splitlines()]
    assert [[row["prob_0"], row["prob_1"]] for row in found] == rows
    report = json.loads(softmax_cli("evaluate", "x.csv", "--json").out)
    assert report["figures"]["accuracy"]["value"] == 1
    assert softmax_cli("inspect", "x.csv").code == 0


def test_a_list_of_another_length_names_its_line(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text('logits\n"[1, 2]"\n"[1, 2, 3]"\n')
    done = softmax_cli("predict", "x.csv")
    assert done.code == 1
    assert "x.csv:3: column 'logits': holds 3 values where the first row has 2" in done.err


@pytest.mark.parametrize(
    ("name", "is_list"), [("logits", True), ("pred_probs", True), ("when", False), ("score", False)]
)
def test_lists_without_brackets_are_lists_under_a_name_of_scores_alone(name, is_list):
    found = table(f"id,{name}\n1,2020 01 02\n2,2021 03 04\n").schema.field(name).type
    assert (found == list_of(FLOAT64, 3)) is is_list


def test_a_list_without_brackets_is_read_as_its_name_says(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text("id,probs\n1,0.7|0.2|0.1\n2,0.5|x|0.2\n3,1|0|0\n")
    done = softmax_cli("predict", "x.csv", "-q", "--emit", "prob", "--on-bad-row", "skip")
    assert done.text.splitlines()[1] == "1,0,0.700000000000,0.700000000000,0.200000000000,0.100000000000"
    assert len(done.text.splitlines()) == 3
    assert "x.csv:3: column 'probs'" in softmax_cli("predict", "x.csv", "-q").err
