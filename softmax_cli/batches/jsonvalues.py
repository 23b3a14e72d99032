"""Values of reports as JSON has them."""

from __future__ import annotations

import math

import numpy as np


def finite_or_null(value: object) -> object:
    """Return a value with None for nan and the infinities, which JSON has not, in whatever dicts and lists it holds."""
    if isinstance(value, dict):
        return {key: finite_or_null(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_null(one) for one in value]
    return None if isinstance(value, float | np.floating) and not math.isfinite(value) else value
