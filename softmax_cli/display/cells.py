"""Arrow values as texts."""

from __future__ import annotations

import math

import pyarrow as pa

from softmax_cli.batches.columns import METADATA_KEY
from softmax_cli.display.figures import probability
from softmax_cli.display.text import visible

_LONGEST = 500
"""Characters of a cell that are looked at: no terminal shows more, and a cell may hold megabytes."""


def strings(array: pa.Array) -> list[str | None]:
    """Every value as text; null is None."""
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.string())  # as a Python value, a timestamp in nanoseconds imports pandas
    return [None if value is None else str(value) for value in array.to_pylist()]


def texts(array: pa.Array, encoding: str) -> list[str]:
    """Every value as one visible line; a null is empty."""
    return ["" if value is None else visible(value[:_LONGEST], encoding) for value in strings(array)]


def numbers(array: pa.Array, field: pa.Field) -> list[str]:
    """Real numbers with as many digits as a person compares; a null is empty."""
    is_probability = (field.metadata or {}).get(METADATA_KEY) == b"prob"
    tell = probability if is_probability else _number
    return ["" if value is None else tell(value) for value in array.to_pylist()]


def _number(value: float) -> str:
    if math.isfinite(value) and (value == 0 or 1e-3 <= abs(value) < 1e6):
        return f"{value:.3f}"
    return f"{value:.3g}"
