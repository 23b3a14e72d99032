"""JSON lines and arrays: valid JSON out, and every row, number and fault of what is read."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.formats import json as json_format
from softmax_cli.formats import jsonl
from softmax_cli.formats.json.reader import line_blocks, line_rows, open_table
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.batch import Batch, ListColumn
from softmax_cli.tables.schema import Field, Schema
from softmax_cli.tables.table import Decoded, Fault, ReadOptions, Table, WriteOptions

PROBABILITY = {b"softmax_cli": b"prob"}
NUMBER = {b"softmax_cli": b"number"}
# The first table of a process loads what pyarrow needs for Python lists: slow once, and no fault of the strategy.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(st.characters(codec="utf-8"))
scores = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(10**6), 10**6))


def written(form: Any, given_batch: pa.RecordBatch | Batch, size: int = 3) -> str:
    """A file of a batch, encoded in pieces of `size` rows."""
    batch = given_batch if isinstance(given_batch, Batch) else from_arrow(given_batch)
    file = io.BytesIO()
    writer = form.write(file, batch.schema, WriteOptions())
    for start in range(0, max(batch.num_rows, 1), size):
        writer.write(writer.encode(batch.slice(start, size)))
    writer.close()
    return file.getvalue().decode()


def opened(text: str | bytes, form: Any = jsonl) -> Table:
    """A table read from memory."""
    data = text.encode() if isinstance(text, str) else text
    table: Table = form.read(io.BytesIO(data), "f.jsonl", ReadOptions())
    return table


def only(table: Table, *columns: str) -> Decoded:
    """The single block of a table."""
    (block,) = table.blocks
    return table.decode(block, columns)


@st.composite
def tables(draw: st.DrawFn) -> pa.RecordBatch:
    """Text, whole numbers and computed columns."""
    rows = draw(st.integers(0, 8))
    strategies: dict[str, tuple[pa.Field, st.SearchStrategy[Any]]] = {
        "s": (pa.field("text", pa.string()), st.one_of(st.none(), texts)),
        "plain": (pa.field('a "key"', pa.string()), st.text("abcé", max_size=5) | st.text('a\\"\x1f', max_size=2)),
        "d": (pa.field("label", pa.dictionary(pa.int32(), pa.string())), st.one_of(st.none(), texts)),
        "i": (pa.field("rank", pa.int64()), st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))),
        "x": (pa.field("x", pa.float64()), st.one_of(st.none(), st.floats())),
        "p": (pa.field("prob_a", pa.float64(), metadata=PROBABILITY), st.one_of(st.none(), st.floats(0, 1))),
        "q": (pa.field("prob_b", pa.float64(), metadata=PROBABILITY), st.floats(1e-90, 1)),
        "n": (pa.field("logit_a", pa.float64(), metadata=NUMBER), st.floats(-1e9, 1e9) | st.just(-math.inf)),
    }
    names = draw(st.lists(st.sampled_from(list(strategies)), min_size=1, unique=True))
    fields = [strategies[name][0] for name in names]
    cells = [draw(st.lists(strategies[name][1], min_size=rows, max_size=rows)) for name in names]
    arrays = [pa.array(c, f.type, from_pandas=False) for f, c in zip(fields, cells, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


@unhurried
@given(tables(), st.integers(1, 9))
def test_what_is_written_is_json(batch: pa.RecordBatch, size: int) -> None:
    """Both formats parse to the same rows, with null for what JSON has no number for, however the rows are cut."""
    lines = [json.loads(line, parse_constant=pytest.fail) for line in written(jsonl, batch, size).split("\n")[:-1]]
    assert json.loads(written(json_format, batch, size), parse_constant=pytest.fail) == lines
    wanted = batch.to_pylist()
    assert len(lines) == len(wanted)
    for row, cells in zip(lines, wanted, strict=True):
        assert list(row) == batch.schema.names
        for key, value in cells.items():
            if isinstance(value, float):
                approximate = pytest.approx(value, rel=5.1e-9, abs=1e-300)
                assert row[key] == (approximate if math.isfinite(value) else None)
            else:
                assert row[key] == value


def test_the_bytes_that_are_written() -> None:
    """Computed numbers look as in CSV; lists are arrays; a bad row has null."""
    prob = ListColumn(np.array([[0.25, 0.75], [0, 0]], np.float32), np.array([True, False]))
    columns = [pa.array(["a", 'b"']), pa.array([[1, 2], None]), prob]
    fields = [Field(name, column.type) for name, column in zip(["id", "v", "prob"], columns, strict=True)]
    batch = Batch(Schema([*fields[:2], fields[2]._replace(metadata=PROBABILITY)]), columns, 2)
    first = '{"id":"a","v":[1,2],"prob":[0.250000000000,0.750000000000]}'
    second = '{"id":"b\\"","v":null,"prob":null}'
    assert written(jsonl, batch) == f"{first}\n{second}\n"
    assert written(json_format, batch, size=1) == f"[\n{first},\n{second}\n]\n"
    assert written(jsonl, batch.slice(2)) == ""
    assert json.loads(written(json_format, batch.slice(2))) == []


@unhurried
@given(st.lists(st.tuples(texts, st.lists(scores, min_size=3, max_size=3)), min_size=1), st.integers(1, 60))
def test_any_block_size_reads_the_same_rows(rows: list[tuple[str, list[float]]], size: int) -> None:
    """Rows and their line numbers do not depend on where the file is cut."""
    text = "\n\n".join(json.dumps({"id": name, "logits": values}) for name, values in rows)
    table = open_table(line_blocks(io.BytesIO(text.encode()), "f.jsonl", size), line_rows, "f.jsonl")
    found, places = [], []
    for block in table.blocks:
        decoded = table.decode(block, ["logits"])
        assert not decoded.faults
        found += decoded.batch.to_pylist()
        places += [decoded.place(i, None).where for i in range(decoded.batch.num_rows)]
    assert found == [{"id": name, "logits": list(map(float, values))} for name, values in rows]
    assert places == [f"f.jsonl:{2 * i + 1}" for i in range(len(rows))]


plain_rows = st.fixed_dictionaries(
    {"id": st.integers(0, 10**12), "name": texts, "a": scores, "v": st.lists(scores, min_size=2, max_size=2)}
)
odd_values: st.SearchStrategy[Any] = st.sampled_from(
    [None, "x", True, 1.5, 10**25, [], [1], [1, None], [1, "x"], {}, float("inf"), float("nan"), -0.0, "007"]
)
odd_rows = st.dictionaries(st.sampled_from(["id", "name", "a", "v", "other"]), odd_values)


@unhurried
@given(plain_rows, st.lists(st.one_of(plain_rows, plain_rows, odd_rows), max_size=4))
def test_the_order_of_the_keys_does_not_matter(first: dict[str, Any], others: list[dict[str, Any]]) -> None:
    """Rows like the first are read by compiled code, all others by Python's parser: values and faults are the same."""
    lines = [json.dumps(row) for row in [first, *others]]
    turned = [json.dumps(first), *(json.dumps(dict(reversed(row.items()))) for row in others)]
    found, wanted = (only(opened("\n".join([*text, ""])), "a", "v") for text in (lines, turned))
    assert repr(found.batch.to_pylist()) == repr(wanted.batch.to_pylist())
    assert found.faults == wanted.faults


def test_every_fault_has_its_line() -> None:
    """Bad rows stay in the batch as nan, named; the others are read."""
    text = (
        b'\xef\xbb\xbf{"id":7,"name":"a","z":1,"logits":[1,2.5]}\r\n'
        b"\n"
        b'{"id":"x","z":"3","logits":[1,"x"]}\n'
        b"nonsense\n"
        b'{"id":1.50,"z":null,"logits":[1e400,-Infinity]}\n'
        b"[1]\n"
        b'{"id":[1],"z":2}\n'
        b'{"id":"\xff","z":2,"logits":[0,0]}\n'
        b'{"id":8,"z":2,"logits":[1]}\n'
    )
    table = opened(text)
    kinds = {"id": "double", "name": "string", "z": "double", "logits": "fixed_size_list<item: double>[2]"}
    assert {field.name: str(field.type) for field in table.schema} == kinds
    decoded = only(table, "z", "logits")
    assert decoded.batch.column("id").to_pylist() == ["7", "x", None, "1.50", None, "[1]", None, "8"]
    assert decoded.batch.column("logits").to_pylist()[3] == [math.inf, -math.inf]
    assert np.isnan(np.array(decoded.batch.column("z").to_pylist())).tolist() == [0, 1, 1, 1, 1, 0, 1, 0]
    assert decoded.faults == (
        Fault(1, "z", '"3" is not a number'),
        Fault(1, "logits", 'value 2 of the list, "x", is not a number'),
        Fault(2, None, "is not JSON: Expecting value"),
        Fault(3, "z", "is missing"),
        Fault(4, None, "is not a JSON object: [1]"),
        Fault(5, "logits", "is missing"),
        Fault(6, None, "is not UTF-8; convert the file with iconv -t utf-8"),
        Fault(7, "logits", "holds 1 values where the first row has 2"),
    )
    assert [decoded.place(i, None).where for i in range(8)] == [f"f.jsonl:{n}" for n in (1, 3, 4, 5, 6, 7, 8, 9)]
    assert decoded.place(1, "logits").found == '[1,"x"]'
    assert decoded.place(3, "id").found == "1.50"
    assert decoded.place(2, "id").record == "nonsense"


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ('{"v": [1, 2]} {"v": [3, 4]}\n{"v": [5,\n6]}', [(1, None), (2, None), (3, None)]),
        ('{"v": [5,\n6]}', [(1, None), (2, None)]),
        ('{"v": [1]}\n{"v": [1, 2, 3]}', [(1, "v"), (2, "v")]),
        ('{"v": [1, null]}\n{"v": null}\n{}', [(1, "v"), (2, "v"), (3, "v")]),
        ('{"v": [1, 2]', [(1, None)]),
    ],
)
def test_what_is_no_row_of_the_table(rows: str, faults: list[tuple[int, str | None]]) -> None:
    """Objects that share a line or span two, and lists whose lengths only agree in sum."""
    decoded = only(opened('{"v": [0, 0]}\n' + rows + "\n"), "v")
    assert [(fault.row, fault.column) for fault in decoded.faults] == faults


def test_an_array_is_read_like_lines() -> None:
    """With the physical line that each object begins on."""
    decoded = only(opened('[\n {"a": 1,\n  "b": 2},\n\n {"a": 3}\n]\n', json_format), "a", "b")
    assert decoded.batch.column("a").to_pylist() == [1, 3]
    assert decoded.faults == (Fault(1, "b", "is missing"),)
    assert decoded.place(1, "b").where == "f.jsonl:5"


@pytest.mark.parametrize(
    ("form", "data", "message"),
    [
        (jsonl, b"", "f.jsonl: no rows"),
        (jsonl, b"\n \n", "f.jsonl: no rows"),
        (jsonl, b"\noops\n", "f.jsonl:2: expected a JSON object"),
        (jsonl, '{"a": 1}'.encode("utf-16"), "iconv -f utf-16"),
        (json_format, b"[]", "no rows"),
        (json_format, b'{\n"a": 1,\n', "not JSON"),
        (json_format, b'[{"a": 1},\n{"a": ]', "f.jsonl:2: not JSON"),
        (json_format, b'[{"a": 1}\n{"a": 2}]', "f.jsonl:2: the array is cut short"),
        (json_format, b'[{"a": 1}', "cut short"),
        (json_format, b'[{"a": 1},', "f.jsonl:1: not JSON"),
        (json_format, b'[{"a": 1}] x', "after the end of the array"),
        (json_format, b'[{"a": "\xff"}]', "f.jsonl:1: not UTF-8"),
    ],
)
def test_one_message_for_a_bad_file(form: Any, data: bytes, message: str) -> None:
    """What was found, where, and what to do."""
    with pytest.raises(DataError, match=message.replace("[", r"\[")):
        only(opened(data, form))
