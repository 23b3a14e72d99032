"""An explanation on a screen: the steps as columns of one table, and then what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from softmax_cli.display.explanationtables import show_alternatives, show_nudges, show_temperatures
from softmax_cli.display.figures import probability
from softmax_cli.display.glyphs import Glyphs, glyphs
from softmax_cli.display.prose import heading, paragraph
from softmax_cli.display.ranking import BarColumn
from softmax_cli.display.scorecells import Classes, number, numbers
from softmax_cli.display.table import Column, TextColumn, draw
from softmax_cli.display.text import visible
from softmax_cli.explaining import Example
from softmax_cli.numeric.explanation import Explanation

_FAR = 1000.0
"""Added to every score to show that the shifted form does not care, and the naive one does."""


def show_explanation(console: Console, example: Example, told: Explanation) -> None:
    """Print the steps of one softmax, why they are what they are, and what else could be done."""
    marks = glyphs(console)
    classes = Classes.of(example.classes, told.ranking, marks)
    truth = "" if example.truth is None else f" (truth: {example.truth})"
    paragraph(console, f"softmax of {example.where}{truth}", marks, "bold")
    _show_steps(console, told, classes, marks)
    _show_shift(console, told, classes, marks)
    show_temperatures(console, told, classes, marks)
    show_nudges(console, told, classes, marks)
    show_alternatives(console, told, classes, marks)
    _show_figures(console, told, classes, marks)


@dataclass(frozen=True, slots=True)
class _Step:
    """A column of the table of steps, and the sentence about it."""

    heading: str
    values: Sequence[float]
    sentence: str
    total: float | None = None


def _steps(told: Explanation, best: str) -> list[_Step]:
    steps = [_Step("score", told.logits.tolist(), "the scores (logits) z: any real numbers; only differences will count")]
    if told.temperature != 1:
        steps.append(
            _Step("z/T", told.scaled.tolist(), f"divided by the temperature T = {told.temperature:g}: smaller differences "
            "for T above 1, larger ones below")
        )
    if (told.weights != 1).any():
        steps.append(
            _Step("+ log w", told.adjusted.tolist(), "log of the class weight added: the same as multiplying the "
            "probability by w; multiplying the score would turn around where it is negative")
        )
    highest = number(told.highest)
    return [
        *steps,
        _Step("- max", told.shifted.tolist(), f"the largest, {highest}, subtracted: the best class is at 0, all others below"),
        _Step("exp", told.exponentials.tolist(), "exp makes every number positive and keeps their order: one unit of "
        f"score is a factor of 2.718; their sum is {number(told.total)}", told.total),
        _Step("p", told.p.tolist(), "each divided by the sum: probabilities, which sum to 1", 1.0),
        _Step("", [], f"the largest probability is the classification: {best}"),
    ]


def _show_steps(console: Console, told: Explanation, classes: Classes, marks: Glyphs) -> None:
    steps = _steps(told, classes.name(told.ranking[0]))
    columns: list[Column] = [TextColumn("class", [*classes.names, "sum"], 20, least=8, most=16)]
    for position, step in enumerate(steps[:-1], 1):
        total = [] if step.total is None else [step.total]
        cells = [*numbers([*classes.pick(step.values), *total]), ""][: len(classes.names) + 1]
        columns.append(TextColumn(f"{position} {step.heading}", cells, 10, is_number=True))
    columns.append(BarColumn([*classes.pick(told.p.tolist()), 0.0], 1))
    draw(console, columns, marks)
    if classes.hidden:
        left = sum(told.p[i] for i in classes.hidden)
        paragraph(console, f"{marks.ellipsis} {len(classes.hidden)} more classes, p {number(float(left))} together", marks, "dim")
    console.print()
    for position, step in enumerate(steps, 1):
        paragraph(console, f"{position} {step.sentence}", marks, hang="  ")


def _show_shift(console: Console, told: Explanation, classes: Classes, marks: Glyphs) -> None:
    heading(console, "Why subtracting the maximum changes nothing", marks)
    naive, far = told.naive(), told.naive(_FAR)
    z = "z" if told.temperature == 1 and (told.weights == 1).all() else "a"  # as it stands after the steps before
    columns: list[Column] = [TextColumn("class", [*classes.names, "sum"], 20, least=8, most=16)]
    for title, values, total in (
        (f"exp({z})", naive.exponentials, naive.total),
        ("its p", naive.p, naive.p.sum()),
        (f"exp({z} - max)", told.exponentials, told.total),
        ("its p", told.p, 1.0),
        (f"exp({z} + {_FAR:g})", far.exponentials, far.total),
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
        f"{where}exp({z} - {highest}) is exp({z}) divided by exp({highest}) = {factor}. Every class is divided by the same number, so "
        "their sum is too, and in the quotient it cancels: p is the same.",
        marks,
    )
    paragraph(
        console,
        "What changes is what a computer can hold: exp overflows above 709 and is 0 below -745, and neither inf/inf nor 0/0 is a "
        "number. "
        + (
            "These scores are beyond that: the plain formula fails and the shifted one does not."
            if naive.fails
            else f"The same scores + {_FAR:g} show it; after the shift they are the numbers above, to every digit shown."
        ),
        marks,
    )


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
    paragraph(console, f"without `{visible(classes.name(best), marks.encoding)}`, which holds {probability(told.p[best])}: {named}", marks)
