"""Every other scheme that fsspec knows and whose package is installed, for reading: ``hf://``, ``sftp://`` ..."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, BinaryIO, NoReturn, cast

from softmax_cli.errors import DataError, UsageError
from softmax_cli.storage.remote import ANY_OTHER, Held, registered
from softmax_cli.storage.remote._ranges import RangedFile

SCHEMES = (ANY_OTHER,)
LISTS = True


def look(url: str) -> Held:
    """Ask for the size of a file.

    Raises
    ------
    FileNotFoundError
        There is none.
    DataError
        Its file system says something else.
    """
    system, path = _place(url)
    try:
        info = system.info(path)
    except FileNotFoundError:
        raise FileNotFoundError("its file system does not have it") from None
    except Exception as error:  # file systems raise what their libraries raise
        raise DataError(f"{url}: {_told(error)}") from error
    if info.get("type") == "directory":
        raise FileNotFoundError("a folder")
    return Held(url, info.get("size"))


def open(held: Held) -> BinaryIO:
    """Open a file; whether it changes under the reader, fsspec has no common way to say."""
    system, path = _place(held.url)
    if held.size is None:
        raise DataError(f"{held.url}: its size is not known, so its end would look like a broken line; copy it")

    def fetch(start: int, stop: int) -> Any:
        try:
            return system.cat_file(path, start=start, end=stop)
        except Exception as error:
            raise DataError(f"{held.url}: {_told(error)}") from error

    return cast(BinaryIO, RangedFile(fetch, held.size, held.url))


def entries(folder: str) -> tuple[list[str], list[str]]:
    """List one folder."""
    system, path = _place(folder)
    try:
        found = system.ls(path, detail=True)
    except FileNotFoundError:
        return [], []
    except Exception as error:
        raise DataError(f"{folder}: {_told(error)}") from error
    names = {
        kind: [one["name"].rstrip("/").rpartition("/")[2] for one in found if one["type"] == kind] for kind in KINDS
    }
    return sorted(names["file"]), sorted(names["directory"])


def check(url: str, force: bool) -> NoReturn:
    """Refuse."""
    raise UsageError(
        f"{url}: only read from, since a write through fsspec that fails may leave half a file; "
        "write to a file, or to s3://, gs:// or az://"
    )


def write(url: str, force: bool) -> NoReturn:
    """Refuse."""
    check(url, force)


def remove(urls: Sequence[str]) -> NoReturn:
    """Refuse."""
    check(urls[0], True)


KINDS = ("file", "directory")


@cache
def _place(url: str) -> tuple[Any, str]:
    scheme = url.partition("://")[0]
    try:
        import fsspec
    except ImportError:
        known = ", ".join(f"{name}://" for name in registered() if name != ANY_OTHER)
        raise UsageError(
            f"{url}: no such scheme; there are {known}; others are read where fsspec and its package for them are "
            f"installed (hf://: pip install huggingface_hub); a file here by that name: ./{url}"
        ) from None
    try:
        return cast(tuple[Any, str], fsspec.core.url_to_fs(url))
    except (ImportError, ValueError) as error:
        raise UsageError(f"{url}: fsspec cannot serve {scheme}:// ({_told(error)}); a file here: ./{url}") from None
    except Exception as error:
        raise DataError(f"{url}: {_told(error)}") from error


def _told(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
