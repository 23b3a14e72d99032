"""A calibration as a small JSON file that a person can read and no program can be tricked by; nothing is rounded."""

from __future__ import annotations

import json
from typing import Any

from softmax_cli.batches.calibration import Calibration
from softmax_cli.calibrationjson import FORMAT, from_json, to_json
from softmax_cli.errors import DataError, UsageError
from softmax_cli.version import __version__


def write_calibration(calibration: Calibration, path: str, force: bool) -> None:
    """Write the file, whole or not at all."""
    from softmax_cli.sinks import whole_file

    with whole_file(path, force) as file:
        file.write(encode(calibration))


def read_calibration(path: str) -> Calibration:
    """Read the file.

    Raises
    ------
    UsageError
        There is no such file, here or remote.
    DataError
        It holds no calibration, or one of another format version.
    """
    from softmax_cli.sources.anywhere import is_file, read_bytes

    if not is_file(path):
        raise UsageError(f"--calibration {path}: no such file; softmax-cli calibrate val.csv -o {path} makes one")
    try:
        return decode(read_bytes(path))
    except (DataError, OSError) as error:
        raise DataError(f"--calibration {path}: {error}") from error


def encode(calibration: Calibration) -> bytes:
    """Spell it as JSON, one key a line; `decode` gives the same numbers back, bit for bit."""
    return "".join(_lines(to_json(calibration))).encode() + b"\n"


def decode(data: bytes) -> Calibration:
    """Read what `encode` wrote.

    Raises
    ------
    DataError
        It is something else.
    """
    try:
        held = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON ({error}); a file that softmax-cli calibrate wrote is wanted") from None
    if not isinstance(held, dict) or "format" not in held or "method" not in held:
        raise DataError("not a calibration; a file that softmax-cli calibrate wrote is wanted")
    if held["format"] != FORMAT:
        raise DataError(
            f"format {held['format']!r}, and this program ({__version__}) knows {FORMAT}; "
            "update softmax-cli, or fit again with softmax-cli calibrate"
        )
    try:
        return from_json(held)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        told = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise DataError(f"a damaged calibration: {told}; fit again with softmax-cli calibrate") from error


def _lines(held: dict[str, Any]) -> list[str]:
    """Lay out one key a line, and one a line within objects: a matrix of numbers stays on its line."""
    parts = []
    for key, value in held.items():
        if isinstance(value, dict):
            inner = ",\n".join(f"  {_spell(name)}: {_spell(item)}" for name, item in value.items())
            parts.append(f" {_spell(key)}: {{\n{inner}\n }}")
        else:
            parts.append(f" {_spell(key)}: {_spell(value)}")
    return ["{\n", ",\n".join(parts), "\n}"]


def _spell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
