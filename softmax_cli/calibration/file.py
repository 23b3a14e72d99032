"""A calibration as plain values that JSON has, and back, bit for bit; ``inf`` is null."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.calibration.calibration import Calibration, ChosenThreshold, Figures, FitRecord
from softmax_cli.errors import DataError, UsageError
from softmax_cli.numeric.calibrators import by_name
from softmax_cli.numeric.nonconformity import SCORES
from softmax_cli.prediction.prediction_sets import Nonconformity, SetRule
from softmax_cli.stream.outputs import finite_or_null
from softmax_cli.version import __version__


def write_calibration(calibration: Calibration, path: str, force: bool) -> None:
    """Write the file, whole or not at all."""
    from softmax_cli.storage.writing import whole_file

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
    from softmax_cli.storage.reading import can_be_read, read_bytes

    if not can_be_read(path):
        raise UsageError(f"--calibration {path}: no such file; softmax-cli calibrate makes one")
    try:
        return decode(read_bytes(path))
    except (DataError, OSError) as error:
        raise DataError(f"--calibration {path}: {error}") from error


def encode(calibration: Calibration) -> bytes:
    """Spell it as JSON, one key a line; `decode` gives the same numbers back, bit for bit."""
    return "".join(_lines(to_json(calibration))).encode("utf-8", "backslashreplace") + b"\n"


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
        raise DataError(f"not JSON ({error}); expected a file that softmax-cli calibrate wrote") from None
    if not isinstance(held, dict) or "format" not in held or "method" not in held:
        raise DataError("not a calibration; expected a file that softmax-cli calibrate wrote")
    if held["format"] != FORMAT:
        raise DataError(
            f"format {held['format']!r}, and this program ({__version__}) knows {FORMAT}; "
            "update softmax-cli, or fit again with softmax-cli calibrate"
        )
    try:
        return from_json(held)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        text = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise DataError(f"a damaged calibration: {text}; fit again with softmax-cli calibrate") from error


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


FORMAT = 1
"""Version of the file; a new one wherever a program that reads the old one would go wrong."""


def to_json(calibration: Calibration) -> dict[str, Any]:
    """Return plain values; ``inf`` is null, which JSON has."""
    held: dict[str, Any] = {
        "format": FORMAT,
        "softmax_cli": __version__,
        "method": calibration.calibrator.name,
        "parameters": calibration.calibrator.parameters(),
        "classes": list(calibration.classes),
        "fit": {
            **asdict(calibration.fit),
            "before": finite_or_null(asdict(calibration.fit.before)),
            "after": finite_or_null(asdict(calibration.fit.after)),
        },
    }
    if calibration.bias is not None:
        held["log_weights"] = finite_or_null(calibration.bias.tolist())
    if (rule := calibration.sets) is not None:
        held["conformal"] = {
            "score": rule.nonconformity.score,
            "coverage": rule.coverage,
            "threshold": finite_or_null(rule.threshold.tolist()),
            "rows": rule.rows,
            "allow_empty": rule.allow_empty,
            "seed": rule.nonconformity.seed,
        }
        if rule.nonconformity.raps is not None:
            held["conformal"]["raps"] = list(rule.nonconformity.raps)
    if calibration.abstention is not None:
        held["abstention"] = asdict(calibration.abstention)
    return held


def from_json(held: dict[str, Any]) -> Calibration:
    """Rebuild from `to_json`; KeyError, TypeError or ValueError where a value is missing or wrong."""
    classes = tuple(_text(name) for name in held["classes"])
    fit = held["fit"]
    record = {
        **fit,
        "before": _figures(fit["before"]),
        "after": _figures(fit["after"]),
        "remedies": tuple(fit["remedies"]),
        "warnings": tuple(fit["warnings"]),
    }
    calibrator = by_name(held["method"]).from_parameters(held["parameters"])
    calibrator.log_p(np.zeros((1, len(classes))))  # refuses parameters of another number of classes
    return Calibration(
        calibrator,
        classes,
        FitRecord(**record),
        _floats(held["log_weights"], -math.inf, len(classes)) if "log_weights" in held else None,
        _set_rule(held["conformal"], len(classes)) if "conformal" in held else None,
        ChosenThreshold(**held["abstention"]) if "abstention" in held else None,
    )


def _set_rule(held: dict[str, Any], classes: int) -> SetRule:
    if held["score"] not in SCORES:
        raise ValueError(f"no score {held['score']!r}; there are {', '.join(SCORES)}")
    threshold = _floats(held["threshold"], math.inf, None)
    if len(threshold) not in (1, classes):
        raise ValueError(f"{len(threshold)} thresholds for {classes} classes")
    raps = None
    if "raps" in held:
        penalty, free = held["raps"]
        raps = float(penalty), int(free)
        if not (math.isfinite(raps[0]) and raps[0] >= 0 and raps[1] >= 0):
            raise ValueError(f"raps with penalty {penalty} and {free} free places")
    nonconformity = Nonconformity(held["score"], held["seed"], raps)
    return SetRule(nonconformity, float(held["coverage"]), threshold, int(held["rows"]), bool(held["allow_empty"]))


def _figures(held: dict[str, Any]) -> Figures:
    return Figures(*(math.inf if held[name] is None else float(held[name]) for name in ("nll", "brier", "ece")))


def _floats(values: list[float | None], null: float, size: int | None) -> NDArray[np.float64]:
    found = np.array([null if value is None else float(value) for value in values], np.float64)
    if (size is not None and len(found) != size) or np.isnan(found).any():
        raise ValueError(f"{len(found)} numbers where {size} are wanted")
    return found


def _text(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"class {name!r} is no text")
    return name
