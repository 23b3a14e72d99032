"""What ``--version --verbose`` says is so, and it says all that a report of a bug needs."""

from __future__ import annotations

import platform
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from softmax_cli import text, version
from softmax_cli.distributed import engines

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
OPTIONAL = {*version.OPTIONAL, *engines.distributions()}


def test_the_short_way_is_one_line(softmax_cli):
    assert softmax_cli("--version").text == softmax_cli("-V").text == f"softmax-cli {version.__version__}\n"


@pytest.mark.parametrize("typed", [("--version", "--verbose"), ("--verbose", "-V")])
def test_versions_of_everything(softmax_cli, typed):
    done = softmax_cli(*typed)
    assert (done.code, done.err) == (0, "")
    first, *rest = done.text.splitlines()
    found = dict(re.split(" {1,}", line, maxsplit=1) for line in rest if not line.startswith("text core"))
    assert first == f"softmax-cli {version.__version__}"
    assert found["Python"].startswith(platform.python_version())
    assert found["platform"] == platform.platform()
    assert f"text core    compiled by {text.compiler()}" in rest
    for name in version.NEEDED:
        assert found[name] == metadata.version(name)


def test_the_compiler_named_itself():
    assert re.match(r"(gcc|clang) \d+\.\d+", text.compiler())


def test_what_is_not_installed_is_named_with_the_way_to_get_it(softmax_cli, monkeypatch):
    def absent(name):
        if name in OPTIONAL:
            raise metadata.PackageNotFoundError(name)
        return "1.2.3"

    monkeypatch.setattr(metadata, "version", absent)
    lines = softmax_cli("--version", "--verbose").text.splitlines()
    assert "matplotlib   not installed (pip install matplotlib, for --plot)" in lines
    assert sum("not installed" in line for line in lines) == len(OPTIONAL)
    assert "scipy        1.2.3" in lines


def test_verbose_alone_is_refused(softmax_cli):
    done = softmax_cli("--verbose", "predict", "x.csv")
    assert (done.code, done.out) == (2, b"")
    assert done.err == "error: --verbose goes with --version: softmax-cli --version --verbose\n"


def test_no_dependency_is_left_out():
    """What is needed, and each extra that is for users rather than for tests."""
    extras = {
        name: needs
        for name, needs in PROJECT["optional-dependencies"].items()
        if "test" not in name and name not in ("bench", "fuzz")
    }
    names = [re.split("[>=]", need)[0] for needs in extras.values() for need in needs]
    assert {re.split("[>=]", need)[0] for need in PROJECT["dependencies"]} == {*version.NEEDED}
    assert {*names} | {"fsspec"} == OPTIONAL
