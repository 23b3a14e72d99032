"""The build backend: setuptools, with the C compiler that PyPI has (ziglang) where the machine has none."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 (the hooks that need nothing of their own)

ZIG = f"{sys.executable} -m ziglang cc"


def _compiler() -> str:
    """The C compiler that setuptools will call."""
    return os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"


def _is_missing() -> bool:
    return shutil.which(_compiler().split()[0]) is None


def _compiled(hook: Callable[..., str], *arguments: Any) -> str:
    """Run a hook that compiles."""
    if _is_missing() and importlib.util.find_spec("ziglang"):
        os.environ |= {"CC": ZIG, "LDSHARED": f"{ZIG} -shared"}
    try:
        return hook(*arguments)
    except (Exception, SystemExit) as error:
        raise SystemExit(
            f"softmax-cli: its C part could not be built with {_compiler()!r}: {error}\n"
            "What is needed: gcc or clang for a 64-bit machine and the headers of Python (python3-dev). A compiler in "
            "another place is named by CC=...; where there is none, PyPI's ziglang is used."
        ) from None


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """What setuptools needs, and a compiler if there is none."""
    return build_meta.get_requires_for_build_wheel(config_settings) + ["ziglang"] * _is_missing()


get_requires_for_build_editable = get_requires_for_build_wheel


def build_wheel(*arguments: Any) -> str:
    """Compile and pack."""
    return _compiled(build_meta.build_wheel, *arguments)


def build_editable(*arguments: Any) -> str:
    """Compile beside the sources."""
    return _compiled(build_meta.build_editable, *arguments)
