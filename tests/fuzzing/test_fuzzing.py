"""A few thousand inputs by the fuzzer, where it is installed: it builds, starts, and no law is broken."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("atheris", "ziglang", "Cython")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not all(map(find_spec, NEEDED)), reason="needs the extra fuzz")
def test_no_law_is_broken(tmp_path):
    command = [sys.executable, "-m", "tests.fuzzing", "--runs", "5000", "--keep", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    branches = re.search(r"(\d+) branches: no law broken", done.stdout)
    assert branches is not None
    assert int(branches[1]) > 600, "the core tells no branches: it was not instrumented"
