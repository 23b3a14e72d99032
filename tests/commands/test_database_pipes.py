"""The recipes that join other programs by a pipe, run as they are shown there."""

import re
import shutil
import sqlite3
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.pipe

ROOT = Path(__file__).parents[2]
RECIPES = dict(
    re.findall(
        r"<!-- pipe: (\w+) -->\n```sh\n(.*?)```",
        (ROOT / "examples" / "files_and_pipes.md").read_text("utf-8"),
        re.DOTALL,
    )
)


@pytest.fixture
def logits(tmp_path):
    path = tmp_path / "logits.parquet"
    shutil.copy(ROOT / "examples" / "digits.parquet", path)
    return pq.read_table(path)


@pytest.fixture
def expected(softmax_cli, logits):
    """Give the ids and the predictions that the program makes of the file itself."""
    done = softmax_cli("predict", "logits.parquet", "-q", "--format", "arrow")
    return pa.ipc.open_stream(done.out).read_all().select(["id", "prediction", "confidence"])


@pytest.fixture
def recipe(program_env, tmp_path):
    def run(name):
        command = ["bash", "-euo", "pipefail", "-c", RECIPES[name]]
        done = subprocess.run(command, cwd=tmp_path, env=program_env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_every_recipe_is_run_here():
    assert set(RECIPES) == {"duckdb", "polars", "pandas", "sqlite"}


def test_duckdb(recipe, tmp_path, logits, expected):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(tmp_path / "logits.duckdb") as base:
        base.sql("CREATE TABLE logits AS FROM logits")
    recipe("duckdb")
    with duckdb.connect(tmp_path / "probs.duckdb") as base:
        probs = base.sql("SELECT id, prediction, confidence FROM probs").to_arrow_table()
    assert probs.cast(expected.schema) == expected


@pytest.mark.skipif(find_spec("polars") is None, reason="polars is not installed")
def test_polars(recipe, tmp_path, expected):
    recipe("polars")
    probs = pq.read_table(tmp_path / "probs.parquet").select(expected.schema.names)
    assert probs.cast(expected.schema) == expected


def test_pandas(recipe, expected):
    shown = recipe("pandas").splitlines()
    assert shown[1].split() == ["0", *(column[0].as_py() for column in expected.columns[:2])]


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")
def test_sqlite(recipe, tmp_path, logits, expected):
    names = logits.schema.names
    with sqlite3.connect(tmp_path / "logits.sqlite") as base:
        base.execute(f"CREATE TABLE logits ({', '.join(names)})")
        places = ", ".join("?" * len(names))
        base.executemany(f"INSERT INTO logits VALUES ({places})", [tuple(row.values()) for row in logits.to_pylist()])
    base.close()
    recipe("sqlite")
    with sqlite3.connect(tmp_path / "probs.sqlite") as base:
        found = base.execute("SELECT id, prediction FROM probs").fetchall()
    base.close()
    assert found == [(row["id"], row["prediction"]) for row in expected.to_pylist()]
