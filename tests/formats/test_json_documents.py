"""JSON in every shape that a table of scores comes in. The law: the shape does not change the table."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from softmax_cli.errors import DataError
from softmax_cli.formats import json as json_format
from softmax_cli.formats import jsonl
from softmax_cli.formats.json.documents import open_json
from softmax_cli.tables.table import ReadOptions

RECORDS = [{"id": "a", "cat": 2.5, "dog": 1.0}, {"id": "b", "cat": 0.5, "dog": -1.5}]
FRAME = pd.DataFrame(RECORDS)

SHAPES = {
    "lines": "".join(json.dumps(row) + "\n" for row in RECORDS),
    "blank lines": "\n" + "\n\n".join(json.dumps(row) for row in RECORDS),
    "array": json.dumps(RECORDS),
    "pretty array": json.dumps(RECORDS, indent=2),
    "columns": json.dumps(FRAME.to_dict("list")),
    "pretty columns": json.dumps(FRAME.to_dict("list"), indent=1),
    "wrapped": json.dumps({"model": "m", "results": RECORDS, "n": 2}),
    "pandas": FRAME.to_json(),
    "pandas index": FRAME.to_json(orient="index"),
    "pandas split": FRAME.to_json(orient="split"),
    "pandas table": FRAME.to_json(orient="table", index=False),
}


def rows_of(text: str, scores: tuple[str, ...] = ("cat", "dog"), form=jsonl, **options: object) -> list[dict]:
    table = form.read(io.BytesIO(text.encode()), "x", ReadOptions(**options))
    return [row for block in table.blocks for row in table.decode(block, scores).batch.to_pylist()]


@pytest.mark.parametrize("form", [json_format, jsonl])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_the_same_table(shape, form):
    assert rows_of(SHAPES[shape], form=form) == RECORDS


@pytest.mark.parametrize(
    "text",
    [
        "[2.5, 1.0, -3]\n[0.5, -1.5, 4]\n",
        "[[2.5, 1.0, -3], [0.5, -1.5, 4]]",
        "[\n [2.5, 1.0, -3],\n [0.5, -1.5, 4]\n]\n",
        '{"logits": [2.5, 1.0, -3]}\n{"logits": [0.5, -1.5, 4]}\n',
        '{"logits": [[2.5, 1.0, -3], [0.5, -1.5, 4]], "n": [1, 2]}',
    ],
)
@pytest.mark.parametrize("form", [json_format, jsonl])
def test_arrays_of_scores(text, form):
    assert [row["logits"] for row in rows_of(text, ("logits",), form)] == [[2.5, 1.0, -3.0], [0.5, -1.5, 4.0]]


@pytest.mark.parametrize(
    "text",
    [
        '{"logits": {"cat": 2.5, "dog": "-Infinity"}}\n{"logits": {"dog": "-inf", "cat": 2.5}}\n',
        '{"logits": [{"label": "cat", "score": 2.5}, {"label": "dog", "score": "-Infinity"}]}\n' * 2,
        '[{"label": "cat", "score": 2.5}, {"label": "dog", "score": -Infinity}]\n' * 2,
        '{"logits": [{"class": "cat", "logit": 2.5}, {"class": "dog", "logit": -Infinity}]}\n' * 2,
        '[[{"label": "cat", "score": 2.5}, {"label": "dog", "score": -Infinity}],\n'
        '[{"label": "dog", "score": -Infinity}, {"label": "cat", "score": 2.5}]]',
    ],
)
def test_scores_by_the_names_of_their_classes(text):
    expected = {"cat": 2.5, "dog": float("-inf")}
    assert [row["logits"] for row in rows_of(text, ("logits",))] == [expected, expected]


def test_numbers_that_json_has_no_name_for():
    (row,) = rows_of('{"logits": [1, "-Infinity", "inf", "NaN"]}', ("logits",))
    assert row["logits"][:3] == [1, float("-inf"), float("inf")]
    assert row["logits"][3] != row["logits"][3]


def test_one_object_is_one_row():
    assert rows_of('{"id": "a", "cat": 2.5, "dog": 1.0}') == RECORDS[:1]
    assert rows_of('{"logits": [1, 2]}', ("logits",), json_format) == [{"logits": [1.0, 2.0]}]


def test_one_value_a_row_is_a_column_where_that_is_wanted():
    assert rows_of('["cat", "dog"]', (), json_format, single_values=True) == [{"0": "cat"}, {"0": "dog"}]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"logits": {"a": 1, "b": 2}}\n{"logits": {"a": 1}}\n', "has no score of 'b', which the first row has"),
        ('{"logits": {"a": 1, "b": 2}}\n{"logits": {"a": 1, "b": 2, "c": 3}}\n', "has a score of 'c', which the first"),
        ('{"logits": {"a": 1, "b": 2}}\n{"logits": [1, 2]}\n', "is no object of scores by class"),
        ('{"logits": {"a": 1, "b": 2}}\n{"logits": null}\n', "is missing"),
        ('{"logits": {"a": 1, "b": 2}}\n{"logits": {"a": 1, "b": "x"}}\n', '"x" is not a number'),
        ("[1, 2]\n[1, 2, 3]\n", "holds 3 values where the first row has 2"),
        ('{"logits": [1, 2]}\n[3, 4]\n', "is not a JSON object: [3, 4]"),
    ],
)
def test_a_row_of_another_shape_is_a_fault(text, fault):
    table = jsonl.read(io.BytesIO(text.encode()), "x.jsonl", ReadOptions())
    (block,) = table.blocks
    (found,) = table.decode(block, ("logits",)).faults
    assert (found.row, fault in found.problem) == (1, True), found.problem


def test_rows_of_columns_are_numbered():
    table = open_json(io.BytesIO(b'{"cat": [1, "x"], "dog": [2, 3]}'), "x.json", ReadOptions())
    (block,) = table.blocks
    decoded = table.decode(block, ("cat", "dog"))
    assert decoded.place(decoded.faults[0].row, "cat").where == "x.json: row 2"


def test_columns_of_different_lengths_are_one_row():
    assert len(rows_of('{"cat": [1, 2], "dog": [1]}', ())) == 1


@pytest.mark.parametrize("text", ['{\n "a": 1,\n', '{"a": [\n1, 2\n', "[\n[1, 2],\n"])
def test_a_document_that_is_cut_short_is_no_json(text):
    with pytest.raises(DataError, match=r"not JSON|cut short"):
        rows_of(text)


@pytest.mark.parametrize("shape", [*SHAPES])
def test_the_program_reads_them_alike(softmax_cli, tmp_path, shape):
    (tmp_path / "x.json").write_text(SHAPES[shape])
    for name, stdin in (("x.json", b""), ("-", SHAPES[shape].encode())):
        done = softmax_cli("predict", name, "--format", "jsonl", stdin=stdin)
        rows = [json.loads(line) for line in done.text.splitlines()]
        assert [row["prob_cat"] for row in rows] == pytest.approx([0.8175744761936437, 0.8807970779778823])
        assert [str(row["id"]) for row in rows] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"predictions": [[0.75, 0.25], [0.5, 0.5]]}', "logits"),  # TensorFlow Serving
        ('{\n "outputs": [[0.75, 0.25],\n [0.5, 0.5]], "model": "m"}', "logits"),
        ('{"probabilities": [[0.75, 0.25], [0.5, 0.5]]}', "prob"),
        ('[{"label": "0", "prob": 0.75}, {"label": "1", "prob": 0.25}]\n' * 2, "prob"),
        (  # vLLM
            '{"top_logprobs": [{"token": "0", "logprob": -0.2876820724517809}, {"token": "1", "logprob": '
            "-1.3862943611198906}]}\n",
            "prob",
        ),
        (  # BigQuery ML
            '{"predicted_label": "0", "predicted_label_probs": [{"label": "0", "prob": 0.75}, {"label": "1", "prob": '
            "0.25}]}\n",
            "prob",
        ),
    ],
)
def test_what_services_answer_is_a_table(softmax_cli, tmp_path, text, kind):
    (tmp_path / "x.json").write_text(text)
    done = softmax_cli("predict", "x.json", "-q", "--emit", "prob")
    first = 0.75 if kind == "prob" else 1 / (1 + np.exp(-0.5))
    assert f"{first:.3g}" in done.text.splitlines()[1]
    assert ("as probabilities do, but were read as logits" in done.err) is (kind == "logits")


@pytest.mark.parametrize(
    "text",
    ['{"id": "a", "boxes": [[1, 2], [3, 4]]}', '{"logits": [[1, 2], [3]]}', '{"predictions": [1, 2], "n": [[1, 2]]}'],
)
def test_lists_of_numbers_under_other_names_are_no_rows(softmax_cli, tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    done = softmax_cli("predict", "x.json")
    assert done.code != 0
    assert "no column looks like a score" in done.err
