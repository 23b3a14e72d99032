"""Text of numbers: that of Python's exact formatting, the same for a value wherever it stands, and readable back."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from softmax_cli.text.formatting import Kind, format_numbers, number_style

ties = st.one_of(
    # Exactly between two decimals of 12, 13 .. 18 places; and as near to the middle as a float gets.
    st.integers(13, 18).flatmap(lambda k: st.integers(1, 2**k).map(lambda n: n / 2**k)),
    st.tuples(st.integers(0, 10**12), st.integers(3, 16)).map(lambda t: min((t[0] % 10 ** t[1] + 0.5) / 10 ** t[1], 1)),
    st.tuples(st.integers(10**8, 10**9), st.integers(12, 90)).map(lambda t: (t[0] + 0.5) / 10 ** t[1]),
)
"""Values from 0 to 1 whose rounding is hard."""
probabilities = st.one_of(
    ties,
    st.floats(0, 1),
    st.floats(0, 1, width=32),
    st.integers(0, 8192).map(lambda k: k / 8192),
    st.integers(-1074, 0).map(lambda k: 2.0**k),
    st.integers(0, 323).flatmap(lambda k: st.sampled_from([10.0**-k, math.nextafter(10.0**-k, 0)])),
)
numbers = st.one_of(
    ties,
    st.floats(allow_nan=False),
    st.floats(-1000, 1000),
    st.integers(10**9, 10**17).map(lambda n: n + 0.5),
    st.integers(1, 2**53).map(lambda n: 5.0 * n),
    st.integers(-300, 300).flatmap(lambda k: st.sampled_from([10.0**k, math.nextafter(-(10.0**k), 0)])),
)


def plain_probability(value: float, digits: int) -> str:
    """The definition of the two texts of probabilities that have a fixed width."""
    if digits == 9 and (value == 0 or value >= 2**-10):
        return f"{value:.12f}"
    text = f"{value:.{digits - 1}e}"
    mantissa, exponent = text.split("e")
    return text if int(exponent) > -100 else f"{mantissa.replace('.', '')}e{int(exponent) - digits + 1}"


def plain_number(value: float, digits: int) -> str:
    """The definition of any count of digits of any number."""
    text = f"{value:.{digits - 1}e}"
    if math.isinf(value):
        return text
    exponent = int(text.split("e")[1])
    return f"{value:.{digits - 1 - exponent}f}" if -5 <= exponent <= min(digits - 1, 8) else text


def written(
    values: list[float] | NDArray[np.float64], kind: Kind, digits: int = 9, decimals: int | None = None
) -> list[str]:
    return format_numbers(np.array(values, np.float64), number_style(kind, digits, decimals))


@pytest.mark.parametrize("digits", [9, 17])
def test_every_binary_and_decimal_exponent(digits: int) -> None:
    values = [part * 2.0**exponent for exponent in range(-1074, 4) for part in (1, 1.1, 1.24, 1.26, 1.59, 1.61, 1.99)]
    values += [mantissa * 10.0**exponent for exponent in range(-323, 1) for mantissa in (1, 1.84, 5, 9.9999999996)]
    values = [value for value in values if value < 9]
    assert written(values, "probability", digits) == [plain_probability(value, digits) for value in values]


@given(st.lists(probabilities), st.sampled_from([9, 17]))
def test_probabilities(values: list[float], digits: int) -> None:
    """Never 0 for what is not; nine digits read back the same float32, 17 the same float64."""
    texts = written(values, "probability", digits)
    assert texts == [plain_probability(value, digits) for value in values]
    assert {len(text) for text in texts} <= {14 if digits == 9 else 22}
    assert [float(text) == 0 for text in texts] == [value == 0 for value in values]
    if digits == 9:
        narrow = np.array(values, np.float32)
        assert np.array(written(narrow.tolist(), "probability"), np.float32).tolist() == narrow.tolist()
    else:
        assert list(map(float, texts)) == values


@given(st.lists(numbers), st.integers(1, 17))
def test_any_number_in_any_count_of_digits(values: list[float], digits: int) -> None:
    assert written(values, "number", digits) == [plain_number(value, digits) for value in values]


@given(st.lists(probabilities), st.integers(1, 17).filter(lambda digits: digits not in (9, 17)))
def test_other_counts_of_digits_of_a_probability_are_those_of_a_number(values: list[float], digits: int) -> None:
    assert written(values, "probability", digits) == [plain_number(value, digits) for value in values]


@given(st.lists(numbers), st.integers(0, 17))
def test_decimals_are_those_of_python(values: list[float], decimals: int) -> None:
    """Half to even from the exact binary value, with the sign that Python gives to what rounds to zero."""
    assert written(values, "number", decimals=decimals) == [
        f"{value:.{decimals}f}" if abs(value) < 1e17 else repr(value) for value in values
    ]
    shares = [value for value in values if 0 <= value < 10]
    assert written(shares, "probability", decimals=decimals) == [f"{abs(value):.{decimals}f}" for value in shares]


@pytest.mark.parametrize("decimals", [None, 0, 4, 5, 6, 7, 8, 9, 17])
def test_many_near_ties(decimals: int | None) -> None:
    """A product in float64 alone would round every second of these the wrong way."""
    places = 12 if decimals is None else decimals
    values = (np.random.default_rng(11).integers(10**places // 10, 10**places, 20_000) + 0.5) / 10**places
    assert written(values, "probability", decimals=decimals) == [f"{value:.{places}f}" for value in values.tolist()]


def test_ties_go_to_the_even_digit() -> None:
    """Every n / 2**18 has 18 digits from 0.1 up, the last of them a 5: a tie at 17."""
    values = (np.arange(2**18 // 8 + 1, 2**18, 6) / 2**18).tolist()
    assert written(values, "probability", 17) == [f"{value:.16e}" for value in values]
    assert written(values, "number", 17) == [plain_number(value, 17) for value in values]


def test_rows_sum_to_one() -> None:
    """Within 1e-8, at ten thousand classes as well."""
    rng = np.random.default_rng(3)
    for classes in (2, 10, 10_000):
        p = rng.dirichlet(np.full(classes, 0.3))
        assert math.fsum(map(float, written(p, "probability"))) == pytest.approx(1, abs=1e-8)


def test_texts_as_they_are_documented() -> None:
    """Checked by hand: 4.5399929762484854e-05 is exp(-10), 1e-100 has an exponent of three digits."""
    assert written([0.274029123456, math.exp(-10), 0, 1, 1e-100, 5e-324], "probability") == [
        "0.274029123456", "4.53999298e-05", "0.000000000000", "1.000000000000", "100000000e-108", "494065646e-332",
    ]  # fmt: skip
    assert written([-2.302585092994046, -0.0, -1e-5, 1e-6, 123456789.5, 1e9, -np.inf], "number") == [
        "-2.30258509", "-0.00000000", "-0.0000100000000", "1.00000000e-06", "123456790", "1.00000000e+09", "-inf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "digits", "decimals"), [*itertools.product(("probability", "number"), (4, 9, 17), (None, 2, 6))]
)
def test_nan_is_nothing(kind: Kind, digits: int, decimals: int | None) -> None:
    half = written([0.5], kind, digits, decimals)[0]
    assert written([np.nan, 0.5, -np.nan], kind, digits, decimals) == ["", half, ""]


@pytest.mark.parametrize("value", [-0.25, -1e-300, 10.0, math.inf])
@pytest.mark.parametrize(("digits", "decimals"), [(9, None), (17, None), (9, 6)])
def test_what_is_no_probability_is_refused(value: float, digits: int, decimals: int | None) -> None:
    with pytest.raises(ValueError, match=f"{value!r} is not a probability"):
        written([0.5, value], "probability", digits, decimals)


@pytest.mark.parametrize(("digits", "decimals"), [(0, None), (18, None), (9, -1), (9, 18)])
def test_out_of_range(digits: int, decimals: int | None) -> None:
    """More than 17 digits say nothing more about a float64."""
    with pytest.raises(ValueError, match="must lie in"):
        number_style("number", digits, decimals)


@pytest.mark.slow
@pytest.mark.parametrize("lowest", [0.0, -90.0, -744.0])
def test_millions_of_random_probabilities(lowest: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(10):
        values = rng.random(100_000) if lowest == 0 else np.exp(rng.uniform(lowest, 0, 100_000))
        for digits in (9, 17):
            assert written(values, "probability", digits) == [plain_probability(v, digits) for v in values.tolist()]


@pytest.mark.slow
def test_ten_million_random_numbers() -> None:
    """Every bit pattern is as likely as every other. In 34 turns Python writes them too, else NumPy reads them back."""
    rng = np.random.default_rng(8)
    for turn in range(100):
        values = rng.integers(0, 2**64, 100_000, np.uint64).view(np.float64)
        values = np.where(np.isnan(values), 0.5, values)
        digits = turn % 17 + 1 if turn < 34 else 17
        texts = written(values, "number", digits)
        if turn < 34:
            assert texts == [plain_number(value, digits) for value in values.tolist()]
        else:
            assert (np.array(texts).astype(np.float64) == values).all()
