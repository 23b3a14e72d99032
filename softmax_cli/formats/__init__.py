"""The file formats: this folder is their registry, and a new format is one new module in it.

A format is a module that answers to `Format`, and is called by the module's name. What it needs to read or write
(pyarrow.parquet, numpy.lib.format) is imported when it does so, hence finding the right format costs next to nothing.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import PurePath
from typing import Any, BinaryIO, Protocol, cast

from softmax_cli.errors import UsageError, nearest
from softmax_cli.storage.compression import Compression, compression_by_suffix
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import ReadOptions, Table, WriteOptions

UTF8_MARK = b"\xef\xbb\xbf"


class Writer(Protocol):
    """Turns batches into one file, in two steps so that the costly one can run on every core.

    One that goes on working by itself after `write` is a context manager as well, which waits at its end for that.
    """

    def encode(self, batch: Batch) -> Any:
        """Do the heavy part for one batch; may be called from several threads at once."""

    def write(self, payload: Any) -> None:
        """Put down what `encode` made; called from one thread, in order."""

    def close(self) -> None:
        """Write what ends the file. The file itself stays open."""


class Format(Protocol):
    """What a module of this folder offers."""

    __name__: str
    SUFFIXES: tuple[str, ...]
    """Ends of file names, the usual one first: ``(".arrow", ".feather")``."""
    MAGIC: tuple[bytes, ...]
    """How a file of this format begins; empty where the first bytes cannot say."""
    SEEKS: bool
    """Whether reading needs a file that can be read in any order (a pipe is copied to a temporary file first)."""

    BINARY: bool
    """Whether a file is no text, and would garble a terminal; may be left out, for False."""
    ONE_ARRAY: bool
    """Whether a file holds the numbers of a row as one array, and no columns of text; may be left out, for False."""

    def read(self, file: BinaryIO, name: str, options: ReadOptions) -> Table:
        """Open a table; `name` is what messages call the file. A format that is only written has no such function."""

    def write(self, file: BinaryIO, schema: Schema, options: WriteOptions) -> Writer:
        """Begin a file with the columns of `schema`."""


@cache
def names() -> tuple[str, ...]:
    """Names of the formats there are, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def name_of(form: Format) -> str:
    """Return what users call a format."""
    return form.__name__.rpartition(".")[2]


def holds_one_array(form: Format) -> bool:
    """Whether a file holds the numbers of a row as one array, and no columns of text."""
    return bool(getattr(form, "ONE_ARRAY", False))


def is_binary(form: Format) -> bool:
    """Whether a file is no text, and would garble a terminal."""
    return bool(getattr(form, "BINARY", False))


@cache
def readable() -> tuple[str, ...]:
    """Names of the formats that are read as well as written."""
    return tuple(name for name in names() if is_read(_load(name)))


@cache
def markups() -> tuple[str, ...]:
    """Names of the formats that are for people, and only written."""
    return tuple(name for name in names() if name not in readable())


def is_read(form: Format) -> bool:
    """Whether files of a format can be read; a table for a paper is only written."""
    return hasattr(form, "read")


def by_name(name: str) -> Format:
    """Find a format by its name or by one of its suffixes, with or without the dot.

    Raises
    ------
    UsageError
        There is no such format.
    """
    wanted = name.lower().removeprefix(".")
    if wanted in names():
        return _load(wanted)
    for form in _all():
        if f".{wanted}" in form.SUFFIXES:
            return form
    near = nearest(wanted, names(), 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise UsageError(f"no format is called {name!r}; {meant}there are: {', '.join(names())}")


def by_suffix(path: str) -> tuple[Format, Compression | None]:
    """Find the format, and the compression around it, that a file name gives: ``probs.csv.gz``.

    Raises
    ------
    UsageError
        The name ends in nothing known.
    """
    compression = compression_by_suffix(path)
    inner = path[: -len(PurePath(path).suffix)] if compression else path
    suffix = PurePath(inner).suffix.lower()
    # A format is mostly called as its files end: the others need not be loaded.
    for form in chain(map(_load, {suffix[1:]} & {*names()}), _all()):
        if suffix in form.SUFFIXES:
            return form, compression
    known = ", ".join(suffix for form in _all() for suffix in form.SUFFIXES)
    raise UsageError(f"{path}: the name does not say which format; known ends of names are: {known}")


def sniff(head: bytes) -> Format | None:
    """Find the format whose files begin like `head`; None where no format is recognised (plain text, such as CSV)."""
    text = head.removeprefix(UTF8_MARK).lstrip()
    return next((form for form in _all() if text.startswith(form.MAGIC)), None)


def _all() -> Iterator[Format]:
    return map(_load, names())


def _load(name: str) -> Format:
    return cast(Format, import_module(f"{__name__}.{name}"))
