"""Where output goes: a file that appears whole under its name or not at all, or the standard output."""

from __future__ import annotations

import fcntl
import io
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO, cast

from softmax_cli.errors import ClosedPipeError, DataError, UsageError
from softmax_cli.storage.remote import bare_name, is_remote, store_of

_BUFFER_BYTES = 1 << 16


class StandardOutput(io.RawIOBase):
    """File descriptor 1 for bytes.

    A closed pipe is reported apart from every other failure here, where it happens: further up it would look like one.
    """

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: object) -> int:
        """Write all of a bytes-like object."""
        view = memoryview(data).cast("B")  # type: ignore[arg-type]
        written = 0
        try:
            while written < len(view):
                written += os.write(1, view[written:])
        except BrokenPipeError:
            raise ClosedPipeError from None
        except OSError as error:
            raise write_error("standard output", error) from error
        return written


@contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Open the standard output for bytes; after a failure, what waits to be written is dropped."""
    raw = StandardOutput()
    file = io.BufferedWriter(raw, _BUFFER_BYTES)
    try:
        yield cast(BinaryIO, file)
        file.flush()
    finally:
        with suppress(ClosedPipeError, DataError, ValueError):
            raw.close()


def write_error(name: str, error: OSError) -> DataError:
    """Say that writing failed, and that nothing half-done was left."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    return DataError(f"{name}: cannot write: {reason}; nothing was left under that name")


def check_target(name: str | Path, inputs: Sequence[str], force: bool) -> None:
    """Refuse, before anything is read, a target that is an input, is a folder, is in no folder, or exists.

    Raises
    ------
    UsageError
        With what to type instead.
    DataError
        The store of a remote target cannot be asked.
    """
    if is_remote(str(name)):
        check_remote_target(str(name), inputs, force)
        return
    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it, such as {path / 'probs.csv'}")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}; make it first: mkdir -p {path.parent}")
    if not path.exists():
        return
    if any(Path(name).exists() and path.samefile(name) for name in inputs):
        raise UsageError(f"{path} is the input: the output needs another name")
    if _is_plain(path) and not force:
        raise UsageError(f"{path} exists; write over it with --force, or choose another name")


def whole_file(name: str | Path, force: bool) -> AbstractContextManager[BinaryIO]:
    """Open a file for writing, here or remote, that takes its name only when everything has been written.

    After an error, or a signal that is raised as an exception, what stood under the name before is untouched. A remote
    file is written from front to back.
    """
    url = str(name)
    return store_of(url).write(url, force) if is_remote(url) else _file_here(Path(name), force)


@contextmanager
def _file_here(path: Path, force: bool) -> Iterator[BinaryIO]:
    """Write to a hidden file beside the target; then fsync, rename, fsync of the folder.

    After a failure the hidden file is removed.
    """
    if path.exists() and not _is_plain(path):  # a device or a named pipe: there is no name to take
        with reporting_errors(path), path.open("wb") as target:
            yield target
        return
    final = path.resolve()
    with reporting_errors(path):
        part, descriptor = _create_part(final)
    try:
        with reporting_errors(path), os.fdopen(descriptor, "w+b") as target:
            _copy_mode(target.fileno(), final)
            with early_writeback(target.fileno()):
                yield cast(BinaryIO, target)
            target.flush()
            os.fsync(target.fileno())
            _take_name(part, final, force)  # while the file is open, and hence locked
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


_LONGEST_NAME = 240
"""Bytes of a file's name that leave room for what its hidden file has besides; most file systems take 255."""


def _create_part(final: Path) -> tuple[str, int]:
    """Create the hidden file: ``.probs.csv.part`` or, where another run is writing that, ``.probs.csv.2.part`` ...

    It is locked as long as it is open. What runs that were killed have left under these names is removed: nobody holds
    its lock.

    Returns
    -------
    name : str
    descriptor : int
    """
    name = final.name if len(os.fsencode(final.name)) <= _LONGEST_NAME else final.name[: _LONGEST_NAME // 4]
    number = 1
    while True:
        part = str(final.with_name(f".{name}.part" if number == 1 else f".{name}.{number}.part"))
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)  # less what the umask forbids
        except FileExistsError:
            if not _remove_if_left(part):
                number += 1
            continue
        if lock(descriptor) is not False and _is_named(descriptor, part):
            while _remove_if_left(str(final.with_name(f".{name}.{number + 1}.part"))):
                number += 1
            return part, descriptor
        os.close(descriptor)  # another run took it for left over before it was locked


def _remove_if_left(part: str) -> bool:
    """Remove a hidden file whose run is gone; False: there is none, it belongs to somebody, or nobody can say."""
    try:
        descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        is_left = stat.S_ISREG(os.fstat(descriptor).st_mode) and lock(descriptor) is True
        if is_left and _is_named(descriptor, part):
            os.unlink(part)
        return is_left
    except OSError:
        return False
    finally:
        os.close(descriptor)


def lock(descriptor: int) -> bool | None:
    """Lock a file for as long as it is open; False: another process has, None: this file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_named(descriptor: int, name: str) -> bool:
    """Whether an open file still has its name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(name, follow_symlinks=False))
    except FileNotFoundError:
        return False


@contextmanager
def reporting_errors(path: Path) -> Iterator[None]:
    """Raise DataError, with one message, where the system does not let us write."""
    try:
        yield
    except OSError as error:
        raise write_error(str(path), error) from error


def _copy_mode(descriptor: int, final: Path) -> None:
    """Give the file the mode of the one that it replaces."""
    if final.exists():
        os.fchmod(descriptor, stat.S_IMODE(final.stat().st_mode))


def _take_name(name: str, final: Path, force: bool) -> None:
    if force:
        os.replace(name, final)
    else:
        try:  # a link, unlike a rename, fails when someone else has taken the name meanwhile
            os.link(name, final)
        except FileExistsError:
            raise UsageError(
                f"{final.name} was written by another run meanwhile; this run's output was dropped"
            ) from None
        except OSError:  # a file system without hard links
            os.replace(name, final)
        else:
            os.unlink(name)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _is_plain(path: Path) -> bool:
    return stat.S_ISREG(path.stat().st_mode)


_PAUSE_SECONDS = 0.03
_write_back = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


@contextmanager
def early_writeback(descriptor: int) -> Iterator[None]:
    """Send to the disk, again and again until the block ends, what has been written to a file.

    Raises
    ------
    OSError
        The disk failed. The kernel tells that to one call alone, so a later fsync would not.
    """
    is_written = Event()
    failures: list[OSError] = []

    def flush() -> None:
        try:
            while not is_written.wait(_PAUSE_SECONDS):
                _write_back(descriptor)
        except OSError as error:
            failures.append(error)

    flushing = Thread(target=flush, name="writeback")
    flushing.start()
    try:
        yield
    finally:
        is_written.set()
        flushing.join()
    if failures:
        raise failures[0]


def check_remote_target(url: str, inputs: Sequence[str], force: bool) -> None:
    """Refuse a target that is an input, is a folder, is in no bucket, exists, or is kept where nothing can be written.

    Raises
    ------
    UsageError
        With what to type instead.
    DataError
        The store cannot be asked, or refuses.
    """
    store = store_of(url)
    name = bare_name(url)
    if url.endswith("/") or url.count("/") < 3:
        raise UsageError(f"{name} is a folder; name a file in it, such as {name.rstrip('/')}/probs.csv")
    if url in inputs:
        raise UsageError(f"{name} is the input: the output needs another name")
    store.check(url, force)
