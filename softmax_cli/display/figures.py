"""Numbers as a person reads them: few digits, of one width, and never a rounding that says too much."""

from __future__ import annotations


def probability(p: float, decimals: int = 3) -> str:
    """Round a probability, but neither to a 0 nor to a 1 that it is not: ``0.998``, ``<.001``, ``>.999``.

    Every result is ``decimals + 2`` wide, so that a column of them lines up.
    """
    rounded = f"{p:.{decimals}f}"
    if p > 0 and float(rounded) == 0:
        return f"<.{'1':>0{decimals}}"
    if p < 1 and float(rounded) == 1:
        return f">.{'9' * decimals}"
    return rounded


def percent(part: int, whole: int) -> str:
    """Tell a share in percent, to a tenth: ``12.5 %``, ``<0.1 %``, ``>99.9 %``; `whole` is at least 1."""
    rounded = f"{100 * part / whole:.1f}"
    if part > 0 and rounded == "0.0":
        return "<0.1 %"
    if part < whole and rounded == "100.0":
        return ">99.9 %"
    return f"{rounded} %"


def counted(number: int, what: str) -> str:
    """Put a count before its noun: ``1 row``, ``2,000 rows``, ``3 classes``."""
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number:,} {what if number == 1 else plural}"
