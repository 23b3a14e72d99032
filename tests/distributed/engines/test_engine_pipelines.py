"""The transform inside pipelines of Ray Data and Spark: what they hand over, and the examples as they stand."""

import importlib.util
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import softmax as reference

import softmax_cli
from softmax_cli import for_ray, for_spark

EXAMPLES = Path(__file__).parents[3] / "examples"
Z = np.array([[2.0, 1.0, -1.0], [0.5, 0.25, 3.0], [-4.0, -1.0, -2.0]])
TABLE = pa.table({"id": ["x", "y", "z"]} | {f"logit_{name}": Z[:, i] for i, name in enumerate("abc")})


@pytest.fixture
def transform():
    return softmax_cli.transform(TABLE.slice(0, 1), temperature=2.0)


def probabilities(table):
    return np.column_stack([table.column(f"prob_{name}").to_numpy() for name in "abc"])


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_ray_hands_over_tables(transform, chunks):
    pieces = pa.concat_tables(TABLE.slice(start, 4 - chunks) for start in range(0, 3, 4 - chunks))
    scored = pickle.loads(pickle.dumps(transform)) and for_ray(transform)(pieces)
    np.testing.assert_allclose(probabilities(scored), reference(Z / 2, axis=1), rtol=1e-14)
    assert scored.schema == transform.schema(TABLE.schema)
    assert scored.column("id").to_pylist() == ["x", "y", "z"]


def test_a_table_without_rows_keeps_its_columns(transform):
    assert for_ray(transform)(TABLE.slice(0, 0)).schema == transform.schema(TABLE.schema)


def test_spark_hands_over_batches_one_by_one(transform):
    scored = for_spark(transform)(iter(TABLE.to_batches(max_chunksize=2)))
    assert next(scored).num_rows == 2
    last = next(scored)
    assert last.column("prediction").to_pylist() == ["b"]
    assert not any(map(pa.types.is_dictionary, last.schema.types)), "Spark cannot read them"


@pytest.mark.engine
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "library"), [("with_ray", "ray"), ("with_spark", "pyspark")])
def test_an_example_prints_what_pandas_and_scipy_find(program_env, tmp_path, name, library):
    if importlib.util.find_spec(library) is None or (library == "pyspark" and shutil.which("java") is None):
        pytest.skip(f"{library} is not installed")
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        env=program_env | {"RAY_USAGE_STATS_ENABLED": "0", "PYSPARK_PYTHON": sys.executable},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    z = pd.read_parquet(EXAMPLES / "digits.parquet").filter(like="logit_").to_numpy(np.float64)
    expected = reference(z / 1.5, axis=1).max(axis=1).mean()
    assert f"mean confidence {expected:.6f} of 600 rows" in done.stdout
