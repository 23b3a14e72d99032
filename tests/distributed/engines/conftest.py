"""Every engine that can run here, as a parameter."""

from __future__ import annotations

import importlib.util
import shutil

import pytest


def _with_marks(name: str, library: str) -> object:
    missing = importlib.util.find_spec(library) is None or (name == "spark" and shutil.which("java") is None)
    reason = f"{library} is not installed" if name != "spark" else "pyspark or java is not installed"
    return pytest.param(name, marks=[pytest.mark.engine, pytest.mark.skipif(missing, reason=reason)])


ENGINES = ["local", _with_marks("ray", "ray"), _with_marks("spark", "pyspark"), _with_marks("dask", "distributed")]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Name an engine; those that are extras are marked ``engine``."""
    return str(request.param)
