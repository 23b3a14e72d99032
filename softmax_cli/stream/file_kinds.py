"""What a file is by its first bytes: its format, whatever its name says; or what it is that is no table of scores."""

from __future__ import annotations

import re
from typing import BinaryIO

from softmax_cli.errors import DataError
from softmax_cli.formats import UTF8_MARK, Format, by_name, name_of, sniff

_BINARY_MAGIC = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff", b"\x93NUMPY", b"PK\x03\x04")
_ZIP = b"PK\x03\x04"

_FOREIGN: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"SQLite format 3\0", "a SQLite database", "export a query: sqlite3 -csv -header {name} 'select ...' > x.csv"),
    (8, b"DUCK", "a DuckDB database", "export a table: duckdb {name} \"copy t to 'x.parquet'\""),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch the file: git lfs pull"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", "write the array: numpy.save('x.npy', h5py.File('{name}')['logits'][:])"),
    (
        0,
        b"MATLAB 5.0 MAT-file",
        "a MATLAB file",
        "write it: numpy.save('x.npy', scipy.io.loadmat('{name}')['z'])",
    ),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls)", "save it in Excel as CSV UTF-8"),
    (0, b"%PDF", "a PDF", "save the table as CSV"),
    (0, b"\x89PNG", "a picture (PNG)", "save the table as CSV"),
    (0, b"\xff\xd8\xff", "a picture (JPEG)", "save the table as CSV"),
    (0, b"ORC", "an ORC file", "write it as Parquet: pyarrow.orc.read_table('{name}') and pyarrow.parquet.write_table"),
    (0, b"Obj\x01", "an Avro file", "write it as Parquet or CSV"),
    (
        0,
        b"FEA1",
        "a Feather file of version 1",
        "write it again: pandas.read_feather('{name}').to_feather('x.feather')",
    ),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (0, b"Rar!", "a RAR archive", "unpack it first"),
    (257, b"ustar", "a tar archive", "unpack it first: tar -xf {name}"),
    (0, b"RDX", "an R data file", "write it from R: write.csv(x, 'x.csv', row.names = FALSE)"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_MARKUP = re.compile(rb"<(!doctype|html|head|body|\?xml|svg|error|!--)", re.IGNORECASE)
_SAFETENSORS = re.compile(rb".{8}\{\"", re.DOTALL)
_TORCH = "a PyTorch file", "write the numbers: numpy.save('x.npy', torch.load('{name}')['logits'].numpy())"
_EXCEL = "an Excel file (xlsx)", "save it as CSV, or write pandas.read_excel('{name}').to_csv('x.csv', index=False)"


def refuse_foreign(head: bytes, name: str, file: BinaryIO) -> None:
    """Refuse what is known to be no table, with the way to one.

    Parameters
    ----------
    head : bytes
        The first bytes, less a compression.
    file : binary file
        Where they come from; a zip is looked into where it can be sought in.

    Raises
    ------
    DataError
        It is such a file.
    """
    found = next(((what, way) for at, magic, what, way in _FOREIGN if head[at:].startswith(magic)), None)
    if found is None and head.startswith(_ZIP):
        found = _in_zip(head, file)
    if found is None and _PICKLE.match(head):
        found = "a pickle (.pkl, .pt, joblib), which can run code and is never loaded", _TORCH[1]
    if found is None and _SAFETENSORS.match(head) and head[4:8] == b"\0\0\0\0":
        found = "a safetensors file", "write the numbers: numpy.save('x.npy', tensor.numpy())"
    if found is None and _MARKUP.match(head.removeprefix(UTF8_MARK).lstrip()):
        found = (
            "HTML or XML, not a table",
            "was a page saved instead of the file? Fetch the file itself, as CSV or Parquet",
        )
    if found is not None:
        raise DataError(f"{name}: this is {found[0]}; {found[1].format(name=name)}")


def _in_zip(head: bytes, file: BinaryIO) -> tuple[str, str] | None:
    """Say what a zip holds that is no archive of NumPy arrays."""
    # In a pipe only the first bytes are at hand, and in a damaged zip only they can be read.
    size = int.from_bytes(head[26:28], "little")
    marks = [mark.decode() for mark in (b"[Content_Types].xml", b"xl/", b"data.pkl", b".npy") if mark in head]
    members = marks or [head[30 : 30 + size].decode("utf-8", "replace")]
    if file.seekable():
        import zipfile

        here = file.tell()
        try:
            members = zipfile.ZipFile(file).namelist() or members
        except (zipfile.BadZipFile, OSError, NotImplementedError):
            pass
        finally:
            file.seek(here)
    if any(member.endswith(".npy") for member in members):
        return None
    if any(member.startswith(("xl/", "[Content_Types].xml")) for member in members):
        return _EXCEL
    if any(member.endswith("data.pkl") for member in members):
        return _TORCH
    shown = ", ".join(members[:3]) + (" ..." if len(members) > 3 else "")
    return f"a zip archive ({shown})", "unpack it first: unzip {name}"


def format_of(head: bytes, named: Format | None, name: str) -> tuple[Format, str | None]:
    """Return the format of a file, and a note where its name says another one.

    Parameters
    ----------
    named : Format or None
        What the file name says.
    """
    if named is None:
        return sniff_text(head) or sniff(head) or by_name("csv"), None
    found = _contradicting(head, named)
    if found is None or found is named:
        return named, None
    return found, f"{name}: read as {name_of(found)}, which it is by its content"


def _contradicting(head: bytes, form: Format) -> Format | None:
    named = name_of(form)
    if head.startswith(_BINARY_MAGIC):
        found = sniff(head)
        # A stream goes by the name of a file too, and the reader of files knows both.
        return None if found is None or {named, name_of(found)} <= {"arrow", "arrows"} else found
    if not form.MAGIC:
        return sniff_text(head)
    text = head.removeprefix(UTF8_MARK).lstrip()
    if not text or not _is_text(head):
        return None
    if named in ("json", "jsonl"):
        first = text.partition(b"\n")[0]
        is_delimited = re.match(rb"[\w \"'.#-]+[,;\t|]", first) is not None and b"{" not in text and b"[" not in text
        return by_name("csv") if is_delimited else None
    return sniff_text(head) or by_name("csv")


def _is_text(head: bytes) -> bool:
    """Whether the first bytes are lines of printed characters, rather than a file that is damaged."""
    try:
        text = head[: head.rfind(b"\n") + 1 or len(head)].decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return len(text) > 1 and all(mark.isprintable() or mark in "\t\r\n" for mark in text)


def sniff_text(head: bytes) -> Format | None:
    """Return the format of text that is surely JSON; None for other text."""
    text = head.removeprefix(UTF8_MARK).lstrip()
    if text[:1] not in (b"{", b"["):
        return None
    import json  # after the look that tells delimited text apart

    first, end, _ = text.partition(b"\n")
    try:
        json.loads(first)
    except ValueError:
        begins = rb"\{\s*(\"|\}|$)" if text.startswith(b"{") else rb"\[\s*(\{|\[|\"|$)"
        is_cut = not end and re.match(rb"\[\s*-?\d", text) is not None and b"," in text
        if re.match(begins, text) is None and not is_cut:
            return None
    return by_name("jsonl" if text.startswith(b"{") else "json")
