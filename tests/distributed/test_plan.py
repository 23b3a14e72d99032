"""Files are cut into units that hold every row once, and the units are spread over the cores."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.distributed.plan import UNIT_BYTES, Unit, plan_units, spread
from softmax_cli.errors import UsageError
from softmax_cli.stream.inputs import InputFile, input_files


@settings(max_examples=25)
@given(groups=st.integers(0, 30), group_rows=st.integers(1, 20), unit_bytes=st.integers(1, 5000))
def test_units_hold_every_row_group_once_and_in_order(groups, group_rows, unit_bytes):
    with tempfile.TemporaryDirectory() as scratch:
        path = str(Path(scratch, "in.parquet"))
        pq.write_table(pa.table({"logit_a": np.ones(groups * group_rows)}), path, row_group_size=group_rows)
        units = plan_units(input_files([path]), unit_bytes)
        assert [unit.number for unit in units] == list(range(len(units)))
        if len(units) > 1:
            assert [group for unit in units for group in unit.row_groups] == list(range(groups))
            assert sum(unit.size for unit in units) == pytest.approx(os.path.getsize(path), abs=len(units))
        else:
            assert units[0].row_groups is None


def test_a_csv_stays_whole(tmp_path):
    (tmp_path / "in.csv").write_text("a,b\n" + "1,2\n" * 100)
    path = str(tmp_path / "in.csv")
    assert plan_units(input_files([path]), unit_bytes=10) == (Unit(0, InputFile(path, "csv"), None, 404),)


def test_a_stream_is_refused():
    with pytest.raises(UsageError, match="standard input is a stream"):
        plan_units(input_files(["-"]))


@given(st.lists(st.integers(0, 5 * UNIT_BYTES), min_size=1, max_size=9), st.integers(1, 64))
def test_no_core_is_used_twice(unit_sizes, cores):
    units = [Unit(number, "x", None, size) for number, size in enumerate(unit_sizes)]
    at_once, threads = spread(units, cores)
    assert 1 <= at_once * threads <= cores
    assert at_once <= len(units)
