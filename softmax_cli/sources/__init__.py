"""Everything a user can name as input, as one table: files, patterns, folders, here or remote; the standard input."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from softmax_cli.batches.table import ReadOptions, Table
from softmax_cli.compression import by_suffix
from softmax_cli.remote import bare_name, is_remote, look
from softmax_cli.sources.opened import open_file
from softmax_cli.sources.paths import STDIN, expand_paths
from softmax_cli.sources.united import unite

LOOKS_AT_ONCE = 8


@contextmanager
def open_table(paths: Sequence[str], options: ReadOptions, input_format: str | None) -> Iterator[Table]:
    """Open what `paths` name as one table.

    Parameters
    ----------
    paths : sequence of str
        Files, patterns, folders, or ``-``; none at all: the standard input. Several are read one after the other, as
        one table with the columns of the first.
    options : ReadOptions
        What the user said about the layout; it holds for every file.
    input_format : str or None
        Name of the format; None: file names and first bytes tell.

    Raises
    ------
    UsageError
        Nothing is there under a name.
    DataError
        A file is empty, damaged, not what its name says, or has other columns than the first.
    """
    files = expand_paths(paths, input_format)
    with ExitStack() as closing:
        first = open_file(files[0], options, input_format, closing)
        if len(files) == 1:
            yield first
            return
        later = [partial(_opened, path, options, input_format) for path in files[1:]]
        table = unite(first, later, _size(files))
        closing.callback(table.blocks.close)  # type: ignore[attr-defined]  # a generator: it closes the file it is in
        yield table


@contextmanager
def _opened(path: str, options: ReadOptions, input_format: str | None) -> Iterator[Table]:
    with ExitStack() as closing:
        yield open_file(path, options, input_format, closing)


def _size(files: Sequence[str]) -> int | None:
    """Bytes in all files; None where a pipe or a compressed file hides how much is to come."""
    if any(path == STDIN or by_suffix(bare_name(path)) for path in files):
        return None
    remote = _remote_sizes([path for path in files if is_remote(path)])
    if None in remote:
        return None
    return sum(filter(None, remote)) + sum(os.path.getsize(path) for path in files if not is_remote(path))


def _remote_sizes(urls: Sequence[str]) -> list[int | None]:
    """Ask for several at once; what is read later is what was found now."""
    if not urls:
        return []
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        return [held.size for held in pool.map(look, urls)]
