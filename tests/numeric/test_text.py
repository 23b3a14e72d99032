"""Text of numbers: exact, the same for a value wherever it stands, and readable back."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from softmax_cli.numeric.text import NumberText

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
    st.integers(-300, 300).flatmap(lambda k: st.sampled_from([10.0**k, math.nextafter(-(10.0**k), 0)])),
)


def cells(text: NumberText, values: NDArray[np.floating]) -> list[str]:
    """What is written for each value; checks what the call says about NUL bytes."""
    out = np.full((len(values), text.width + 1), ord("#"), np.uint8)
    full = text(values, out[:, :-1])
    assert (out[:, -1] == ord("#")).all()
    assert not full or (out != 0).all()
    return [bytes(row[:-1]).replace(b"\0", b"").decode() for row in out]


def significant(text: str) -> str:
    """The digits of a number from the first that is not 0."""
    return text.split("e")[0].lstrip("-").replace(".", "").lstrip("0")


@given(st.lists(probabilities, min_size=1))
def test_nine_digits_of_a_probability_are_correctly_rounded(values: list[float]) -> None:
    """Twelve decimals from 1/1024 up, nine digits of Python's exact formatting below; never 0 for what is not."""
    for value, text in zip(values, cells(NumberText("probability"), np.array(values)), strict=True):
        assert len(text) == 14
        if value == 0 or value >= 2**-10:
            assert text == f"{value:.12f}"
        else:
            digits, exponent = f"{value:.8e}".split("e")
            assert significant(text) == digits.replace(".", "")
            assert text.count("e-") == 1
            if int(exponent) >= -99:
                assert text == f"{value:.8e}"
            if value > 1e-300:
                assert float(text) == pytest.approx(value, rel=5.0000001e-9)
        assert (float(text) == 0) == (value == 0)


@given(st.lists(st.floats(0, 1, width=32), min_size=1))
def test_nine_digits_read_back_the_same_float32(values: list[float]) -> None:
    """Nine digits tell every float32 from its neighbours."""
    given_values = np.array(values, np.float32)
    assert np.array(cells(NumberText("probability"), given_values), np.float32).tolist() == given_values.tolist()


@given(st.lists(probabilities, min_size=1))
def test_seventeen_digits_of_a_probability_read_back_the_same_float64(values: list[float]) -> None:
    """And are those of Python's exact formatting."""
    for value, text in zip(values, cells(NumberText("probability", 17), np.array(values)), strict=True):
        assert len(text) == 22
        assert float(text) == value
        assert significant(text) == significant(f"{value:.16e}")


@given(st.lists(numbers, min_size=1), st.integers(1, 17))
def test_any_number_in_any_count_of_digits(values: list[float], digits: int) -> None:
    """The value is that of Python's exact formatting; sizes near 1 are written out; the sign of zero stays."""
    for value, text in zip(values, cells(NumberText("number", digits), np.array(values)), strict=True):
        if math.isinf(value):
            assert text == str(value)
            continue
        wanted = f"{value:.{digits - 1}e}"
        assert float(text) == float(wanted)
        assert significant(text) == significant(wanted)
        assert text.startswith("-") == wanted.startswith("-")
        assert ("e" in text) != (-5 <= int(wanted.split("e")[1]) < min(digits, 9))


@given(st.lists(probabilities, min_size=1), st.integers(0, 17))
def test_decimals_are_those_of_python(values: list[float], decimals: int) -> None:
    """Half to even from the exact binary value."""
    assert cells(NumberText("probability", decimals=decimals), np.array(values)) == [
        f"{v:.{decimals}f}" for v in values
    ]


@given(st.lists(st.floats(-1e16, 1e16), min_size=1), st.integers(0, 17))
def test_decimals_of_any_number_are_those_of_python(values: list[float], decimals: int) -> None:
    """With the sign that Python gives to what rounds to zero."""
    assert cells(NumberText("number", decimals=decimals), np.array(values)) == [f"{v:.{decimals}f}" for v in values]


@pytest.mark.parametrize("decimals", [None, 4, 5, 6, 7, 8, 9])
def test_many_near_ties(decimals: int | None) -> None:
    """A product in float64 alone would round every second of these the wrong way."""
    places = 12 if decimals is None else decimals
    values = (np.random.default_rng(11).integers(10 ** (places - 1), 10**places, 20_000) + 0.5) / 10**places
    written = cells(NumberText("probability", decimals=decimals), values)
    assert written == [f"{value:.{places}f}" for value in values.tolist()]


def test_ties_go_to_the_even_digit() -> None:
    """Every n / 2**18 has 18 digits from 0.1 up, the last of them a 5: a tie at 17."""
    values = np.arange(2**18 // 8 + 1, 2**18, 6) / 2**18
    for text in (NumberText("probability", 17), NumberText("number", 17)):
        assert [significant(cell) for cell in cells(text, values)] == [
            significant(f"{v:.16e}") for v in values.tolist()
        ]


@pytest.mark.parametrize("lowest", [0.0, -90.0, -740.0])
@pytest.mark.parametrize("digits", [9, 17])
def test_many_random_probabilities(digits: int, lowest: float) -> None:
    """The table look-ups over more than a block agree with formatting one by one, ties and near ties among them."""
    rng = np.random.default_rng(7)
    values = rng.random(40_000) if lowest == 0 else np.exp(rng.uniform(lowest, 0, 40_000))
    text = NumberText("probability", digits)
    alone = NumberText("probability", digits)
    written = cells(text, values)
    assert [significant(cell) for cell in written] == [
        significant(f"{v:.12f}" if digits == 9 and v >= 2**-10 else f"{v:.{digits - 1}e}") for v in values.tolist()
    ]
    picked = rng.integers(0, len(values), 50)
    assert [cells(alone, values[i : i + 1])[0] for i in picked] == [written[i] for i in picked]


def test_rows_sum_to_one() -> None:
    """Within 1e-8, at ten thousand classes as well."""
    rng = np.random.default_rng(3)
    for classes in (2, 10, 10_000):
        p = rng.dirichlet(np.full(classes, 0.3))
        assert math.fsum(map(float, cells(NumberText("probability"), p))) == pytest.approx(1, abs=1e-8)


def test_cells_as_they_are_documented() -> None:
    """Checked by hand: 4.5399929762484854e-05 is exp(-10), 1e-100 has an exponent of three digits."""
    values = np.array([0.274029123456, math.exp(-10), 0, 1, 1e-100, 5e-324])
    assert cells(NumberText("probability"), values) == [
        "0.274029123456",
        "4.53999298e-05",
        "0.000000000000",
        "1.000000000000",
        "100000000e-108",
        "494065646e-332",
    ]
    logs = np.array([-2.302585092994046, -0.0, -1e-5, 1e-6, 123456789.5, 1e9, -np.inf])
    assert cells(NumberText("number"), logs) == [
        "-2.30258509", "-0.00000000", "-0.0000100000000", "1.00000000e-06", "123456790", "1.00000000e+09", "-inf",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "digits", "decimals"), [*itertools.product(("probability", "number"), (4, 9, 17), (None, 2, 6))]
)
def test_nan_is_an_empty_cell(kind: str, digits: int, decimals: int | None) -> None:
    """And its neighbours do not change."""
    text = NumberText(kind, digits, decimals)  # type: ignore[arg-type]
    assert cells(text, np.array([np.nan, 0.5, np.nan])) == ["", cells(text, np.array([0.5]))[0], ""]


@pytest.mark.parametrize("value", [-0.25, -1e-300, 10.0, math.inf])
@pytest.mark.parametrize("digits", [9, 17])
def test_what_is_no_probability_is_refused(value: float, digits: int) -> None:
    """Rather than written as something else."""
    with pytest.raises(ValueError, match="is not a probability"):
        cells(NumberText("probability", digits), np.array([0.5, value]))


@pytest.mark.parametrize(("digits", "decimals"), [(0, None), (18, None), (9, -1), (9, 18)])
def test_out_of_range(digits: int, decimals: int | None) -> None:
    """More than 17 digits say nothing more about a float64."""
    with pytest.raises(ValueError, match="must lie in"):
        NumberText("number", digits, decimals)


def test_probabilities_are_known_to_fill_their_cells() -> None:
    """So that nobody has to look for NUL bytes."""
    values = np.array([0, 1e-300, 5e-324, 1e-5, 1 / 8192, 1])
    for text in (NumberText("probability"), NumberText("probability", 17), NumberText("probability", decimals=6)):
        assert text(values, np.empty((len(values), text.width), np.uint8))


def test_no_values() -> None:
    """An empty array is no case apart."""
    assert cells(NumberText("probability"), np.empty(0)) == []
