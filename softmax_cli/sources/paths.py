"""Which files are meant by what was typed: names, patterns that no shell expanded, and folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from softmax_cli.errors import UsageError
from softmax_cli.formats import by_suffix, name_of
from softmax_cli.remote import bare_name, is_remote

STDIN = "-"


def expand_paths(typed: Sequence[str], input_format: str | None) -> list[str]:
    """List the files to read, in the order typed; those of a pattern or a folder by name.

    Parameters
    ----------
    typed : sequence of str
        Files, patterns (``'logits/*.parquet'``), folders, here or remote, or ``-`` for the standard input, which no
        name means too.
    input_format : str or None
        The format that the user said; None: file names have to tell it in a folder.

    Raises
    ------
    UsageError
        A name or a pattern matches nothing, or a folder does not hold the files of one format.
    DataError
        A remote store cannot be asked.
    """
    if typed.count(STDIN) > 1:
        raise UsageError("- (standard input) can be read once only; it was given twice")
    found: list[str] = []
    for path in typed or [STDIN]:
        if path == STDIN or (os.path.exists(path) and not os.path.isdir(path)):
            found.append(path)
        elif is_remote(path):
            found += _remote(path, input_format)
        elif os.path.isdir(path):
            found += _in_folder(path, [entry.name for entry in os.scandir(path) if entry.is_file()], input_format)
        else:
            found += _matching(path)
    return found


def _matching(pattern: str) -> list[str]:
    import glob

    if not glob.has_magic(pattern):
        raise UsageError(_missing(pattern))
    files = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    if not files:
        raise UsageError(f"{pattern}: no file matches; see what is there: ls {os.path.dirname(pattern) or '.'}")
    return files


def _remote(url: str, input_format: str | None) -> list[str]:
    from softmax_cli.remote.names import find_files

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
        form = input_format or _format_name(name)
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


def _format_name(path: str) -> str | None:
    try:
        return name_of(by_suffix(bare_name(path))[0])
    except UsageError:
        return None


def _missing(path: str) -> str:
    folder = os.path.dirname(path)
    if folder and not os.path.isdir(folder):
        return f"{path}: there is no folder {folder}"
    there = os.listdir(folder or ".")
    import difflib

    close = difflib.get_close_matches(os.path.basename(path), there, n=1)
    hint = f"did you mean {os.path.join(folder, close[0])}?" if close else f"see what is there: ls {folder or '.'}"
    return f"{path}: no such file; {hint}"
