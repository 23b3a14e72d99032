"""Tables of logits in files, and a job over them as ``predict`` sets it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from softmax_cli.distributed.plan import Unit, UnitReader, plan_units
from softmax_cli.prediction.bad_rows import Policy
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.parts.part_files import PartFormat, ScoreUnit
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.prediction.transform import build_transform
from softmax_cli.stream.inputs import input_files
from softmax_cli.stream.scores import Inputs, open_scores
from softmax_cli.tables.table import WriteOptions

Job = tuple[ScoreUnit, tuple[Unit, ...]]
MakeJob = Callable[..., Job]


def _logits(rows: int, seed: int = 0) -> pa.Table:
    drawn = np.random.default_rng(seed).normal(size=(rows, 3), scale=5).astype(np.float32)
    ids = pa.array([f"{seed}-{row}" for row in range(rows)], pa.string())
    return pa.table({"id": ids} | {f"logit_{name}": pa.array(drawn[:, i]) for i, name in enumerate("abc")})


def _write(path: Path, table: pa.Table, group_rows: int = 7) -> str:
    pq.write_table(table, path, row_group_size=group_rows)
    return str(path)


@pytest.fixture(scope="session")
def logits() -> Callable[..., pa.Table]:
    """Draw a table with an id, three classes, and a wide spread: ``logits(rows, seed)``."""
    return _logits


@pytest.fixture(scope="session")
def write() -> Callable[..., str]:
    """Write a Parquet file of small row groups: ``write(path, table, group_rows)``."""
    return _write


@pytest.fixture
def make_job() -> MakeJob:
    """Set up a job: ``make_job(files, folder, suffix)``."""

    def make(
        files: Sequence[str],
        folder: Path,
        suffix: str = ".parquet",
        unit_bytes: int = 1 << 30,
        threads: int = 1,
        policy: Policy = "error",
        scoring: Scoring | None = None,
    ) -> Job:
        inputs = Inputs(input_files(files))
        units = plan_units(inputs.files, unit_bytes)
        with open_scores(inputs) as opened:
            transform = build_transform(opened.columns, scoring or Scoring(), Layout(), "float32", policy)
            form = PartFormat(suffix, transform.schema(opened.table.schema), WriteOptions())
            places = (str(folder), str(folder))
            return ScoreUnit(UnitReader.of(inputs, opened), transform, form, *places, len(units), threads), units

    return make
