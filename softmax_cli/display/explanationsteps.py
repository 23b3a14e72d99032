"""The steps of a softmax on a screen: columns of one table, and a sentence for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from softmax_cli.display.glyphs import Glyphs
from softmax_cli.display.prose import paragraph
from softmax_cli.display.ranking import BarColumn
from softmax_cli.display.scorecells import Classes, number, numbers
from softmax_cli.display.table import Column, TextColumn, draw
from softmax_cli.numeric.explanation import Explanation


@dataclass(frozen=True, slots=True)
class _Step:
    """A column of the table of steps, and the sentence about it."""

    heading: str
    values: Sequence[float]
    sentence: str
    total: float | None = None


def _steps(told: Explanation, best: str) -> list[_Step]:
    steps = [
        _Step("score", told.logits.tolist(), "the scores (logits) z: any real numbers; only differences will count")
    ]
    if told.temperature != 1:
        steps.append(
            _Step(
                "z/T",
                told.scaled.tolist(),
                f"divided by the temperature T = {told.temperature:g}: smaller differences "
                "for T above 1, larger ones below",
            )
        )
    if (told.weights != 1).any():
        steps.append(
            _Step(
                "+ log w",
                told.adjusted.tolist(),
                "log of the class weight added: the same as multiplying the "
                "probability by w; multiplying the score would turn around where it is negative",
            )
        )
    highest = number(told.highest)
    return [
        *steps,
        _Step(
            "- max",
            told.shifted.tolist(),
            f"the largest, {highest}, subtracted: the best class is at 0, all others below",
        ),
        _Step(
            "exp",
            told.exponentials.tolist(),
            "exp makes every number positive and keeps their order: one unit of "
            f"score is a factor of 2.718; their sum is {number(told.total)}",
            told.total,
        ),
        _Step("p", told.p.tolist(), "each divided by the sum: probabilities, which sum to 1", 1.0),
        _Step("", [], f"the largest probability is the classification: {best}"),
    ]


def show_steps(console: Console, told: Explanation, classes: Classes, marks: Glyphs) -> None:
    """Print the table, and what each of its columns is."""
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
        paragraph(
            console,
            f"{marks.ellipsis} {len(classes.hidden)} more classes, p {number(float(left))} together",
            marks,
            "dim",
        )
    console.print()
    for position, step in enumerate(steps, 1):
        paragraph(console, f"{position} {step.sentence}", marks, hang="  ")
