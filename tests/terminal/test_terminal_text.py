"""What is shown cannot steer a terminal, is as wide as it says, and keeps both ends of a long name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from softmax_cli.errors import counted
from softmax_cli.terminal.grid import GAP, Want, fit
from softmax_cli.terminal.text import percent, probability, shorten, visible, width

anything = st.text(st.characters(exclude_categories=()), max_size=40)


@given(anything)
def test_nothing_unseen_is_left(text):
    """No control, format, private, unassigned or surrogate character, and no line end."""
    assert not {unicodedata.category(char) for char in visible(text)} & {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


@given(anything, st.sampled_from(["ascii", "latin-1", "cp1252", "utf-8"]))
def test_every_terminal_can_show_it(text, encoding):
    """Encoding it for the stream raises nothing."""
    assert visible(text, encoding).encode(encoding) is not None


@given(anything, st.integers(0, 40))
def test_a_shortened_text_fits_and_a_short_one_is_whole(text, cells):
    """By rich's measure as well as by ours."""
    text = visible(text)
    short = shorten(text, cells)
    assert cell_len(short) <= width(short) <= cells
    assert (short == text) == (width(text) <= cells)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc", r"a\nb\tc"),
        ("user\u202egnp.exe", r"user\u202egnp.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\U000e0041", r"\U000e0041"),
        ("a\u3164b\ufe0f", r"a\u3164b\ufe0f"),
        ("[red]C:\\new :smile:", "[red]C:\\new :smile:"),
        ("日本 café", "日本 café"),
    ],
)
def test_examples(text, seen):
    """Escape sequences, right-to-left marks, hidden tags and fillers show; markup and paths stay."""
    assert visible(text) == seen


def test_what_the_stream_cannot_show_is_spelled_out():
    """Not replaced by a question mark, which would make two names one."""
    assert visible("café", "ascii") == r"caf\xe9"
    assert visible("café 日", "latin-1") == r"café \u65e5"


def test_the_middle_goes():
    """The number at the end tells files apart; a Chinese character takes two cells."""
    assert shorten("cifar10-test-00042.png", 12) == "cifar1…2.png"
    assert shorten("日本語日本語", 7) == "日本…語"
    assert shorten("abc", 1, "..") == "a"


@given(st.floats(0, 1), st.integers(1, 6))
def test_a_probability_is_never_rounded_to_certainty(p, decimals):
    """0 and 1 are shown only for 0 and 1, and every figure is equally wide."""
    shown = probability(p, decimals)
    assert len(shown) == decimals + 2
    assert (shown.strip("0.") == "") == (p == 0)
    assert shown.startswith("1.") == (p == 1)


def test_figures():
    """As a person would write them."""
    assert [probability(p) for p in (0.9984, 0.99996, 1e-9)] == ["0.998", ">.999", "<.001"]
    assert probability(1e-9, decimals=1) == "<.1"
    assert [percent(part, 10_000) for part in (0, 1, 1250, 9999, 10_000)] == [
        "0.0 %",
        "<0.1 %",
        "12.5 %",
        ">99.9 %",
        "100.0 %",
    ]
    assert [counted(1, "row"), counted(2000, "row"), counted(3, "class")] == ["1 row", "2,000 rows", "3 classes"]


wants = st.lists(
    st.builds(
        lambda least, more, weight: Want(least + more, least, weight), *[st.integers(1, 30)] * 2, st.integers(0, 3)
    )
)


@given(wants, st.integers(0, 200))
def test_columns_share_the_width(columns, cells):
    """Together they fit; each is between its least and its natural width; no spare cell while one lacks some."""
    widths = fit(columns, cells)
    used = [width for width in widths if width]
    assert sum(used) + GAP * max(len(used) - 1, 0) <= cells
    assert all(want.least <= width <= want.natural for want, width in zip(columns, widths, strict=True) if width)
    if len(used) == len(columns) and any(w < want.natural for want, w in zip(columns, widths, strict=True)):
        assert sum(used) + GAP * (len(used) - 1) == cells


@given(wants, st.integers(0, 200))
def test_the_lightest_column_goes_first(columns, cells):
    """No column is kept while a heavier one is left out."""
    widths = fit(columns, cells)
    kept = [want.weight for want, width in zip(columns, widths, strict=True) if width]
    out = [want.weight for want, width in zip(columns, widths, strict=True) if not width]
    assert not kept or not out or min(kept) >= max(out)
