"""Two thousand damaged files and some hundred odd columns: no crash, no hang, no changed value, one short message."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(program_env, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=program_env, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout[-4000:] + done.stderr[-4000:]


def test_mutants(program_env):
    code, told = run(program_env, "-m", "tests.mutation", "--per-format", "170", "--jobs", "2")
    assert code == 0, told
    assert ": 0 failures" in told


def test_column_types(program_env):
    code, told = run(program_env, "-m", "tests.mutation.column_types", "--examples", "300")
    assert code == 0, told


COMPARED = """
from pathlib import Path
import pyarrow as pa
from tests.mutation.strict import differences, readings
CSV, LINES = "id,cat,dog\\n007,1.5,2\\n008,3,4.25\\n", '{"id":7,"cat":1.5}\\n{"id":8,"cat":3}\\n'
for suffix, text in (("csv", CSV), ("jsonl", LINES)):
    path = Path(FOLDER, f"in.{suffix}")
    path.write_text(text)
    reading = next(reading for reading in readings(path) if "cat" in reading)
    ids = ["007", "008"] if suffix == "csv" else ["7", "8"]
    print(differences(pa.table({"id": ids, "logit_cat": [1.5, 3.0]}), reading))
    print(differences(pa.table({"id": ids, "logit_cat": [1.5, 3.1]}), reading))
    print(differences(pa.table({"id": [ids[0], "x"], "logit_cat": [1.5, 3.0]}), reading))
    print(differences(pa.table({"id": ids[:1], "logit_cat": [1.5]}), reading))
"""


def test_a_changed_value_is_found(program_env, tmp_path):
    """The strict readers have to tell a wrong number, a wrong text and a lost row from the right ones."""
    code, told = run(program_env, "-c", COMPARED.replace("FOLDER", repr(str(tmp_path))))
    assert code == 0, told
    expected = [
        "[]",
        "[\"no column is the logit 'cat'\"]",
        "[\"column 'id' has other values\"]",
        "['2 rows were read as 1']",
    ]
    assert told.splitlines() == expected * 2
