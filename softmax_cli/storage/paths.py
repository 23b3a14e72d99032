"""Which remote files are meant by a name: a file, the files of a folder, or those that a pattern matches."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from softmax_cli.errors import UsageError, nearest
from softmax_cli.storage.remote import bare_name, look, store_of


def find_files(url: str) -> tuple[list[str], bool]:
    """Find what a URL names.

    Returns
    -------
    list of str
        URLs of files, in the order of their names.
    bool
        Whether they are all the files of a folder, tables or not.

    Raises
    ------
    UsageError
        There is nothing.
    DataError
        The store cannot be asked.
    """
    try:
        look(url)
        return [url], False
    except FileNotFoundError as error:
        if not store_of(url).LISTS:
            raise UsageError(f"{bare_name(url)}: no such file ({error})") from None
    if glob.has_magic(url):
        root, parts = _split(url)
        if not (found := list(_matching(root, parts))):
            raise UsageError(f"{url}: no file matches")
        return found, False
    folder = url if url.endswith("/") else f"{url}/"
    files, folders = store_of(url).entries(folder)
    if not files and not folders:
        raise UsageError(_missing(url))
    return [folder + name for name in files], True


def _split(url: str) -> tuple[str, list[str]]:
    """Split into the bucket with its slash, and the parts of the key."""
    scheme, _, rest = url.partition("://")
    bucket, *parts = rest.split("/")
    return f"{scheme}://{bucket}/", parts


def _matching(folder: str, parts: Sequence[str]) -> Iterator[str]:
    """Walk down a pattern as the shell does: ``*`` and ``?`` stay within a name, ``**`` is any number of folders."""
    first, *rest = parts
    if rest and not glob.has_magic(first):
        yield from _matching(f"{folder}{first}/", rest)
        return
    files, folders = store_of(folder).entries(folder)
    if first == "**":
        yield from _matching(folder, rest or ["*"])
        for name in folders:
            if not name.startswith("."):
                yield from _matching(f"{folder}{name}/", parts)
        return
    for name in folders if rest else files:
        if fnmatchcase(name, first) and (first.startswith(".") or not name.startswith(".")):
            yield from _matching(f"{folder}{name}/", rest) if rest else iter((folder + name,))


def _missing(url: str) -> str:
    folder, _, name = url.rstrip("/").rpartition("/")
    root = url.partition("://")[0] + "://"
    there = [] if f"{folder}/" == root else [*store_of(url).entries(f"{folder}/")[0]]
    close = nearest(name, there, 1)
    hint = f"did you mean {folder}/{close[0]}?" if close else "see the bucket, the key, and how they are spelled"
    return f"{url}: no such file or folder; {hint}"
