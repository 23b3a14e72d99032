"""Class names from a file: one a line, a JSON list, or the ``id2label`` map of a model's configuration."""

from __future__ import annotations

import json

from softmax_cli.errors import DataError, UsageError
from softmax_cli.sources.anywhere import is_file, read_bytes


def read_class_names(said: str) -> tuple[str, ...]:
    """Read class names in the order of the scores.

    Raises
    ------
    UsageError
        There is no such file, here or remote.
    DataError
        The file holds something else.
    """
    if not is_file(said):
        raise UsageError(f"--classes {said}: no such file; one name a line, a JSON list or an id2label map is wanted")
    try:
        text = read_bytes(said).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"--classes {said}: not UTF-8 text: {error}") from None
    names = _from_json(said, text) if text.lstrip()[:1] in ("[", "{") else [line.strip() for line in text.splitlines()]
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise DataError(f"--classes {said}: line {names.index('') + 1 if names else 1} holds no name")
    return tuple(names)


def _from_json(said: str, text: str) -> list[str]:
    try:
        held = json.loads(text)
    except ValueError as error:
        raise DataError(f"--classes {said}: not JSON: {error}") from None
    if isinstance(held, dict):
        held = held.get("id2label", held)
        numbered = sorted(held, key=lambda key: int(key) if key.isdecimal() else -1)
        if numbered != [str(index) for index in range(len(numbered))]:
            raise DataError(f'--classes {said}: an id2label map has the keys "0", "1", "2" ... without a gap')
        held = [held[key] for key in numbered]
    return [str(name) for name in held]
