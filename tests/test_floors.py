"""The house stands on its floors: imports point down, and what is slow to import waits until it is used."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "softmax_cli"

FLOORS = (
    ("errors", "version"),
    ("text", "numeric", "terminal"),
    ("tables",),
    ("storage",),
    ("formats",),
    ("stream",),
    ("page",),
    ("distributed",),
    ("prediction",),
    ("weighting", "evaluation", "calibration", "inspection", "explanation"),
    ("options",),
    ("commands",),
    ("cli", "api"),
    ("__main__",),
)

HOMES = {
    "typer": ("cli", "options", "commands"),
    "rich": ("terminal", "screen"),
    "pandas": ("api",),
    "ray": ("distributed",),
    "pyspark": ("distributed",),
    "dask": ("distributed",),
    "obstore": ("storage",),
    "fsspec": ("storage",),
}
"""The only rooms, or files by their name, that may import a library, even inside a function."""

LATE = (
    "pandas",
    "scipy",
    "rich",
    "typer",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "ray",
    "pyspark",
    "dask",
    "obstore",
    "fsspec",
)
"""Libraries that a 10-row CSV can do without: imported inside the function that uses them, but for their homes."""


@dataclass(frozen=True)
class Import:
    """One imported name, and whether the import runs when its module is imported."""

    file: Path
    line: int
    target: str
    at_once: bool
    checked_only: bool
    """Under ``if TYPE_CHECKING``: never run."""

    @property
    def part(self) -> str:
        """The folder or module of the package that imports."""
        return part_of(self.file)

    @property
    def places(self) -> set[str]:
        """The room and the file that import."""
        return {self.part, self.file.stem}

    def of(self, library: str) -> bool:
        return self.target == library or self.target.startswith(library + ".")

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.target}"


def part_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(file: Path) -> Iterator[Import]:
    """Find every import of a file; ``from package import module`` names the module."""
    yield from _walk(file, ast.parse(file.read_text()), at_once=True, checked_only=False)


def _walk(file: Path, node: ast.AST, at_once: bool, checked_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for target in _targets(child):
            yield Import(file, child.lineno, target, at_once and not checked_only, checked_only)
        deferred = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from _walk(file, child, at_once and not deferred, checked_only or typing)


def _targets(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def floor_of(part: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part in parts)


FILES = sorted(PACKAGE.rglob("*.py"))
IMPORTS = [found for file in FILES for found in imports_of(file)]
WITHIN = [found for found in IMPORTS if found.of("softmax_cli") and found.part != "__init__"]


def test_every_floor_is_there():
    parts = {part_of(file) for file in FILES}
    assert {part for floor in FLOORS for part in floor} == parts - {"__init__"}
    assert len(WITHIN) > 50


def test_imports_point_down():
    """The package itself is the public face and is left out: it names the modules that it loads on first use."""
    upward = [
        str(found) for found in WITHIN if floor_of(found.target.partition(".")[2].split(".")[0]) > floor_of(found.part)
    ]
    assert upward == []


def test_the_public_face_imports_nothing_but_the_version():
    face = [found for found in IMPORTS if found.part == "__init__" and found.of("softmax_cli") and found.at_once]
    assert [found.target for found in face] == ["softmax_cli.version.__version__"]


def test_numeric_knows_numpy_scipy_and_itself_only():
    known = ("numpy", "scipy", "softmax_cli.numeric", *sys.stdlib_module_names)
    strangers = [str(found) for found in IMPORTS if found.part == "numeric" and not any(map(found.of, known))]
    assert strangers == []


@pytest.mark.parametrize("library", HOMES)
def test_a_library_stays_at_home(library):
    found = [found for found in IMPORTS if found.of(library)]
    assert found, f"nothing imports {library}: take it out of the dependencies"
    assert [str(one) for one in found if not one.places & {*HOMES[library]} and not one.checked_only] == []


@pytest.mark.parametrize("library", LATE)
def test_slow_libraries_wait_until_they_are_used(library):
    homes = HOMES[library] if library in ("rich", "typer") else ()
    early = [str(found) for found in IMPORTS if found.of(library) and found.at_once and not found.places & {*homes}]
    assert early == []


def loaded_by(*arguments: str, stdin: bytes = b"") -> set[str]:
    """Run the program and return every module that its process imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "softmax_cli", *arguments],
        input=stdin,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=True,
    )
    lines = done.stderr.decode().splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


def test_help_loads_no_data_library():
    loaded = loaded_by("predict", "--help")
    assert "typer" in loaded
    assert loaded.isdisjoint({"numpy", "pyarrow", "pandas", "scipy"})


AVOIDED = {
    "asyncio",
    "concurrent.futures",  # one block needs no pool
    "email",
    "glob",
    "http",
    "json",
    "multiprocessing",
    "numpy.f2py",
    "numpy.ma",
    "numpy.random",
    "pandas",
    "pyarrow",
    "pydantic",
    "random",
    "rich",
    "scipy",
    "tempfile",
    "unicodedata",
    "zoneinfo",
}
"""What a small CSV can do without, of the libraries and of Python's own: each takes as long as all of its rows."""
OWN_AVOIDED = {
    f"softmax_cli.{name}"
    for name in (
        "tables.labels",
        "prediction.screen",
        "terminal.console",
        "formats.json.reader",
        "formats.npy.reader",
        "formats.npy.header",
    )
}


def test_a_small_csv_loads_what_it_needs_and_no_more(tmp_path):
    table = tmp_path / "ten.csv"
    table.write_text("id,logit_cat,logit_dog\n" + "007,2,1\n" * 10)
    loaded = loaded_by("predict", str(table), "-o", str(tmp_path / "out.csv"), "--quiet")
    assert {"numpy", "typer"} <= loaded
    assert loaded & (AVOIDED | OWN_AVOIDED) == set()


@pytest.mark.parametrize(
    ("text", "at_once", "checked_only"),
    [
        ("import rich.text", True, False),
        ("from rich import text", True, False),
        ("class A:\n    import rich.text", True, False),
        ("try:\n    import rich.text\nexcept ImportError: pass", True, False),
        ("def f():\n    import rich.text", False, False),
        ("if TYPE_CHECKING:\n    from rich import text", False, True),
    ],
)
def test_this_reader_of_imports_sees_them(tmp_path, text, at_once, checked_only):
    file = tmp_path / "module.py"
    file.write_text(text)
    assert list(imports_of(file)) == [
        Import(file, 1 + text[: text.index("text")].count("\n"), "rich.text", at_once, checked_only)
    ]


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(file): file for file in FILES}
REGISTRIES = ("commands", "formats", "storage/remote", "distributed/engines", "numeric/metrics", "numeric/calibrators")
SHARED_NAMES = {"__init__", "screen", "run", "report", "pictures"}


def users_of() -> dict[str, set[str]]:
    """Find who imports each module."""
    users: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in IMPORTS:
        target = found.target if found.target in MODULES else found.target.rpartition(".")[0]
        if target in MODULES:
            users[target].add(module_of(found.file))
    return users


def is_registered(file: Path) -> bool:
    """Whether a file lies in a folder where each name is one of a kind, or belongs to one of its entries."""
    return any(str(folder) in REGISTRIES for folder in file.relative_to(PACKAGE).parents)


def test_no_two_modules_wait_for_each_other():
    """Imports that run when a module is imported make no circle, whichever module is imported first."""
    needs: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in IMPORTS:
        if found.at_once:
            target = found.target if found.target in MODULES else found.target.rpartition(".")[0]
            needs[module_of(found.file)] |= {target} & MODULES.keys() - {module_of(found.file)}
    while free := {name for name, wanted in needs.items() if not wanted}:
        needs = {name: wanted - free for name, wanted in needs.items() if name not in free}
    assert needs == {}


def test_few_names_at_the_top_and_in_a_folder():
    folders = {file.parent for file in FILES}
    names = {
        folder: {file for file in FILES if file.parent == folder and file.stem != "__init__"} for folder in folders
    }
    names = {folder: found | {sub for sub in folders if sub.parent == folder} for folder, found in names.items()}
    crowded = {str(folder): len(found) for folder, found in names.items() if len(found) > 16}
    assert crowded.pop(str(PACKAGE)) <= 22
    assert {
        folder: count for folder, count in crowded.items() if not folder.endswith(("calibrators", "metrics", "formats"))
    } == {}


def test_a_file_name_stands_once():
    stems = [(file.stem, file) for file in FILES if file.stem not in SHARED_NAMES and not is_registered(file)]
    twice = [str(file) for stem, file in stems if [other for other, _ in stems].count(stem) > 1]
    assert twice == []


def test_a_small_module_has_more_than_one_user():
    users = users_of()
    lonely = [
        name
        for name, file in MODULES.items()
        if len(users[name]) == 1
        and len(file.read_text().splitlines()) < 60
        and file.stem not in SHARED_NAMES
        and not is_registered(file)
    ]
    assert lonely == []


def test_files_and_functions_are_of_a_size_to_read():
    long_files = [str(file) for file in FILES if len(file.read_text().splitlines()) > 400]
    long_functions = [
        f"{file}: {node.name}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert long_files == []
    assert long_functions == []


CROSSED = """
import os, sys
ours = os.path.join("softmax_cli", "")
crossed = set()
def follow(frame, event, argument):
    if event == "call" and ours in frame.f_code.co_filename:
        crossed.add(frame.f_code.co_filename.rpartition(ours)[2])
from softmax_cli import cli
from softmax_cli.prediction import run
score = run.score_table
def traced(table, transform, writer, *rest):
    sys.setprofile(follow)
    try:
        return score(table, transform, writer, *rest)
    finally:
        sys.setprofile(None)
run.score_table = traced
try:
    cli.main()
except SystemExit:
    print(*crossed, sep="\\n")
"""


def test_one_csv_batch_crosses_few_files(tmp_path):
    """From a block of bytes to the bytes of the output; files of the terminal and the options are not on the way."""
    table = tmp_path / "ten.csv"
    table.write_text("id,logit_cat,logit_dog\n" + "007,2,1\n" * 10)
    arguments = ["predict", str(table), "-o", str(tmp_path / "out.csv"), "--quiet", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, "-c", CROSSED, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=True,
    )
    crossed = {file for file in done.stdout.split() if not file.startswith("terminal/")}
    assert 5 < len(crossed) <= 15, sorted(crossed)


def test_ten_rows_load_few_modules_of_ours(tmp_path):
    table = tmp_path / "ten.csv"
    table.write_text("id,logit_cat,logit_dog\n" + "007,2,1\n" * 10)
    loaded = loaded_by("predict", str(table), "-o", str(tmp_path / "out.csv"), "--quiet")
    ours = {name for name in loaded if name.split(".")[0] == "softmax_cli"}
    assert 10 < len(ours) <= 60, sorted(ours)
