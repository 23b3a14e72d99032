"""What a job is, in a few words that a later run can compare with its own: parts of two jobs must never mix."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from softmax_cli.sources.anywhere import absolute, state_of
from softmax_cli.units.plan import Unit
from softmax_cli.units.scoring import ScoreUnit
from softmax_cli.version import __version__

Fingerprint = dict[str, Any]
"""Values that JSON has."""


def fingerprint(work: ScoreUnit, units: Sequence[Unit]) -> Fingerprint:
    """Say what is done to what: two jobs with equal fingerprints write equal parts."""
    read, transform = work.reading, work.transform
    inputs = sorted({absolute(read.folder, unit.path) for unit in units})
    settings = (transform, read.options, read.input_format, read.schema, read.where, work.form)
    return {
        "softmax_cli": __version__,
        "operations": transform.steps(),
        "format": work.form.suffix,
        "settings": digest(settings),
        "inputs": {path: state_of(path) for path in inputs},
        "units": [str(unit) for unit in units],
    }


def differences(before: Mapping[str, Any], now: Fingerprint) -> list[str]:
    """Tell in words what differs, the most telling first."""
    told = []
    if before.get("softmax_cli") != now["softmax_cli"]:
        told.append(f"it was begun by version {before.get('softmax_cli')}, this is {now['softmax_cli']}")
    was, files = before.get("inputs", {}), now["inputs"]
    told += [f"{path} was not there" for path in files if path not in was]
    told += [f"{path} is not among the inputs" for path in was if path not in files]
    told += [f"{path} has changed" for path in files if path in was and was[path] != files[path]]
    if before.get("operations") != now["operations"]:
        told.append(f"then: {', '.join(before.get('operations', []))}; now: {', '.join(now['operations'])}")
    if before.get("format") != now["format"]:
        told.append(f"the parts were {before.get('format')}, now {now['format']}")
    rest = ("settings", "units")
    if not told and any(before.get(name) != now[name] for name in rest):
        told.append("options differ (columns, weights, bad rows, digits ...)")
    return told


def digest(value: object) -> str:
    """Hash a value made of dataclasses, tuples, arrays, schemas and plain values, by its content to the last bit."""
    state = hashlib.sha256()
    for piece in _pieces(value):
        state.update(len(piece).to_bytes(8, "little"))
        state.update(piece)
    return state.hexdigest()


def _pieces(value: object) -> Iterator[bytes]:
    if is_dataclass(value):
        yield type(value).__qualname__.encode()
        for field in fields(value):
            yield from _pieces(getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype.str} {value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, pa.Schema):
        yield value.serialize().to_pybytes()
    elif isinstance(value, Mapping):
        yield from _pieces(tuple(value.items()))
    elif isinstance(value, tuple | list):
        yield f"{type(value).__qualname__} of {len(value)}".encode()
        for item in value:
            yield from _pieces(item)
    elif value is None or isinstance(value, str | int | float | range | np.generic):
        yield repr(value).encode()
    else:
        raise TypeError(f"a {type(value).__name__} has no fingerprint")
