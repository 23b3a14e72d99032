"""Input files found and opened as one table: patterns, folders, compression, format, pipes."""

import errno
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, cast

from softmax_cli.errors import DataError, UsageError, nearest
from softmax_cli.formats import by_name, by_suffix, is_read, name_of
from softmax_cli.storage.compression import compression_by_magic, compression_by_suffix
from softmax_cli.storage.reading import file_state, pauses, spool, unchanged
from softmax_cli.storage.remote import bare_name, is_remote, look, open_binary
from softmax_cli.stream.file_kinds import format_of, refuse_foreign
from softmax_cli.tables.table import ReadOptions, Table

STDIN = "-"
NAMES: ContextVar[Mapping[str, str]] = ContextVar("NAMES", default=MappingProxyType({}))
"""What files are called that somebody gave as a table in memory, by their paths."""


class InputFile(NamedTuple):
    """One file to read; picklable."""

    path: str
    """A name here, a URL, or ``-``: the standard input."""
    format: str | None = None
    """Name of its format, as it was given or as the file name says; None: the first bytes decide."""
    is_given: bool = False
    """Whether the user gave the format: then the first bytes are not asked whether they contradict it."""
    called: str | None = None
    """What messages and reports call it; None: its path."""

    @property
    def name(self) -> str:
        """What messages and reports call it."""
        return self.called or ("stdin" if self.path == STDIN else bare_name(self.path))


def input_files(typed: Sequence[str], input_format: str | None = None) -> tuple[InputFile, ...]:
    """List the files to read, in the order typed; those of a pattern or a folder by name.

    Parameters
    ----------
    typed : sequence of str
        Files, patterns (``'logits/*.parquet'``), folders, here or remote, or ``-`` for the standard input, which no
        name means too.
    input_format : str or None
        The format that the user gave for all of them; None: file names and first bytes say it.

    Raises
    ------
    UsageError
        A name or a pattern matches nothing, a folder does not hold the files of one format, or there is no such format.
    DataError
        A remote store cannot be asked.
    """
    if typed.count(STDIN) > 1:
        raise UsageError("- (standard input) can be read once only; it was given twice")
    given = None if input_format is None else name_of(by_name(input_format))
    if given is not None and not is_read(by_name(given)):
        raise UsageError(f"--input-format {given}: such a table is only written, for people; read its CSV or Parquet")
    found: list[str] = []
    for path in typed or [STDIN]:
        if path == STDIN or (os.path.exists(path) and not os.path.isdir(path)):
            found.append(path)
        elif is_remote(path):
            found += _remote(path, given)
        elif os.path.isdir(path):
            found += _in_folder(path, [entry.name for entry in os.scandir(path) if entry.is_file()], given)
        else:
            found += _matching(path)
    names = NAMES.get()
    return tuple(InputFile(path, given or format_by_name(path), given is not None, names.get(path)) for path in found)


def _matching(pattern: str) -> list[str]:
    import glob

    if not glob.has_magic(pattern):
        raise UsageError(_missing(pattern))
    files = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    if not files:
        raise UsageError(f"{pattern}: no file matches; see what is there: ls {os.path.dirname(pattern) or '.'}")
    return files


def _remote(url: str, input_format: str | None) -> list[str]:
    from softmax_cli.storage.paths import find_files

    files, is_folder = find_files(url)
    if not is_folder:
        return files
    folder = url.rstrip("/")
    return _in_folder(folder, [file[len(folder) + 1 :] for file in files], input_format)


def _in_folder(folder: str, names: Iterable[str], input_format: str | None) -> list[str]:
    """Choose the tables of a folder; names that begin with _ or . are marks and left-overs of other programs."""
    names = sorted(name for name in names if not name.startswith(("_", ".")))
    by_format: dict[str, list[str]] = {}
    for name in names:
        form = input_format or format_by_name(name)
        if form is not None:
            by_format.setdefault(form, []).append(os.path.join(folder, name))
    if not by_format:
        inside = os.path.join(folder, "**", "*.parquet")
        raise UsageError(f"{folder}: a folder without tables; name the files, or those of its folders: '{inside}'")
    if len(by_format) > 1:
        there = ", ".join(f"{len(files)} {form}" for form, files in by_format.items())
        suffix = os.path.splitext(next(iter(by_format.values()))[0])[1]
        pattern = os.path.join(folder, f"*{suffix}")
        raise UsageError(f"{folder}: files of several formats ({there}); choose with a pattern: '{pattern}'")
    return next(iter(by_format.values()))


def format_by_name(path: str) -> str | None:
    """Return the name of the format to read that a file name says; None: it says none, as the standard input."""
    try:
        form = None if path == STDIN else by_suffix(bare_name(path))[0]
    except UsageError:
        return None
    return name_of(form) if form is not None and is_read(form) else None


def _missing(path: str) -> str:
    try:
        float(path.replace(",", ""))
    except ValueError:
        pass
    else:
        return (
            f"{path}: no such file; numbers on the command line are for softmax-cli explain 2 1 0.1; scores come from "
            "a file or a pipe: echo '2,1,0.1' | softmax-cli predict -"
        )
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        return f"{path}: there is no folder {folder}"
    there = os.listdir(folder or ".")
    close = nearest(os.path.basename(path), there, 1)
    hint = f"did you mean {os.path.join(folder, close[0])}?" if close else f"see what is there: ls {folder or '.'}"
    return f"{path}: no such file; {hint}"


HEAD_BYTES = 512
"""Enough to recognise any format, also behind blank lines."""


def open_file(source: InputFile, options: ReadOptions, closing: ExitStack) -> Table:
    """Open the table in one file, here or remote, or on the standard input; `closing` closes it.

    Raises
    ------
    DataError
        It is empty, cannot be read, or is not what its name or the user says.
    """
    path, name = source.path, source.name
    file = closing.enter_context(open_binary(path) if is_remote(path) else _open_raw(path, name))
    raw, state = file, None if is_remote(path) else file_state(file)
    size = _plain_size(file)
    head, file = _peek(file, name)
    compression = compression_by_magic(head)
    if compression is not None:
        file = closing.enter_context(compression.read(file, name))
        head, file = _peek(file, name)
        size = None
    elif (expected := compression_by_suffix(bare_name(path))) is not None:
        raise DataError(f"{name}: the name says {expected.name}, the first bytes do not; give the file its right name")
    refuse_foreign(head, name, file)
    named = None if source.format is None else by_name(source.format)
    form, note = (named, None) if named and source.is_given else format_of(head, named, name)
    if form.SEEKS and not file.seekable():
        file = closing.enter_context(spool(file, name))
    table = form.read(file, name, options)
    notes = table.notes if note is None else (note, *table.notes)
    if state is not None:
        table = table._replace(blocks=unchanged(table.blocks, raw, state, name))
    return table._replace(size=size if table.size is None else table.size, notes=notes)


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
        while len(head) < HEAD_BYTES and not (b"\n" in head.lstrip() and pauses(file)):
            more = file.read(HEAD_BYTES - len(head))
            if not more:
                break
            head += more
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {os.strerror(error.errno or errno.EIO)}") from error
    if not head:
        hint = "name a file, or see whether what pipes it in" if name == "stdin" else "see whether what wrote it"
        raise DataError(f"{name}: empty (0 bytes); a table of scores was expected: {hint} has failed")
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

    def fileno(self) -> int:
        if self._head:
            raise io.UnsupportedOperation("the system does not know of the bytes that were put back")
        return self._file.fileno()

    def readinto(self, buffer: Any) -> int:
        if not self._head:
            return cast(io.RawIOBase, self._file).readinto(buffer) or 0
        view = memoryview(buffer).cast("B")
        size = min(len(view), len(self._head))
        view[:size] = self._head[:size]
        self._head = self._head[size:]
        return size


def make_rereadable(paths: Sequence[str], flag: str) -> Callable[[], None]:
    """Prepare inputs for a second reading.

    Parameters
    ----------
    paths : sequence of str
        Of the files.
    flag : str
        The option that needs it, for messages.

    Returns
    -------
    callable
        Goes back to where the standard input began, to be called before the second reading.

    Raises
    ------
    UsageError
        An input is a named pipe, which is gone after one reading.
    DataError
        The standard input does not fit into the temporary folder.
    """
    pipes = [path for path in paths if path != STDIN and Path(path).is_fifo()]
    if pipes:
        raise UsageError(
            f"{flag} reads the input twice, and {pipes[0]} is a pipe that is gone after once: save it to a file"
        )
    if STDIN not in paths or os.isatty(0):  # at a terminal nobody has piped anything in, as whoever opens it will say
        return lambda: None
    with open(os.dup(0), "rb", buffering=0) as given:
        if not given.seekable():
            with spool(cast(BinaryIO, given), "stdin") as copy:
                os.dup2(copy.fileno(), 0)
    start = os.lseek(0, 0, os.SEEK_CUR)

    def rewind() -> None:
        os.lseek(0, start, os.SEEK_SET)

    return rewind


LOOKS_AT_ONCE = 8
READ_AS_FOUND = ReadOptions()
"""Nothing was given about the layout."""


@contextmanager
def open_table(files: Sequence[InputFile], options: ReadOptions = READ_AS_FOUND) -> Iterator[Table]:
    """Open files as one table: they are read one after the other, and have the columns of the first.

    Raises
    ------
    DataError
        A file is empty, damaged, not what its name says, or has other columns than the first.
    """
    with ExitStack() as closing:
        first = open_file(files[0], options, closing)
        if len(files) == 1:
            yield first
            return
        later = [partial(open_table, [file], options) for file in files[1:]]
        from softmax_cli.tables.concat import unite

        table = unite(first, later, _size([file.path for file in files]))._replace(name=_title(first.name, files))
        closing.callback(table.blocks.close)  # type: ignore[attr-defined]  # a generator: it closes the file it is in
        yield table


def _title(first: str, files: Sequence[InputFile]) -> str:
    """Name several files in a few words."""
    return f"{first} and {files[1].name}" if len(files) == 2 else f"{first} and {len(files) - 1:,} more"


def _size(files: Sequence[str]) -> int | None:
    """Bytes in all files; None where a pipe or a compressed file hides how much is to come."""
    if any(path == STDIN or compression_by_suffix(bare_name(path)) for path in files):
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
