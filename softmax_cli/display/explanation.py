"""An explanation on a screen: the steps as columns of one table, and then what follows from them."""

from __future__ import annotations

import math

from rich.console import Console

from softmax_cli.display.explanationsteps import show_steps
from softmax_cli.display.explanationtables import show_alternatives, show_nudges, show_temperatures
from softmax_cli.display.figures import probability
from softmax_cli.display.glyphs import Glyphs, glyphs
from softmax_cli.display.prose import heading, paragraph
from softmax_cli.display.scorecells import Classes, number, numbers
from softmax_cli.display.table import Column, TextColumn, draw
from softmax_cli.display.text import visible
from softmax_cli.numeric.explanation import Explanation
from softmax_cli.runs.explaining import Example

FAR = 1000.0
"""Added to every score to show that the shifted form does not care, and the naive one does."""
OVERFLOW = (
    "What changes is what a computer can hold: exp overflows above 709 and is 0 below -745, and neither inf/inf nor "
    "0/0 is a number."
)
FAILED = "These scores are beyond that: the plain formula fails and the shifted one does not."
SHIFTED = f"The same scores + {FAR:g} show it; after the shift they are the numbers above, to every digit shown."


def show_explanation(console: Console, example: Example, told: Explanation) -> None:
    """Print the steps of one softmax, why they are what they are, and what else could be done."""
    marks = glyphs(console)
    classes = Classes.of(example.classes, told.ranking, marks)
    truth = "" if example.truth is None else f" (truth: {example.truth})"
    paragraph(console, f"softmax of {example.where}{truth}", marks, "bold")
    show_steps(console, told, classes, marks)
    _show_shift(console, told, classes, marks)
    show_temperatures(console, told, classes, marks)
    show_nudges(console, told, classes, marks)
    show_alternatives(console, told, classes, marks)
    _show_figures(console, told, classes, marks)


def _show_shift(console: Console, told: Explanation, classes: Classes, marks: Glyphs) -> None:
    heading(console, "Why subtracting the maximum changes nothing", marks)
    naive, far = told.naive(), told.naive(FAR)
    z = "z" if told.temperature == 1 and (told.weights == 1).all() else "a"  # as it stands after the steps before
    columns: list[Column] = [TextColumn("class", [*classes.names, "sum"], 20, least=8, most=16)]
    for title, values, total in (
        (f"exp({z})", naive.exponentials, naive.total),
        ("its p", naive.p, naive.p.sum()),
        (f"exp({z} - max)", told.exponentials, told.total),
        ("its p", told.p, 1.0),
        (f"exp({z} + {FAR:g})", far.exponentials, far.total),
        ("its p", far.p, far.p.sum()),
    ):
        cells = numbers([*classes.pick(values.tolist()), float(total)])
        columns.append(TextColumn(title, cells, 10, is_number=True))
    draw(console, columns, marks)
    highest = number(told.highest)
    where = "" if z == "z" else "With a for the scores after temperature and weights: "
    factor = "a number that no float can hold" if naive.fails else number(math.exp(told.highest))
    paragraph(
        console,
        f"{where}exp({z} - {highest}) is exp({z}) divided by exp({highest}) = {factor}. Every class is divided by the "
        "same number, so their sum is too, and in the quotient it cancels: p is the same.",
        marks,
    )
    paragraph(console, f"{OVERFLOW} {FAILED if naive.fails else SHIFTED}", marks)


def _show_figures(console: Console, told: Explanation, classes: Classes, marks: Glyphs) -> None:
    heading(console, "How sure, and because of which score", marks)
    best = told.ranking[0]
    share = told.entropy / math.log(len(told.p)) if len(told.p) > 1 else 0.0
    paragraph(
        console,
        f"entropy {told.entropy:.4f} nats = {told.entropy / math.log(2):.4f} bits, {share:.1%} of a uniform guess; "
        f"margin between the best two {probability(told.margin)}",
        marks,
    )
    rest = told.without(best)
    if rest is None:
        return
    order = sorted(range(len(rest)), key=lambda i: (-rest[i], i))[:3]
    named = ", ".join(f"{classes.name(i)} {probability(rest[i])}" for i in order if rest[i] > 0)
    paragraph(
        console,
        f"without `{visible(classes.name(best), marks.encoding)}`, which holds {probability(told.p[best])}: {named}",
        marks,
    )
