"""The README shows what the program does: sessions and help texts are run and compared, every command has its help."""

import importlib.util
import pkgutil
from importlib.metadata import version
from pathlib import Path

import pytest

from softmax_cli import commands

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def readme():
    spec = importlib.util.spec_from_file_location("readme", ROOT / "tests" / "readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The boxes around the help are drawn by typer, and older ones draw others.
drawn_alike = pytest.mark.skipif(
    tuple(map(int, version("typer").split(".")[:2])) < (0, 29), reason="help texts are as typer 0.29 draws them"
)


@drawn_alike
def test_sessions_and_help_texts_are_what_the_program_prints(readme):
    text = readme.README.read_text("utf-8")
    assert readme.renewed(text) == text, "python tests/readme.py writes README.md anew"


@drawn_alike
def test_the_check_can_fail(readme):
    text = readme.README.read_text("utf-8")
    altered = text.replace("600 rows", "601 rows", 1)
    assert altered != text
    assert readme.renewed(altered) == text


@pytest.mark.parametrize("command", [module.name for module in pkgutil.iter_modules(commands.__path__)])
def test_every_command_is_documented(readme, command):
    assert f"<!-- help: {command} -->" in readme.README.read_text("utf-8")


def test_the_first_screen_sets_up_runs_and_tests(readme):
    first_screen = readme.README.read_text("utf-8").splitlines()[:30]
    assert sum("python3 -m venv .venv && " in line for line in first_screen) == 2
