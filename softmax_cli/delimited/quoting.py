"""Cells that would be misread: quoted after RFC 4180, and kept from being run as formulas by spreadsheets."""

from __future__ import annotations

import re

import pyarrow as pa

from softmax_cli.rowtext.ragged import ragged

_FORMULA = r"\A[=+\-@\t\r]"
_NUMBER = r"\A\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*\z"


def quoted(array: pa.Array, delimiter: str) -> pa.Array:
    """Text, or a dictionary of text, with those cells in quotes that hold a delimiter, a quote or an end of line."""
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, quoted(array.dictionary, delimiter))
    if not ragged(array).hold(f'{delimiter}"\r\n'.encode()):
        return array
    import pyarrow.compute as pc

    quote, nothing = pa.scalar('"', array.type), pa.scalar("", array.type)
    whole = pc.binary_join_element_wise(quote, pc.replace_substring(array, '"', '""'), quote, nothing)
    return pc.if_else(pc.match_substring_regex(array, f'[{re.escape(delimiter)}"\r\n]'), whole, array)


def without_formulas(array: pa.Array) -> pa.Array:
    """Text, or a dictionary of text, with an apostrophe before cells that a spreadsheet would run; numbers stay."""
    if pa.types.is_dictionary(array.type):
        return pa.DictionaryArray.from_arrays(array.indices, without_formulas(array.dictionary))
    import pyarrow.compute as pc

    suspect = pc.and_(pc.match_substring_regex(array, _FORMULA), pc.invert(pc.match_substring_regex(array, _NUMBER)))
    return pc.if_else(
        suspect, pc.binary_join_element_wise(pa.scalar("'", array.type), array, pa.scalar("", array.type)), array
    )
