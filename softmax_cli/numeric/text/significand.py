"""The leading decimal digits of floats, correctly rounded, for a whole array at once.

x = m * 2**k has to be multiplied by a power of ten that is no float. In plain float64 the product is off by about an
ulp, which spoils the 17th digit of most values and the 9th of a few. Here the power is carried as a sum of two floats
and the product as well (Dekker 1971, "A floating-point technique for extending the available precision"), about 106
bits; the few values that still lie too close to the middle between two decimals are named, and the caller spells them
one by one.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.text.ascii import Floats, Integers

_LOWEST, _HIGHEST = -342, 309
"""Exponents of ten that digits of any float64 may call for."""
_SPLITTER = 134217729.0
"""2**27 + 1: cuts a float64 into two halves of 26 bits, whose products are exact."""
_MARGIN = 1e-9
"""How far from a tie, in units of the last digit, a rounding is beyond doubt; the error is below 1e-13 of them."""


class Significand(NamedTuple):
    """x = digits * 10**(exponent - places + 1), rounded to `places` digits."""

    digits: Integers
    exponent: Integers
    doubtful: NDArray[np.bool_]
    """Too close to a tie to be sure, or rounded up into the next decade."""


@cache
def _powers() -> tuple[Floats, Floats, Floats, Integers]:
    """10**s = (high + low) * 2**k for s = _LOWEST .. -_LOWEST, `high` in [1, 2); and `high` cut to its upper half."""
    high, low, binary = [], [], []
    for s in range(_LOWEST, -_LOWEST + 1):
        top, bottom = (10**s, 1) if s >= 0 else (1, 10**-s)
        k = top.bit_length() - bottom.bit_length()
        k -= (top << max(-k, 0)) < (bottom << max(k, 0))
        top, bottom = top << max(-k, 0), bottom << max(k, 0)
        near = top / bottom
        num, den = near.as_integer_ratio()
        high.append(near)
        low.append((top * den - num * bottom) / (bottom * den))
        binary.append(k)
    h = np.array(high)
    carry = h * _SPLITTER
    return h, carry - (carry - h), np.array(low), np.array(binary, np.int64)


@cache
def _decades() -> Floats:
    """The least float64 that is not below 10**s, for s = -324 .. 308, then ``inf``."""
    floats = [float(f"1e{s}") for s in range(-324, 309)]
    for i, (value, s) in enumerate(zip(floats, range(-324, 309), strict=True)):
        num, den = value.as_integer_ratio()
        if (num * 10**-s < den) if s < 0 else (num < den * 10**s):
            floats[i] = float(np.nextafter(value, np.inf))
    return np.array([*floats, np.inf])


def exponent_of_ten(x: Floats) -> Integers:
    """floor(log10(x)) of positive finite floats, exactly."""
    binary = np.frexp(x)[1].astype(np.int64) - 1
    # 78913 / 2**18 is log10(2) closely enough for every binary exponent of a float64; the estimate is right or too
    # low by one.
    estimate: Integers = (binary * 78913) >> 18
    estimate += x >= _decades().take(estimate + 325)
    return estimate


def significand(x: Floats, places: int) -> Significand:
    """Round positive finite floats to `places` significant decimal digits.

    Parameters
    ----------
    x : array, shape (values,)
        Positive and finite; subnormals too.
    places : int
        1 to 17.
    """
    high, high_upper, low, binary = _powers()
    exponent = exponent_of_ten(x)
    scale = places - 1 - exponent - _LOWEST
    m, k = np.frexp(x)
    h, h_upper = high.take(scale), high_upper.take(scale)
    h_lower = h - h_upper
    carry = m * _SPLITTER
    m_upper = carry - (carry - m)
    m_lower = m - m_upper
    product = m * h
    error = ((m_upper * h_upper - product) + m_upper * h_lower + m_lower * h_upper) + m_lower * h_lower
    error += m * low.take(scale)
    shift = (k + binary.take(scale)).astype(np.int32)
    product, error = np.ldexp(product, shift), np.ldexp(error, shift)
    whole = np.rint(product)
    # Above 2**53 the product is whole and all of the fraction sits in the error; below it the difference is exact.
    rest = (product - whole) + error
    step = np.rint(rest)
    digits = whole.astype(np.int64) + step.astype(np.int64)
    doubtful = (np.abs(rest - step) > 0.5 - _MARGIN) | (digits >= 10**places)
    return Significand(digits, exponent, doubtful)
