"""The store for all other schemes, on a file system that fsspec keeps in memory."""

import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.storage.remote import Held
from softmax_cli.storage.remote import fsspec as store

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def folder():
    system = fsspec.filesystem("memory")
    system.pipe({"/in/a.csv": b"id,cat\n", "/in/b.csv": b"id,dog\n", "/in/deep/c.csv": b""})
    yield "memory://in/"
    system.rm("/in", recursive=True)


def test_files_are_found_listed_and_read(folder):
    held = store.look(f"{folder}a.csv")
    assert (held.size, held.ranges) == (7, True)
    with store.open(held) as file:
        file.seek(3)
        assert file.read() == b"cat\n"
    assert store.entries(folder) == (["a.csv", "b.csv"], ["deep"])
    assert store.entries("memory://nowhere/") == ([], [])


@pytest.mark.parametrize("name", ["c.csv", "deep"])
def test_what_is_no_file_is_not_there(folder, name):
    with pytest.raises(FileNotFoundError):
        store.look(folder + name)


def test_what_it_refuses(folder):
    with pytest.raises(DataError, match="its size is not known"):
        store.open(Held(f"{folder}a.csv", None))
    with pytest.raises(UsageError, match="only read from"):
        store.write(f"{folder}d.csv", force=True)
    with pytest.raises(UsageError, match=r"fsspec cannot serve nonsense://.*; a file here: \./nonsense://x"):
        store.look("nonsense://x")
