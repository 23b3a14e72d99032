"""The benchmarks run, and every program in them writes the same numbers; how fast is not asserted anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = [sys.executable, "-m", "tests.benchmarks"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_small_tables_in_one_round(program_env, tmp_path):
    """The harness itself stops when a peer's numbers differ from ours."""
    figures = tmp_path / "figures.json"
    asked = f"--small --rounds 1 --peers pandas_scipy,pyarrow_compute --folder {tmp_path}/tables --json {figures}"
    done = subprocess.run(
        [*BENCHMARKS, *asked.split()], cwd=ROOT, env=program_env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(figures.read_text())["results"]
    assert {result["program"] for result in results} >= {"softmax-cli", "pandas_scipy", "pyarrow_compute"}
    assert all(len(result["seconds"]) == 1 and result["peak_bytes"][0] > 1e6 for result in results)
    assert {path.name for path in (tmp_path / "tables").iterdir() if "out" in path.name} == set()


def test_different_numbers_are_found(tmp_path):
    for name, probability in (("ours", 0.5), ("theirs", 0.5001)):
        (tmp_path / f"{name}.csv").write_text(f"id,name,p\n1,a,{probability}\n")
    compare = [sys.executable, "-m", "tests.benchmarks.agreement", *(tmp_path / f"{n}.csv" for n in ("ours", "theirs"))]
    for rtol, code in (("1e-3", 0), ("1e-5", 1)):
        done = subprocess.run([*compare, rtol], cwd=ROOT, env=os.environ, capture_output=True, check=False)
        assert done.returncode == code
