"""The reliability diagram: bar, mark and gap stand where the numbers say."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from softmax_cli.evaluation.report import Bin
from softmax_cli.evaluation.screen import MOST_LINES, Brush, draw_gap, show_reliability

PLAIN = Brush("#", "+", "-", "|")
shares = st.floats(0, 1)


def one(confidence, accuracy, rows=10):
    return Bin(0.0, 1.0, rows, confidence, accuracy)


@given(shares, shares, st.integers(2, 120))
def test_a_line_never_leaves_its_column_and_tells_the_sign_of_the_gap(confidence, accuracy, cells):
    line = draw_gap(one(confidence, accuracy), cells, PLAIN).plain
    assert len(line) <= cells
    assert line.count("|") == 1
    assert abs(line.index("|") - confidence * cells) <= 1
    assert not ("-" in line and "+" in line)
    if accuracy > confidence + 2 / cells:
        assert "-" not in line
    if accuracy < confidence - 2 / cells:
        assert "-" in line
        assert "+" not in line


@pytest.mark.parametrize(
    ("confidence", "accuracy", "drawn"),
    [
        (0.5, 0.5, "#####|"),
        (0.8, 0.5, "#####---|"),
        (0.5, 0.9, "#####|+++"),
        (1.0, 1.0, "#########|"),
        (0.1, 0.0, "-|"),
    ],
)
def test_lines_by_hand(confidence, accuracy, drawn):
    assert draw_gap(one(confidence, accuracy), 10, PLAIN).plain == drawn


def shown(bins, width=80, encoding="utf-8"):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    console = Console(file=stream, width=width, color_system=None)
    show_reliability(console, bins)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [40, 80, 132])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_line_fits(width, encoding):
    bins = [Bin(k / 15, (k + 1) / 15, 10**k, (k + 0.5) / 15, 0.5) for k in range(9)]
    text = shown(bins, width, encoding)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() == (encoding == "ascii")


def test_empty_bins_have_no_line_and_many_bins_keep_the_fullest():
    bins = [Bin(k / 100, (k + 1) / 100, k % 50, (k + 0.5) / 100, 0.5) for k in range(100)]
    text = shown(bins)
    lines = [line for line in text.splitlines() if line[:1] in "01"]
    assert len(lines) == MOST_LINES
    assert "0.490-0.500" in text
    assert "0.010-0.020" not in text
    assert "68 bins with fewer rows not shown" in " ".join(text.split())
