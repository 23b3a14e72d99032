"""Tables and values of a report as they are written: every format, all digits, null for what is not known."""

import io
import json
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli import formats
from softmax_cli.storage.compression import COMPRESSIONS
from softmax_cli.stream.outputs import finite_or_null, table_writer, write_table
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.table import WriteOptions


@dataclass(frozen=True)
class Line:
    name: str
    rows: int
    share: float
    spare: float | None = None


LINES = [Line("cat", 3, 1 / 3), Line("a,b", 0, math.nan)]
READERS = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda path: pd.read_json(path, lines=True)}


@pytest.mark.parametrize("suffix", READERS)
def test_dataclasses_are_rows(tmp_path, suffix):
    path = tmp_path / f"out.{suffix}"
    write_table(Line, LINES, str(path), force=False)
    read = READERS[suffix](path)
    assert list(read.columns) == ["name", "rows", "share"], "a field that is None throughout is left out"
    assert read["name"].tolist() == ["cat", "a,b"]
    assert read["rows"].tolist() == [3, 0]
    assert read["share"][0] == pytest.approx(1 / 3, abs=1e-10)
    assert math.isnan(read["share"][1])


def test_no_digit_is_lost(tmp_path):
    write_table(Line, LINES, str(tmp_path / "out.csv"), force=False)
    assert float((tmp_path / "out.csv").read_text().splitlines()[1].split(",")[2]) == 1 / 3


def test_without_rows_the_columns_are_there(tmp_path):
    write_table(Line, [], str(tmp_path / "out.csv"), force=False)
    assert (tmp_path / "out.csv").read_text() == "name,rows,share,spare\n"


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
