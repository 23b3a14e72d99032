"""Sums that do not depend on the order of their terms.

Floating-point addition rounds at every step, so a mean over a file changes its last digits with the cut into batches
and the number of threads. Here a sum is kept as whole numbers, and integers add up the same way in every order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

LIMB_BITS = 26
"""Half a significand: a product of a limb and a count stays a whole number that a float64 can hold."""
_BLOCK = 1 << 20
"""So many limbs of 26 bits add up to less than 2^53, where float64 stops to count whole numbers."""


def limbs_of(values: NDArray[np.float64]) -> tuple[int, list[NDArray[np.float64]]]:
    """Cut numbers into signed whole numbers of 26 bits.

    Parameters
    ----------
    values : array
        Finite numbers of any size, subnormal ones included.

    Returns
    -------
    bottom : int
    pieces : list of arrays, each of the shape of `values`
        ``values == sum(piece * 2.0 ** (26 * (bottom + i)) for i, piece in enumerate(pieces))``, exactly. As few as
        are needed: numbers that are multiples of 2^-52 and at most 1 have three.

    Raises
    ------
    ValueError
        A value is infinite or nan.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if not np.isfinite(largest):
        raise ValueError("only finite numbers have an exact sum")
    limb = bottom = (int(np.frexp(largest)[1]) - 1) // LIMB_BITS
    left = values.copy()
    pieces: list[NDArray[np.float64]] = []
    while left.any():
        piece = np.trunc(_times_power_of_two(left, -LIMB_BITS * limb))
        # Exact: the piece holds the leading bits of what is left.
        left -= _times_power_of_two(piece, LIMB_BITS * limb)
        pieces.insert(0, piece)
        bottom, limb = limb, limb - 1
    return bottom, pieces


def _times_power_of_two(values: NDArray[np.float64], exponent: int) -> NDArray[np.float64]:
    # A product is several times as fast as ldexp, which is needed where the power itself is no normal number.
    return values * 2.0**exponent if abs(exponent) < 1022 else np.ldexp(values, exponent)


_SHARES = 1 << 10
"""So many whole numbers of 53 bits add up to less than 2^63."""


@dataclass(frozen=True, eq=False)
class ExactSum:
    """One exact sum for each of several groups: parts merge in any order to the same bits.

    Good for 2^37 terms a group.
    """

    bottom: int
    """Power of 2^26 that the lowest limb counts."""
    limbs: NDArray[np.int64]
    """Shape (limbs, groups), from the lowest up; signed, and not carried: a limb may exceed 26 bits."""

    @classmethod
    def zero(cls, groups: int = 1) -> Self:
        """Return the sum of nothing."""
        return cls(0, np.zeros((0, groups), np.int64))

    @classmethod
    def of(cls, values: NDArray[np.float64], group: NDArray[np.integer] | None = None, groups: int = 1) -> Self:
        """Add numbers up, each into its group.

        Parameters
        ----------
        values : array, shape (n,)
            Finite numbers.
        group : array of int, shape (n,), optional
            The group of every number, 0 to `groups` - 1; by default all belong to the only one.
        groups : int
            How many groups there are.

        Raises
        ------
        ValueError
            A value is infinite or nan.
        """
        if group is None:
            return cls.of_rows(values[None, :])
        total = cls.zero(groups)
        for start in range(0, len(values), _BLOCK):
            block = slice(start, start + _BLOCK)
            bottom, pieces = limbs_of(values[block])
            limbs = [np.bincount(group[block], piece, groups) for piece in pieces]
            total = total.plus(cls._of_limbs(bottom, limbs, groups))
        return total

    @classmethod
    def of_rows(cls, values: NDArray[np.float64]) -> Self:
        """Add up every row of a table of finite numbers, shape (groups, n); as `of` with the groups side by side."""
        total = cls.zero(len(values))
        for start in range(0, values.shape[1], _BLOCK):
            bottom, pieces = limbs_of(values[:, start : start + _BLOCK])
            total = total.plus(cls._of_limbs(bottom, [piece.sum(axis=1) for piece in pieces], len(values)))
        return total

    @classmethod
    def of_shares(cls, p: NDArray[np.float64]) -> Self:
        """Add up every column of numbers from 0 to 1, shape (n, groups), each rounded to a multiple of 2^-52.

        They are whole numbers then, and so many of them fit 64 bits together.
        """
        total = cls.zero(p.shape[1])
        for start in range(0, len(p), _SHARES):
            whole = np.rint(p[start : start + _SHARES] * 2.0**52).astype(np.int64).sum(axis=0)
            low = (1 << LIMB_BITS) - 1
            total = total.plus(cls(-2, np.stack([whole & low, whole >> LIMB_BITS & low, whole >> 2 * LIMB_BITS])))
        return total

    @classmethod
    def _of_limbs(cls, bottom: int, limbs: Sequence[NDArray[np.number]], groups: int) -> Self:
        return cls(bottom, np.array(limbs, np.int64).reshape(len(limbs), groups))

    def plus(self, other: Self) -> Self:
        """Add the sums of other terms, group by group."""
        if self.limbs.shape[1] != other.limbs.shape[1]:
            raise ValueError(f"{self.limbs.shape[1]} groups do not add up with {other.limbs.shape[1]}")
        parts = [part for part in (self, other) if len(part.limbs)]
        if len(parts) < 2:
            return parts[0] if parts else self
        bottom = min(part.bottom for part in parts)
        top = max(part.bottom + len(part.limbs) for part in parts)
        limbs = np.zeros((top - bottom, self.limbs.shape[1]), np.int64)
        for part in parts:
            limbs[part.bottom - bottom :][: len(part.limbs)] += part.limbs
        return type(self)(bottom, limbs)

    def minus(self, other: Self) -> Self:
        """Take away the sums of other terms, group by group."""
        return self.plus(type(self)(other.bottom, -other.limbs))

    def spread(self, places: NDArray[np.integer], groups: int) -> Self:
        """Give the sums other places among `groups` groups; the sums of the rest are 0."""
        limbs = np.zeros((len(self.limbs), groups), np.int64)
        limbs[:, places] = self.limbs
        return type(self)(self.bottom, limbs)

    @property
    def values(self) -> NDArray[np.float64]:
        """The sums, shape (groups,), each rounded once: the float64 nearest to the true sum."""
        return np.array([self._rounded(limbs) for limbs in self.limbs.T.tolist()], np.float64)

    @property
    def value(self) -> float:
        """The sum of the only group."""
        (total,) = self.values.tolist()
        return float(total)

    def _rounded(self, limbs: list[int]) -> float:
        whole = sum(limb << (LIMB_BITS * place) for place, limb in enumerate(limbs))
        shift = LIMB_BITS * self.bottom
        try:
            # A quotient of integers is rounded once, however long they are.
            return float(whole << shift) if shift >= 0 else whole / (1 << -shift)
        except OverflowError:
            return float("inf") if whole > 0 else float("-inf")
