"""JSON values whose numbers stay as they are spelled, and their spelling."""

from __future__ import annotations

import json
from typing import Any


class Number(str):
    """A JSON number as it is spelled: ids keep their digits, and scores become floats later."""

    __slots__ = ()


_decode = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number).decode


def parse(text: bytes) -> Any:
    """One JSON value, its numbers as `Number`.

    Raises
    ------
    ValueError
        It is no JSON, not in UTF-8, or holds half of a character.
    RecursionError
        It is nested too deeply.
    """
    value = _decode(text.decode())
    if b"\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()  # JSON can spell half of a character, which no text can hold
    return value


def spell(value: Any) -> str:
    """A parsed value as JSON again, its numbers as they stood in the file."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(spell, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{spell(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
