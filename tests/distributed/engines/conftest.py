"""Every engine that can run here, as a parameter."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from typing import Any

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


@pytest.fixture
def softmax_cli(softmax_cli_process: Callable[..., Any]) -> Callable[..., Any]:
    """Run the program in a process of its own: engines leave threads and servers behind, which end with it."""
    return softmax_cli_process
