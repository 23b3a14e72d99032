"""One input opened: its compression undone, its format found, and made seekable where the format needs that."""

from __future__ import annotations

import errno
import io
import os
from contextlib import ExitStack
from typing import Any, BinaryIO, cast

from softmax_cli.batches.table import ReadOptions, Table
from softmax_cli.compression import by_magic
from softmax_cli.compression import by_suffix as compression_by_suffix
from softmax_cli.errors import DataError, UsageError
from softmax_cli.formats import Format, by_name, by_suffix, sniff
from softmax_cli.remote import bare_name, is_remote, open_binary
from softmax_cli.sources.paths import STDIN
from softmax_cli.sources.spool import spool

HEAD_BYTES = 512
"""Enough to tell any format, also behind blank lines."""
TEXT_FORMAT = "csv"
"""What text without a telling name is read as."""


def open_file(
    path: str, options: ReadOptions, input_format: str | None, closing: ExitStack, called: str | None = None
) -> Table:
    """Open the table in one file, here or remote, or on the standard input; `closing` closes it.

    Parameters
    ----------
    called : str or None
        What messages call it; None: its path.

    Raises
    ------
    DataError
        It is empty, cannot be read, or is not what its name or the user says.
    UsageError
        The user said a format that there is not.
    """
    name = called or ("stdin" if path == STDIN else bare_name(path))
    said = None if input_format is None else by_name(input_format)
    file = closing.enter_context(open_binary(path) if is_remote(path) else _open_raw(path, name))
    size = _plain_size(file)
    head, file = _peek(file, name)
    compression = by_magic(head)
    if compression is not None:
        file = closing.enter_context(compression.read(file, name))
        head, file = _peek(file, name)
        size = None
    elif (expected := compression_by_suffix(bare_name(path))) is not None:
        raise DataError(f"{name}: the name says {expected.name}, the first bytes do not; give the file its right name")
    form = said or _format_by_name(path) or sniff(head) or by_name(TEXT_FORMAT)
    if form.SEEKS and not file.seekable():
        file = closing.enter_context(spool(file, name))
    table = form.read(file, name, options)
    return table._replace(size=size if table.size is None else table.size)


def _open_raw(path: str, name: str) -> BinaryIO:
    try:
        raw = io.FileIO(os.dup(0) if path == STDIN else path, "rb")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        hint = f"allow it: chmod u+r {path}" if error.errno == errno.EACCES else "see that it is there and readable"
        raise DataError(f"{name}: cannot be opened: {reason}; {hint}") from error
    return cast(BinaryIO, raw)


def _plain_size(file: BinaryIO) -> int | None:
    """Bytes in all; None for a pipe."""
    if not file.seekable():
        return None
    here = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(here)
    return size


def _peek(file: BinaryIO, name: str) -> tuple[bytes, BinaryIO]:
    """Return the first bytes, and a file in which they have not been read yet.

    Raises
    ------
    DataError
        There are none.
    """
    head = b""
    try:
        while len(head) < HEAD_BYTES and (more := file.read(HEAD_BYTES - len(head))):
            head += more
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {os.strerror(error.errno or errno.EIO)}") from error
    if not head:
        raise DataError(
            f"{name}: empty (0 bytes); a table of scores was expected: see whether what wrote it has failed"
        )
    if file.seekable():
        file.seek(-len(head), os.SEEK_CUR)
        return head, file
    return head, cast(BinaryIO, _Unread(head, file))


class _Unread(io.RawIOBase):
    """A pipe with its first bytes put back."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._head:
            return cast(io.RawIOBase, self._file).readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._head))
        view[:size] = self._head[:size]
        self._head = self._head[size:]
        return size


def _format_by_name(path: str) -> Format | None:
    """Return the format that the file name tells; the standard input has no name."""
    if path == STDIN:
        return None
    try:
        return by_suffix(bare_name(path))[0]
    except UsageError:
        return None
