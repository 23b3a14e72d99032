"""The JSON writer by itself: objects that Python reads back, in either frame, however the rows are cut."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.formats.json.writer import ARRAY, LINES, Frame, JsonWriter
from softmax_cli.tables.arrays import from_arrow, from_arrow_schema
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.table import WriteOptions

SCHEMA = pa.schema(
    [
        pa.field('na"me', pa.string()),
        pa.field("n", pa.int64()),
        pa.field("prob_a", pa.float64(), metadata={METADATA_KEY: b"{}"}),
        pa.field("prob", pa.list_(pa.float64(), 2), metadata={METADATA_KEY: b"{}"}),
    ]
)


def written(frame: Frame, *batches: pa.RecordBatch, schema=SCHEMA, **options) -> str:
    file = io.BytesIO()
    writer = JsonWriter(file, from_arrow_schema(schema), WriteOptions(**options), frame)
    for batch in batches:
        writer.write(writer.encode(from_arrow(batch)))
    writer.close()
    return file.getvalue().decode()


def read(text: str, frame: Frame) -> list[dict]:
    return json.loads(text) if frame is ARRAY else [json.loads(line) for line in text.split("\n")[:-1]]


rows = st.lists(
    st.fixed_dictionaries(
        {
            'na"me': st.none() | st.text(st.characters(codec="utf-8")),
            "n": st.none() | st.integers(-(2**62), 2**62),
            "prob_a": st.none() | st.sampled_from([0.0, 0.5, 1.0]),
            "prob": st.none() | st.just([0.25, 0.75]),
        }
    ),
    max_size=6,
)


@pytest.mark.parametrize("frame", [LINES, ARRAY])
@given(rows=rows, cut=st.integers(0, 6))
def test_python_reads_back_what_was_written(frame, rows, cut):
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    text = written(frame, batch)
    assert read(text, frame) == rows
    assert written(frame, batch.slice(0, cut), batch.slice(cut)) == text


@pytest.mark.parametrize(("frame", "text"), [(LINES, ""), (ARRAY, "[\n\n]\n")])
def test_without_rows(frame, text):
    assert written(frame) == text


@pytest.mark.parametrize(
    ("options", "text"), [({"digits": 3}, "0.333"), ({"decimals": 2}, "0.33"), ({"digits": 17}, "0.3333333333333333")]
)
def test_numbers_are_put_down_as_in_csv(options, text):
    schema = pa.schema([SCHEMA.field("prob_a")])
    batch = pa.record_batch([pa.array([1 / 3])], schema=schema)
    assert written(LINES, batch, schema=schema, **options).startswith(f'{{"prob_a":{text}')


def test_what_is_no_number_is_null():
    schema = pa.schema([pa.field("logprob_a", pa.float64(), metadata={METADATA_KEY: b"{}"})])
    batch = pa.record_batch([pa.array([np.nan, -np.inf, None, -1.5])], schema=schema)
    values = [row["logprob_a"] for row in read(written(LINES, batch, schema=schema), LINES)]
    assert values == [None, None, None, -1.5]


def test_objects_without_columns():
    empty = pa.record_batch([pa.array([1, 2])], names=["a"]).select([])
    assert written(ARRAY, empty, schema=empty.schema) == "[\n{},\n{}\n]\n"
