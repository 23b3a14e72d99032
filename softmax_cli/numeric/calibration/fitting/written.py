"""Calibrators whose parameters are all of one form: the JSON file calls them as the fields of the class are called."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self, cast

from softmax_cli.numeric.calibration import Parameters
from softmax_cli.numeric.calibration.fitting.json_values import vector, vectors


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

    def parameters(self) -> Parameters:
        """One list a class, under the name of each parameter."""
        return {field.name: [curve.tolist() for curve in getattr(self, field.name)] for field in fields(self)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        rebuilt: Self = cast(Any, cls)(*(vectors(parameters, field.name) for field in fields(cls)))
        return rebuilt
