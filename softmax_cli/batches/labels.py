"""The truth of a row as the column of its class: matched by name, and by number only where names rule nothing out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.batches.columns import Columns
from softmax_cli.errors import DataError

_LISTED = 12
"""Names that a message lists of each set."""


def truth_texts(column: pa.Array) -> pa.Array:
    """Truths as text, null where there is none.

    Booleans are 0 and 1, and numbers without a fraction are written as whole ones: what wrote ``3.0`` into an array of
    floats meant 3. An empty text is no truth.
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if pa.types.is_floating(column.type):
        column = _whole(column)
    texts = column.cast(pa.string())
    codes, names = _distinct(texts)
    empty = [position for position, name in enumerate(names) if name == ""]
    if not empty:
        return texts
    missing = np.isin(codes, [*empty, -1])
    return pa.DictionaryArray.from_arrays(_indices(codes, missing), pa.StringArray.from_buffers(
        *_text_buffers(names))).dictionary_decode()
