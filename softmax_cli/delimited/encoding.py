"""Is this UTF-8 text with line feeds? If not: what it is, where that shows, and what turns it into such text."""

from __future__ import annotations

from softmax_cli.errors import DataError

_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_MOSTLY = 0.4


def check_encoding(data: bytearray, name: str, first_line: int) -> None:
    """Refuse what is no text of lines.

    Parameters
    ----------
    first_line : int
        The physical line that `data` begins on; what begins a file is only looked for on line 1.

    Raises
    ------
    DataError
        UTF-16 or UTF-32, NUL bytes, or lines that end in a carriage return alone.
    """
    if first_line == 1:
        mark = next((encoding for mark, encoding in _MARKS.items() if data.startswith(mark)), None)
        if mark is not None:
            raise DataError(f"{name}: the encoding is {mark}, not utf-8; convert it: {_iconv(mark)}")
        if b"\n" not in data and b"\r" in data.rstrip(b"\r"):
            raise DataError(f"{name}: lines end in a carriage return (CR) alone; convert it: tr '\\r' '\\n'")
    at = data.find(b"\0")
    if at >= 0:
        line = first_line + data.count(b"\n", 0, at)
        wide = _wide_encoding(data[:4096])
        what = f"the encoding looks like {wide}; convert it: {_iconv(wide)}" if wide else "is this a binary file?"
        raise DataError(f"{name}:{line}: a NUL byte, which utf-8 text has not; {what}")


def decode_text(data: bytearray, name: str, first_line: int) -> str:
    """Decode UTF-8.

    Raises
    ------
    DataError
        It is not; with the line, the byte, and how to convert a Latin-1 file.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise DataError(
            f"{name}:{line}: byte 0x{data[error.start]:02x} is not utf-8; if the encoding is Latin-1, convert it: "
            f"{_iconv('latin1')}"
        ) from None


def _wide_encoding(sample: bytearray) -> str | None:
    """Name the encoding without a mark in which Latin letters have a NUL beside them."""
    for offset, encoding in ((1, "utf-16le"), (0, "utf-16be")):
        if sample[offset::2].count(b"\0") > _MOSTLY * len(sample) and sample[1 - offset :: 2].count(b"\0") == 0:
            return encoding
    return None


def _iconv(encoding: str) -> str:
    return f"iconv -f {encoding} -t utf-8"
