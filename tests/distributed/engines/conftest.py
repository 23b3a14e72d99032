"""Every engine that can run here, as a parameter."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

LIBRARIES = {"ray": "ray", "spark": "pyspark", "dask": "distributed"}


@pytest.fixture(params=["local", *(pytest.param(name, marks=pytest.mark.engine) for name in LIBRARIES)])
def engine(request: pytest.FixtureRequest) -> str:
    """Name an engine that can run here; those that are extras are marked ``engine``."""
    name = str(request.param)
    if name != "local" and importlib.util.find_spec(LIBRARIES[name]) is None:
        pytest.skip(f"{LIBRARIES[name]} is not installed")
    if name == "spark" and shutil.which("java") is None:
        pytest.skip("java is not installed")
    return name
