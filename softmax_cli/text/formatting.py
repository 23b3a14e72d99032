"""Numbers and spans to blocks of text."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.text import _core
from softmax_cli.text.parsing import MISSING, Buffer, Spans, joined_ends

Kind = Literal["probability", "number"]
MOST_DIGITS = 17
_PROBABILITY, _SCIENTIFIC, _GENERAL, _FIXED, _FIXED_PROBABILITY = range(5)


class NumberStyle(NamedTuple):
    """How numbers are written; made by `number_style`."""

    code: int
    digits: int


def number_style(kind: Kind, digits: int = 9, decimals: int | None = None) -> NumberStyle:
    """Choose how numbers are written.

    - Probabilities in 9 digits take 14 bytes: ``0.274029123456`` from 2**-10 (0.00098) up, twelve decimals, so that
      0.00098 still has nine digits; ``4.53999298e-05`` below; ``372007598e-110`` from 1e-100 down.
    - Probabilities in 17 digits take 22 bytes: ``2.7402912345678901e-01``, ``27402912345678901e-122``.
    - Any other number, or count of digits: ``-2.30258509`` from 1e-5 to 1e9 as far as the digits reach, else
      ``1.23456789e-12``. Trailing zeros stay, so that the count of digits is what was asked for.
    - Decimals: what ``f"{x:.6f}"`` gives; the shortest text that reads back for numbers from 1e17 on.

    All are rounded half to even from the exact binary value.

    Parameters
    ----------
    kind : str
        ``probability``: values from 0 to 1 (to below 10, so that rounding errors do no harm). ``number``: any float.
    digits : int
        Significant digits, 1 to 17. 9 read back the same float32, 17 the same float64.
    decimals : int, optional
        Fixed decimals instead, 0 to 17.

    Raises
    ------
    ValueError
        `digits` or `decimals` is out of range.
    """
    if decimals is not None:
        if not 0 <= decimals <= MOST_DIGITS:
            raise ValueError(f"decimals must lie in 0 .. {MOST_DIGITS}, not {decimals}")
        return NumberStyle(_FIXED_PROBABILITY if kind == "probability" else _FIXED, decimals)
    if not 1 <= digits <= MOST_DIGITS:
        raise ValueError(f"digits must lie in 1 .. {MOST_DIGITS}, not {digits}")
    if kind == "probability" and digits in (9, MOST_DIGITS):
        return NumberStyle(_PROBABILITY if digits == 9 else _SCIENTIFIC, digits)
    return NumberStyle(_GENERAL, digits)


def format_numbers(values: NDArray[np.float64], style: NumberStyle) -> list[str]:
    """The text of each number; empty for ``nan``.

    Raises
    ------
    ValueError
        A value that is to be a probability lies outside of 0 .. 10.
    """
    return _core.format_numbers(values, *style)


Encoding = Literal["field", "text", "value", "ready"]
"""What spans mark: fields of delimited lines, with the quotes they have; text as it is; values as text, which are no
formulas whatever they look like; or what is in the format to be written already."""


class Texts(NamedTuple):
    """A column of text in the lines that are written."""

    before: bytes
    """What stands before the cell: a delimiter, a key."""
    data: Buffer
    spans: Spans
    """The cells in `data`, shape (rows, 2)."""
    encoding: Encoding = "text"
    after: bytes = b""
    missing: bytes = b""
    """What stands for a missing cell."""


class Numbers(NamedTuple):
    """Neighbouring columns of numbers in the lines that are written."""

    before: bytes
    keys: Sequence[bytes]
    """What stands before each number."""
    values: NDArray[np.float64]
    """Shape (rows, keys), in any memory order."""
    style: NumberStyle
    missing: bytes = b""
    """What stands for ``nan``."""
    finite: bool = False
    """The format has no name for infinities: they are missing."""
    closing: bytes = b""
    """What stands behind the last number."""
    present: NDArray[np.bool_] | None = None
    """Which rows have numbers at all; None: every row."""
    absent: bytes = b""
    """What stands, instead of keys, numbers and `closing`, in a row that has none."""
    after: bytes = b""


class LineFormat(NamedTuple):
    """The rules by which the cells of a line are put down."""

    delimiter: str = ","
    json: bool = False
    """Text is written as JSON strings; else in quotes where a reader of delimited lines would misread it (RFC 4180)."""
    escape_formulas: bool = False
    """An apostrophe is put before text that a spreadsheet would run."""


_ENCODINGS: dict[Encoding, int] = {"field": 0, "text": 1, "value": 2, "ready": 3}


def write_rows(
    columns: Sequence[Texts | Numbers],
    rows: int,
    form: LineFormat,
    end: bytes = b"\n",
    ends: NDArray[np.int32] | None = None,
) -> bytearray:
    """Write a block of rows, column after column from left to right.

    Parameters
    ----------
    end : bytes
        What stands behind each row. A delimited line that would be empty, which readers skip, is a pair of quotes.
    ends : array of int32, shape (rows,), optional
        Is given where each line ends.

    Raises
    ------
    ValueError
        A value that is to be a probability lies outside of 0 .. 10.
    """
    lines = _core.Lines(form.json, ord(form.delimiter), form.escape_formulas)
    for column in columns:
        if isinstance(column, Texts):
            encoding = _ENCODINGS[column.encoding]
            lines.add_text(column.before, column.data, column.spans, encoding, column.after, column.missing)
        else:
            keys = (b"".join(column.keys), joined_ends(column.keys))
            present = None if column.present is None else column.present.view(np.uint8)
            lines.add_numbers(
                column.before,
                *keys,
                column.values,
                *column.style,
                column.missing,
                column.finite,
                column.closing,
                present,
                column.absent,
                column.after,
            )
    return lines.write(rows, end, b"" if form.json else b'""', ends)


def text_spans(texts: Sequence[str | None]) -> tuple[bytes, Spans]:
    """Lay out texts one after the other: their bytes, and the span of each; None is missing."""
    encoded = [b"" if text is None else text.encode() for text in texts]
    spans = _between(joined_ends(encoded))
    spans[[i for i, text in enumerate(texts) if text is None]] = MISSING
    return b"".join(encoded), spans


def encoded_texts(data: Buffer, spans: Spans, form: LineFormat) -> tuple[bytearray, Spans]:
    """Write texts that will occur often, such as the names of classes, once.

    Returns
    -------
    tuple
        The bytes, and the span of each text in them: ``ready`` to be copied. A last span, at -1, is a missing text.
    """
    ends = np.empty(len(spans), np.int32)
    # The space keeps an empty text from being an empty line.
    encoded = write_rows([Texts(b" ", data, spans)], len(spans), form, b"", ends)
    ready = np.concatenate([_between(ends), np.full((1, 2), MISSING, np.int32)])
    ready[:-1, 0] += 1
    return encoded, ready


def _between(ends: NDArray[np.int32]) -> Spans:
    """The spans of texts that lie one after the other."""
    spans = np.zeros((len(ends), 2), np.int32)
    spans[1:, 0] = ends[:-1]
    spans[:, 1] = ends
    return spans


def to_json(value: object) -> str:
    """One value as JSON: whatever JSON has no name for becomes null (``nan``, infinities) or text."""
    import json  # lists and structs alone need it

    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, str | int) else str(value)
