"""Tables and values of a report as they are written: every format, all digits, null for what is not known."""

import io
import json
import math
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli import formats
from softmax_cli.storage.compression import COMPRESSIONS
from softmax_cli.stream.outputs import finite_or_null, json_bytes, print_json, table_writer, write_table
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.table import WriteOptions

LINES = [
    {"name": "cat", "rows": 3, "share": 1 / 3, "spare": None},
    {"name": "a,b", "rows": 0, "share": math.nan, "spare": None},
]
READERS = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda path: pd.read_json(path, lines=True)}


@pytest.mark.parametrize("suffix", READERS)
def test_every_row_is_a_line(tmp_path, suffix):
    path = tmp_path / f"out.{suffix}"
    write_table(LINES, str(path), force=False)
    read = READERS[suffix](path)
    assert list(read.columns) == ["name", "rows", "share"], "a column that is None throughout is left out"
    assert read["name"].tolist() == ["cat", "a,b"]
    assert read["rows"].tolist() == [3, 0]
    assert read["share"][0] == pytest.approx(1 / 3, abs=1e-10)
    assert math.isnan(read["share"][1])


def test_no_digit_is_lost(tmp_path):
    write_table(LINES, str(tmp_path / "out.csv"), force=False)
    assert float((tmp_path / "out.csv").read_text().splitlines()[1].split(",")[2]) == 1 / 3


@pytest.mark.parametrize("compression", [None, COMPRESSIONS[0]])
def test_a_table_has_its_end_and_the_file_stays_open(compression):
    batch = from_arrow(pa.record_batch({"a": [1.5]}))
    file = io.BytesIO()
    form, _ = formats.by_suffix("x.json")
    with table_writer(file, form, compression, batch.schema, WriteOptions()) as writer:
        writer.write(writer.encode(batch))
    data = file.getvalue()
    assert json.loads(data if compression is None else compression.read(io.BytesIO(data), "x").read()) == [{"a": 1.5}]


plain = st.recursive(
    st.one_of(st.floats(), st.integers(), st.text(), st.none()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
)


@given(plain)
def test_whatever_comes_out_is_json(value):
    json.dumps(finite_or_null(value), allow_nan=False)


def test_only_what_is_not_finite_changes():
    assert finite_or_null({"a": (1.5, math.inf, "nan", np.float64("nan"), -0.0)}) == {"a": [1.5, None, "nan", None, 0]}


def test_a_report_is_one_document_of_plain_json(capfdbinary):
    """Whatever file it speaks of: bytes of its name that are no UTF-8 are escaped."""
    print_json({"source": os.fsdecode(b"caf\xe9.csv"), "ece": math.inf, "class": "naïve"})
    printed = capfdbinary.readouterr().out
    assert printed == json_bytes({"source": os.fsdecode(b"caf\xe9.csv"), "ece": None, "class": "naïve"})
    assert printed == b'{\n "source": "caf' + rb"\udce9" + '.csv",\n "ece": null,\n "class": "naïve"\n}\n'.encode()
