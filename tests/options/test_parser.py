"""A plain command takes what typer takes, and says what typer says."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.core import TyperCommand

from softmax_cli.options import parser
from softmax_cli.options.parser import PlainCommand, plain_values


def _typed(
    paths: Annotated[list[str], typer.Argument()],
    ratio: Annotated[float | None, typer.Option("--ratio", "-r")] = None,
    count: Annotated[int, typer.Option(min=1)] = 3,
    limit: Annotated[int | None, typer.Option(min=0, max=9)] = None,
    name: Annotated[str, typer.Option()] = "some",
    tags: Annotated[list[str], typer.Option("--tag")] = [],  # noqa: B006  # as groups.py gives it
    quiet: Annotated[bool, typer.Option("--quiet", "-q")] = False,
    header: Annotated[bool, typer.Option()] = True,
) -> str:
    return repr((paths, ratio, count, limit, name, tags, quiet, header))


def outcome(kind: type[TyperCommand], line: list[str]) -> str:
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command("typed", cls=kind)(_typed)
    command = typer.main.get_command(app)
    try:
        return str(command.main(line, prog_name="typed", standalone_mode=False))
    except Exception as error:  # of the click within typer, which has no public name; another has no such method
        return f"{type(error).__name__}: {error.format_message()}"  # type: ignore[attr-defined]


OPTIONS = [
    "--ratio",
    "-r",
    "--count",
    "--limit",
    "--name",
    "--tag",
    "--quiet",
    "-q",
    "--no-header",
    "--other",
    "--",
    "-",
]
numbers = st.one_of(
    st.integers(-3, 99).map(str),
    st.floats().map(repr),
    st.text("0123456789.eE+-_ infa\N{ARABIC-INDIC DIGIT ONE}", max_size=6),
)
words = st.one_of(st.sampled_from(OPTIONS), numbers, st.text(max_size=3))


@settings(deadline=None)
@given(st.lists(words, max_size=7))
@example(["a", "b", "-r", "1_000.5", "--tag", "x", "--tag", "y", "-q"])
@example(["a", "--count", "0"])
@example(["a", "--limit", "10"])
@example(["a", "--ratio", "nan"])
@example(["a", "--count", "1.0"])
@example(["a", "--name="])
@example([])
def test_a_plain_command_is_typers(line):
    assert outcome(PlainCommand, line) == outcome(TyperCommand, line)


PATH = {"paths": ("a",)}


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"paths": None},
        PATH | {"help": True},
        PATH | {"ratio": "half"},
        PATH | {"ratio": "\N{ARABIC-INDIC DIGIT ONE}"},
        PATH | {"count": "0"},
    ],
)
def test_what_is_not_plain_is_left_to_typer(typed):
    assert plain_values(inspect.signature(_typed), typed) is None


def test_what_is_plain_needs_no_typer():
    got = plain_values(inspect.signature(_typed), PATH | {"ratio": "0.5", "count": "2", "header": False, "tags": ["x"]})
    assert got == {
        "paths": ["a"],
        "ratio": 0.5,
        "count": 2,
        "limit": None,
        "name": "some",
        "tags": ["x"],
        "quiet": False,
        "header": False,
    }


def test_every_option_of_the_program_is_of_a_kind_that_is_converted_here():
    """Else what an option asks of typer, a callback or a prompt, would be passed over."""
    script = """
import sys, typing, typer
from softmax_cli.cli import build_app
told = {"help", "min", "max", "metavar", "show_default", "rich_help_panel", "autocompletion", "param_decls", "default"}
unset = {typer.models.OptionInfo: vars(typer.Option()), typer.models.ArgumentInfo: vars(typer.Argument())}
for command in build_app([], whole=True).registered_commands:
    for name, parameter in command.callback.__signature__.parameters.items():
        hint, option = typing.get_args(parameter.annotation)
        assert hint in {bool, str, str | None, int, int | None, float, float | None, list[str]}, (name, hint)
        more = {key for key, value in vars(option).items() if value != unset[type(option)].get(key)} - told
        assert not more, (name, more)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize("file", sorted(Path(parser.__file__).parent.glob("*.py")), ids=lambda file: file.stem)
def test_no_annotation_of_an_option_names_an_attribute_of_its_group(file):
    """As of Python 3.14 annotations are read inside the class, where the attribute would be found first."""
    for group in ast.parse(file.read_text()).body:
        if isinstance(group, ast.ClassDef):
            own = {part.name for part in group.body if isinstance(part, ast.FunctionDef)}
            fields = [part for part in group.body if isinstance(part, ast.AnnAssign)]
            own |= {field.target.id for field in fields}
            used = {name.id for field in fields for name in ast.walk(field.annotation) if isinstance(name, ast.Name)}
            assert used & own == set()


def test_arrow_has_as_many_threads_as_were_asked_for(tmp_path, program_env):
    """It reads columns of Parquet on threads of its own."""
    (tmp_path / "z.csv").write_text("cat,dog\n1.5,2\n")
    program = (
        "from softmax_cli.cli import run\n"
        "assert run(['predict', 'z.csv', '-q', '-o', 'p.parquet', '--threads', '3']) == 0\n"
        "import pyarrow\n"
        "print(pyarrow.cpu_count())"
    )
    bare = {name: value for name, value in program_env.items() if not name.startswith("OMP_")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=bare, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "3\n"
