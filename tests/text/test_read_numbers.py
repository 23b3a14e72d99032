"""Every cell reads as Python's ``float`` reads it, to the last bit, and what ``float`` refuses is no number."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from softmax_cli.text._core import powers_of_five
from softmax_cli.text.formatting import format_numbers, number_style
from softmax_cli.text.parsing import NO_VALUE, Dialect, Reason, parse

ONE_SCORE = np.array([0], np.int32)
MISSING = (*sorted(NO_VALUE), "nan", "+nan", "-nan")


def plain_float(cell: str, decimal: str = ".") -> float | None:
    """The definition: what a cell stands for, None where that is no number."""
    if decimal == ",":
        cell = cell.translate(str.maketrans(",.", ".,"))
    if cell.strip(" \t\n\v\f\r").lower() in MISSING:
        return math.nan
    if "_" in cell or not cell.isascii():
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def read(cells: list[str], decimal: str = ".", delimiter: str = ";") -> list[float | None]:
    """Each cell in a row of its own, quoted so that it may hold anything; None where it is refused."""
    lines = "".join(f'"{cell}"\n' for cell in cells)
    parsed = parse(lines.encode(), ONE_SCORE, Dialect(delimiter, decimal))
    refused = {flaw.row for flaw in parsed.flaws if flaw.reason == Reason.NOT_A_NUMBER}
    assert len(parsed.flaws) == len(refused)
    return [None if row in refused else value for row, value in enumerate(parsed.scores[:, 0].tolist())]


def same(found: float | None, wanted: float | None) -> bool:
    """Equal to the bit, with nan equal to nan."""
    return repr(found) == repr(wanted)


digits = st.text("0123456789", max_size=25)
decimals = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{whole}{fraction}{exponent}",
    st.sampled_from(["", "-", "+"]),
    digits,
    digits.map(lambda text: f".{text}") | st.just(""),
    st.just("") | st.integers(-400, 400).map("e{}".format) | st.sampled_from(["E+5", "e", "e-", "E99999999999999999"]),
)


@given(st.lists(decimals))
def test_decimals_read_as_floats(cells):
    assert list(map(repr, read(cells))) == list(map(repr, map(plain_float, cells)))


def test_short_numbers_of_every_length_and_what_is_nearly_one():
    """Not quoted, and with enough behind them to be read in one go."""
    pick = random.Random(1)
    digits = ["".join(pick.choices("0123456789", k=size)) for size in range(11)]
    tails = ["", "e5", "E-3", " ", "x", "-", ".", "/", ":", "\u00e9", ".5", "-1"]
    parts = itertools.product(("", "-", "+", "--"), digits, (".", ""), digits, tails)
    cells = [cell for cell in map("".join, parts) if cell]
    parsed = parse("\n".join([*cells, "1" * 40]).encode(), ONE_SCORE, Dialect())
    refused = {flaw.row for flaw in parsed.flaws}
    found = [None if row in refused else value for row, value in enumerate(parsed.scores[:-1, 0].tolist())]
    assert [(cell, one) for cell, one in zip(cells, found, strict=True) if not same(one, plain_float(cell))] == []


@given(st.lists(st.floats(allow_nan=False)), st.integers(1, 30))
def test_any_float_in_any_count_of_digits(values, places):
    cells = [f"{value:.{places}e}" for value in values] + list(map(repr, values))
    assert list(map(repr, read(cells))) == [repr(float(cell)) for cell in cells]


@given(st.lists(st.text("+-.,eE0159 infaxINFtyNA_/#<>\t\x0b\x1c\u0661", max_size=8)), st.sampled_from(".,"))
@example(["1.5", "1,5", "1.000,5", "1e400", "0x1p3", "1_0", "-nan", "Infinity", " +1 ", "1e", ".", "--1", "1.e5"], ",")
@example(["1.5", "1,5", "1.000,5", "1e400", "0x1p3", "1_0", "-nan", "Infinity", " +1 ", "1e", ".", "--1", "1.e5"], ".")
@example([*MISSING, " NA ", "Null", "-na", "nan1", "infinit", "-Inf", "+INFINITY", "\u0661"], ".")
def test_what_is_a_number(cells, decimal):
    assert list(map(repr, read(cells, decimal))) == [repr(plain_float(cell, decimal)) for cell in cells]


@given(st.lists(st.integers(0, 2**52).flatmap(lambda m: st.integers(1, 2046).map(lambda e: (m, e)))))
def test_halfway_between_two_floats(parts):
    """The exact middle goes to the even one, and the least bit above or below it to that side."""
    cells = []
    for mantissa, exponent in parts:
        below = (mantissa | 2**52) if mantissa < 2**52 else 2**52
        middle = (2 * below + 1) * 10**30
        scale = exponent - 1076
        exact = middle << scale if scale >= 0 else middle
        for nudge in (-1, 0, 1):
            value, power = (exact + nudge, -30) if scale >= 0 else ((exact + nudge) * 5**-scale, scale - 30)
            cells.append(f"{value}e{power}")
    assert list(map(repr, read(cells))) == [repr(float(cell)) for cell in cells]


@pytest.mark.parametrize("zeros", [1, 18, 25, 400, 100_000])
def test_leading_and_trailing_zeros(zeros):
    pad = "0" * zeros
    cells = [f"{pad}1.5", f"1.5{pad}", f"0.{pad}123456789", f"123{pad}", f"0.{pad}1e{zeros}", f"1{pad}e-{zeros}", pad]
    assert list(map(repr, read(cells))) == [repr(float(cell)) for cell in cells]


@pytest.mark.parametrize("delimiter", [";", " ", ","])
def test_a_number_ends_where_its_field_does(delimiter):
    """Bare cells take another way than quoted ones; a decimal mark that is the delimiter parts cells."""
    line = delimiter.join(["1.5", "-2e3", "+.5", "7.", "inf"]) + "\r\n"
    parsed = parse(line.encode(), np.arange(5, dtype=np.int32), Dialect(delimiter, "."))
    assert parsed.scores.tolist() == [[1.5, -2000, 0.5, 7, math.inf]]
    assert parsed.flaws == []
    if delimiter == ",":
        commas = parse(b'1,5,"1,5"\n', np.arange(3, dtype=np.int32), Dialect(",", ","))
        assert commas.scores.tolist() == [[1, 5, 1.5]]


def test_the_table_of_powers_is_right():
    """128 bits of each power, off by less than the last of them; exact from 0 to 55."""
    for q, bits in zip(range(-342, 341), powers_of_five(), strict=True):
        power = Fraction(5) ** q
        while power >= 2**128:
            power /= 2
        while power < 2**127:
            power *= 2
        assert abs(bits - power) < 1
        assert (bits == power) == (0 <= q <= 55)


@pytest.mark.slow
def test_ten_million_random_numbers():
    """Every bit pattern is as likely as every other, and every count of digits from 1 to 25.

    Python reads the cells of 25 turns; those of the others have the 17 digits that any float comes back from.
    """
    rng = np.random.default_rng(3)
    pick = random.Random(4)
    exact = number_style("number", 17)
    for turn in range(100):
        values = rng.integers(0, 2**64, 100_000, np.uint64).view(np.float64)
        values = np.where(np.isfinite(values), values, 0.5)
        cells = format_numbers(values, exact)
        if turn < 25:
            cells = [f"{value:.{pick.randint(0, 24)}e}" for value in values.tolist()]
            values = np.array(list(map(float, cells)))
        assert (parse("\n".join(cells).encode(), ONE_SCORE, Dialect()).scores[:, 0] == values).all()
