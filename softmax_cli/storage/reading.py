"""Files read as they are, here or remote; pipes, which pause; and temporary copies of what can be read only once."""

import os
import select
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple, TypeVar, cast

from softmax_cli.errors import DataError
from softmax_cli.storage.remote import is_remote, is_there, look, open_binary

COPY_BYTES = 1 << 20
PAUSE_SECONDS = 0.25
MORE_SPACE = "set TMPDIR to a folder with more space"

Item = TypeVar("Item")
State = tuple[int, int]
"""Bytes of a file, and when it was written, in nanoseconds."""


@contextmanager
def temporary_space(what: str, them: str = "it", way_out: str = MORE_SPACE) -> Iterator[None]:
    """Say what a temporary file was for, and what to do, where its folder does not take it.

    Parameters
    ----------
    what : str
        Begins the message: who keeps what.
    them : str
        Stands for the file, or the files.
    way_out : str
        Ends the message.

    Raises
    ------
    DataError
        The disk of the folder is full, or it cannot be written to.
    """
    import tempfile

    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(f"{what}, and {tempfile.gettempdir()} did not take {them}: {reason}; {way_out}") from error


def spool(file: BinaryIO, name: str) -> BinaryIO:
    """Copy a pipe to an unnamed temporary file, for a format that is not read from front to back.

    Raises
    ------
    DataError
        The disk of the temporary folder is full.
    """
    import shutil
    import tempfile

    copy = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    what = f"{name}: this format needs a temporary copy of what comes through a pipe or compressed"
    try:
        with temporary_space(what, way_out=f"name a plain file, or {MORE_SPACE}"):
            shutil.copyfileobj(file, copy, COPY_BYTES)
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return cast(BinaryIO, copy)


class Some(NamedTuple):
    """What one look at an input gave."""

    size: int
    """Bytes that were read."""
    is_end: bool
    pauses: bool
    """Whether a pipe has stopped giving, for now."""


def read_some(file: BinaryIO, buffer: memoryview) -> Some:
    """Fill a buffer from a file with ``readinto``; with less where it ends, or where a pipe pauses after some bytes."""
    filled = 0
    while filled < len(buffer):
        if filled and pauses(file):
            return Some(filled, False, True)
        more = file.readinto(buffer[filled:])  # type: ignore[attr-defined]
        if not more:
            return Some(filled, True, False)
        filled += more
    return Some(filled, False, False)


def pauses(file: BinaryIO, patience: float = PAUSE_SECONDS) -> bool:
    """Whether nothing comes for so many seconds; only what the system itself reads can be asked."""
    try:
        return not select.select([file.fileno()], [], [], patience)[0]
    except (OSError, ValueError):
        return False


CHUNK_BYTES = 1 << 20
MOST_BYTES = 1 << 30


def is_file(name: str) -> bool:
    """Whether there is a file by this name."""
    return is_there(name) if is_remote(name) else os.path.isfile(name)


def can_be_read(name: str) -> bool:
    """Whether there is a file by this name, or a pipe, such as the ``<(command)`` of a shell."""
    return is_there(name) if is_remote(name) else os.path.exists(name) and not os.path.isdir(name)


def open_bytes(name: str) -> BinaryIO:
    """Open a file for reading bytes; OSError, or the errors of its store, where that fails."""
    return open_binary(name) if is_remote(name) else cast(BinaryIO, open(name, "rb"))


def state_of(name: str) -> list[int | str | None]:
    """Return what distinguishes one state of a file from another: its size, and its time or its version."""
    if is_remote(name):
        held = look(name)
        return [held.size, held.version]
    here = os.stat(name)
    return [here.st_size, here.st_mtime_ns]


def absolute(folder: str, name: str) -> str:
    """Return a name that means the same file wherever it is used; relative ones begin at `folder`."""
    return name if is_remote(name) else os.path.join(folder, name)


def read_bytes(name: str) -> bytes:
    """Read a small file.

    Raises
    ------
    DataError
        It is larger than a gigabyte.
    """
    data = bytearray()
    with open_bytes(name) as file:
        while more := file.read(CHUNK_BYTES):
            data += more
            if len(data) > MOST_BYTES:
                raise DataError(f"more than {MOST_BYTES:,} bytes; expected a small file")
    return bytes(data)


def file_state(file: BinaryIO) -> State | None:
    """What distinguishes one state of a file from another; None for a pipe."""
    found = os.fstat(file.fileno())
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def unchanged(items: Iterator[Item], file: BinaryIO, state: State, name: str) -> Iterator[Item]:
    """Pass on what is read, and see at the end that nobody has written to the file meanwhile: it may be half old.

    Raises
    ------
    DataError
        Somebody has.
    """
    yield from items
    now = file_state(file)
    if now != state:
        size = "" if now is None or now[0] == state[0] else f": {state[0]:,} bytes became {now[0]:,}"
        raise DataError(f"{name}: changed while it was read{size}; run again when what writes it has ended")
