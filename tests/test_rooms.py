"""Tests stand where the code stands: a folder for each room, and in it a direct test of each of the room's modules."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = ROOT / "softmax_cli", ROOT / "tests"

OTHER_FOLDERS = {"help", "benchmarks", "mutation", "fuzzing"}
BY_NAME = {
    "commands": "commands/test_processes.py",
    "distributed/engines": "distributed/engines/test_engines.py",
    "numeric/calibrators": "numeric/calibrators/test_calibrators.py",
    "numeric/metrics": "numeric/metrics/test_metric_contract.py",
}
"""Folders whose modules nobody imports: they are found by their names, and a test goes over all of them."""


def imported_by(file: Path) -> set[str]:
    """Name every module that a file imports, and every name that it takes from one."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_public(file: Path) -> bool:
    """Whether a module stands for itself: what is private to a room is reached by what uses it."""
    is_bare = file.stem == "__init__" and len(file.read_text("utf-8").splitlines()) < 10
    private = any(part.startswith("_") for part in file.relative_to(PACKAGE).with_suffix("").parts[:-1])
    return not (is_bare or private or (file.stem.startswith("_") and file.stem != "__init__"))


def room_of(file: Path, root: Path) -> str:
    """The first folder below the root; "" for what stands at the top."""
    return file.relative_to(root).parts[0] if file.parent != root else ""


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


TEST_FILES = sorted(TESTS.rglob("test_*.py"))
REACHED = {room: set() for room in {room_of(file, TESTS) for file in TESTS.rglob("*.py")}}
for file in TESTS.rglob("*.py"):
    REACHED[room_of(file, TESTS)] |= imported_by(file)
ALONE = [file for file in sorted(PACKAGE.rglob("*.py")) if is_public(file) and file.name != "version.py"]


@pytest.mark.parametrize("file", ALONE, ids=module_of)
def test_a_module_is_tested_in_its_room(file):
    folder = str(file.parent.relative_to(PACKAGE))
    if folder in BY_NAME and file.stem != "__init__":
        assert f"softmax_cli.{folder.replace('/', '.')}" in imported_by(TESTS / BY_NAME[folder])
    else:
        assert module_of(file) in REACHED[room_of(file, PACKAGE)]


def test_every_folder_of_tests_is_a_room():
    rooms = {file.parent.relative_to(PACKAGE) for file in PACKAGE.rglob("*.py")}
    folders = {file.parent.relative_to(TESTS) for file in TEST_FILES}
    assert folders - rooms == {Path(name) for name in OTHER_FOLDERS}


def test_a_name_of_a_test_file_stands_once():
    assert [name for name, count in Counter(file.name for file in TEST_FILES).items() if count > 1] == []
