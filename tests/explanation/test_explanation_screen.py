"""The steps on a screen: numbers that are so, lines that fit, names that steer nothing."""

import io
import math

import numpy as np
import pytest

from softmax_cli.explanation.example import Example, number, numbers
from softmax_cli.explanation.screen import show_explanation, show_topic
from softmax_cli.explanation.topics import Figures, Topic
from softmax_cli.numeric.explanation import explain_row
from softmax_cli.terminal.console import make_console


def shown(show, *what, width=80, encoding="utf-8", **options):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    console = make_console(stream, "never")
    console.width = width
    show(console, *what, **options)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def explained(logits, names=None, temperature=1.0, weights=None, truth=None, full=False, **options):
    z = np.array(logits, float)
    example = Example("typed", tuple(names or (f"z{i}" for i in range(1, len(z) + 1))), z, truth)
    w = np.ones(len(z)) if weights is None else np.array(weights, float)
    return shown(show_explanation, example, explain_row(z, temperature, w), full, **options)


def test_the_steps_of_three_scores():
    """Figures by hand: e**2, e and e**0.1 over their sum."""
    exponentials = [math.exp(z - 2) for z in (2, 1, 0.1)]
    lines = explained([2, 1, 0.1]).splitlines()
    for name, z, e in zip(("z1", "z2", "z3"), (2, 1, 0.1), exponentials, strict=True):
        (row, *_) = [line for line in lines if line.startswith(name)]
        expected = [f"{z:.4f}", f"{z - 2:.4f}", f"{e:.4f}", f"{e / sum(exponentials):.4f}"]
        assert row.split()[1:5] == expected
    assert "5 the largest probability is the classification: z1" in lines


def test_temperature_and_weights_are_steps_of_their_own():
    text = explained([2, 1], ["cat", "dog"], temperature=2, weights=[1, 4], truth="dog")
    heading = next(line for line in text.splitlines() if line.startswith("class"))
    assert heading.split()[1:7] == ["1", "score", "2", "z/T", "3", "+"]
    assert "softmax of typed (truth: dog)" in text
    assert "the classification: dog" in text


@pytest.mark.parametrize("classes", [2, 10, 11, 300])
@pytest.mark.parametrize("width", [80, 132])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("full", [False, True])
def test_every_line_fits(classes, width, encoding, full):
    names = [f"class {i}" for i in range(classes)]
    text = explained(np.linspace(-3, 3, classes), names, full=full, width=width, encoding=encoding)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() == (encoding == "ascii")


def test_in_full_there_is_more_and_in_short_the_way_to_it():
    short, full = explained([2, 1, 0.1]), explained([2, 1, 0.1], full=True)
    assert full.startswith(short.partition("\nHow sure")[0])
    assert "--full" in short
    for heading in ("changes nothing", "What the temperature does", "the Jacobian", "Other functions"):
        assert heading in full
        assert heading not in short


def test_of_many_classes_the_best_are_shown_and_the_others_counted():
    text = explained(np.arange(30.0), [f"class {i}" for i in range(30)])
    assert "class 29" in text
    assert "class 0 " not in text
    assert "22 more classes" in text


def test_names_steer_nothing():
    text = explained([2, 1], ["[red]\x1b[2J", "b"])
    assert "\x1b" not in text
    assert "[red]" in text


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2"), (0.5, "0.5000"), (1e-7, "1.00e-07"), (123456.5, "1.23e+05"), (math.inf, "inf")]
)
def test_numbers_say_something_in_four_decimals_or_a_power_of_ten(value, text):
    assert number(value) == text


def test_a_column_is_whole_or_has_decimals_throughout():
    assert numbers([1.0, 2.0]) == ["1", "2"]
    assert numbers([1.0, 2.5, 0.0]) == ["1.0000", "2.5000", "0.0000"]


def test_a_topic():
    figures = Figures("Shares", ("what", "share"), (("one", 0.5), ("two", 3)))
    text = shown(show_topic, Topic("A title", ("Some words.", figures), ("softmax-cli explain 1 2",)))
    lines = [line.split() for line in text.splitlines()]
    assert ["one", "0.500"] in lines
    assert ["two", "3"] in lines
    assert text.splitlines()[0] == "A title"
    assert text.splitlines()[-1] == "  softmax-cli explain 1 2"
