"""Folders, here or in a store, as places for files that are made by many: what is in them, and how they are emptied."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from softmax_cli.errors import UsageError
from softmax_cli.storage.remote import is_remote, store_of
from softmax_cli.storage.writing import lock, reporting_errors


def check_folder(folder: str) -> None:
    """Refuse a folder that cannot be made, or that nothing can be written to.

    Raises
    ------
    UsageError
        With what to type instead.
    """
    path = Path(folder)
    if is_remote(folder):
        store_of(folder).check(folder, force=True)
    elif path.exists() and not path.is_dir():
        raise UsageError(f"{folder} is a file; name another folder for the parts")
    elif not path.absolute().parent.is_dir():
        raise UsageError(f"{folder}: there is no folder {path.parent}; make it: mkdir -p {path.parent}")


@contextmanager
def locked(folder: str) -> Iterator[None]:
    """Make a folder and keep it for one run; a store needs none, and has no locks.

    Raises
    ------
    UsageError
        Another run is at work there.
    """
    if is_remote(folder):
        yield
        return
    with reporting_errors(Path(folder)):
        Path(folder).mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        if lock(descriptor) is False:
            raise UsageError(f"{folder}: another run is writing there; wait for it, or name another folder")
        yield
    finally:
        os.close(descriptor)


def names_in(folder: str) -> list[str]:
    """Name the files and the folders in a folder; none where it is not there.

    Raises
    ------
    UsageError
        There is no such bucket.
    DataError
        Its store cannot be asked.
    """
    if is_remote(folder):
        files, folders = store_of(folder).entries(f"{folder}/")
        return files + folders
    return os.listdir(folder) if os.path.isdir(folder) else []


def holds(folder: str, file: str) -> bool:
    """Whether a file lies in a folder, under whatever name."""
    if is_remote(folder) or is_remote(file):
        return file.startswith(f"{folder}/")
    return os.path.isdir(folder) and os.path.exists(file) and Path(folder).samefile(Path(file).resolve().parent)


def open_now(name: str) -> BinaryIO:
    """Open a file as it is now, and not as an earlier look has found it.

    Raises
    ------
    FileNotFoundError
        There is none.
    """
    if not is_remote(name):
        return cast(BinaryIO, open(name, "rb"))
    store = store_of(name)
    return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, store.open(store.look(name)))))


def size_now(name: str) -> int | None:
    """Return the bytes of a file as it is now; None: there is none."""
    try:
        return store_of(name).look(name).size if is_remote(name) else Path(name).stat().st_size
    except FileNotFoundError:
        return None


def remove_files(names: Sequence[str]) -> None:
    """Remove files of one place that are there."""
    if names and is_remote(names[0]):
        store_of(names[0]).remove(names)
    else:
        for name in names:
            Path(name).unlink()


def remove_folder(folder: str) -> None:
    """Remove a folder, if it is there, and the files in it."""
    if is_remote(folder):
        remove_files([f"{folder}/{name}" for name in names_in(folder)])
    elif os.path.isdir(folder):
        shutil.rmtree(folder)
