"""Parameters read back from JSON values: shapes and ranges are checked here, since the file may have been edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Parameters


def number(parameters: dict[str, Any], key: str) -> float:
    """Take one finite number.

    Raises
    ------
    ValueError
        It is missing, or something else.
    """
    return float(_array(parameters, key, 0))


def vector(parameters: dict[str, Any], key: str, length: int | None = None) -> NDArray[np.float64]:
    """Take one finite number for each class, shape (classes,).

    Raises
    ------
    ValueError
        They are missing, are something else, or are not `length` numbers.
    """
    values = _array(parameters, key, 1)
    if len(values) != (length or len(values)) or len(values) < 2:
        raise ValueError(f"'{key}' holds {len(values)} numbers; expected {length or '2 or more'}, one for each class")
    return values


def numbers(parameters: dict[str, Any], key: str) -> NDArray[np.float64]:
    """Take finite numbers, however many.

    Raises
    ------
    ValueError
        They are missing, or something else.
    """
    return _array(parameters, key, 1)


def square(parameters: dict[str, Any], key: str, length: int) -> NDArray[np.float64]:
    """Take `length` rows of `length` finite numbers, shape (classes, classes).

    Raises
    ------
    ValueError
        They are missing, are something else, or are not as many.
    """
    values = _array(parameters, key, 2)
    if values.shape != (length, length):
        raise ValueError(f"'{key}' holds {values.shape[0]} x {values.shape[1]} numbers; expected {length} x {length}")
    return values


def vectors(parameters: dict[str, Any], key: str) -> tuple[NDArray[np.float64], ...]:
    """Take one list of finite numbers for each class; they may differ in length.

    Raises
    ------
    ValueError
        They are missing, or something else.
    """
    found = parameters.get(key)
    if not isinstance(found, list) or len(found) < 2:
        raise ValueError(f"'{key}' is {_shown(found)}; expected one list of numbers for each class")
    return tuple(_array({key: values}, key, 1) for values in found)


def _array(parameters: dict[str, Any], key: str, dimensions: int) -> NDArray[np.float64]:
    if key not in parameters:
        raise ValueError(f"'{key}' is missing")
    try:
        values = np.array(parameters[key], np.float64)
    except (TypeError, ValueError):
        values = np.array(np.nan)
    if values.ndim != dimensions or not np.isfinite(values).all():
        wanted = ("a finite number", "a list of finite numbers", "a list of lists of finite numbers")[dimensions]
        raise ValueError(f"'{key}' is {_shown(parameters[key])}; expected {wanted}")
    return values


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True, eq=False)
class OfVectors:
    """Every parameter is an array of one number for each class."""

    def parameters(self) -> Parameters:
        """One number a class, under the name of each parameter."""
        return {field.name: getattr(self, field.name).tolist() for field in fields(self)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        first, *others = (field.name for field in fields(cls))
        values = vector(parameters, first)
        rebuilt: Self = cast(Any, cls)(values, *(vector(parameters, name, len(values)) for name in others))
        return rebuilt


@dataclass(frozen=True, eq=False)
class OfCurves:
    """Every parameter is a tuple of one array for each class; they may differ in length."""

    @classmethod
    def of(cls, curves: Sequence[tuple[NDArray[np.float64], ...]]) -> Self:
        """Make it of the curve of each class: an array for every parameter."""
        made: Self = cast(Any, cls)(*zip(*curves, strict=True))
        return made

    def parameters(self) -> Parameters:
        """One list a class, under the name of each parameter."""
        return {field.name: [curve.tolist() for curve in getattr(self, field.name)] for field in fields(self)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        rebuilt: Self = cast(Any, cls)(*(vectors(parameters, field.name) for field in fields(cls)))
        return rebuilt
