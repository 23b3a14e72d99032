"""Files on other machines, by the scheme of their names: ``s3://``, ``gs://``, ``az://``, ``https://`` ...

This folder is the registry of schemes: a module is one kind of storage. None loads for a run on local files.
"""

import io
import os
import pkgutil
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import BinaryIO, NamedTuple, Protocol, cast

from softmax_cli.errors import DataError, UsageError

ANY_OTHER = "any other"
"""The store for schemes that no other one claims."""


class Held(NamedTuple):
    """What is known of a remote file before it is read."""

    url: str
    size: int | None = None
    """Bytes; None where the server does not say."""
    version: str | None = None
    """Changes when the content does (an ETag); None where the server does not say."""
    ranges: bool = True
    """Whether a part of it can be asked for; else it is read once, from front to back."""


class RemoteWriter(io.RawIOBase):
    """A remote file that is being written, from front to back; unlike those of a pipe, its readers can seek."""


class Store(Protocol):
    """What a module of this folder offers."""

    SCHEMES: Sequence[str]
    LISTS: bool
    """Whether it can say which files there are."""

    def look(self, url: str) -> Held:
        """Find a file; FileNotFoundError where there is none."""

    def open(self, held: Held) -> BinaryIO:
        """Open a file; reading it raises DataError where it has changed since it was found."""

    def entries(self, folder: str) -> tuple[list[str], list[str]]:
        """List the files and the folders in a folder, whose name ends in a slash; by their names in it."""

    def check(self, url: str, force: bool) -> None:
        """Refuse, with UsageError, a file that cannot be written, or that is there unless `force` is set."""

    def write(self, url: str, force: bool) -> AbstractContextManager[BinaryIO]:
        """Open a file that appears whole when the block ends, or not at all."""

    def remove(self, urls: Sequence[str]) -> None:
        """Remove files that are there, all of the same place."""


def is_remote(name: str) -> bool:
    """Whether a name is a URL; a file here that happens to have that very name goes first."""
    return "://" in name and bool(re.match("(?i)[a-z][a-z0-9+.-]*://", name)) and not os.path.exists(name)


def store_of(url: str) -> Store:
    """Find who keeps the files of a scheme."""
    by_scheme = registered()
    return by_scheme.get(url.partition("://")[0].lower()) or by_scheme[ANY_OTHER]


@cache
def registered() -> dict[str, Store]:
    """Return the stores by their schemes."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return {scheme: cast(Store, module) for module in modules for scheme in module.SCHEMES}


@cache
def look(url: str) -> Held:
    """Find a file, once in a run: a later look at it would miss that it has changed.

    Raises
    ------
    FileNotFoundError
        There is none.
    DataError
        Its store cannot be asked.
    """
    return store_of(url).look(url)


def open_binary(url: str) -> BinaryIO:
    """Open a file for reading.

    Raises
    ------
    UsageError
        There is none.
    DataError
        Its store cannot be asked, or it cannot be read.
    """
    try:
        held = look(url)
    except FileNotFoundError as error:
        raise UsageError(f"{bare_name(url)}: no such file ({error})") from None
    return store_of(url).open(held)


def is_there(url: str) -> bool:
    """Whether a file is there and may be read; for one that nobody asked for by name."""
    try:
        look(url)
    except (FileNotFoundError, DataError):
        return False
    return True


def bare_name(name: str) -> str:
    """Return a file's name for messages, which also gives its format: a web address without its secrets.

    Its query may hold one, as that of a signed address does, and so may what stands before its host.
    """
    if not name.lower().startswith(("http://", "https://")) or not is_remote(name):
        return name
    return re.sub("//[^/]*@", "//", re.split(r"[?#]", name, maxsplit=1)[0])
