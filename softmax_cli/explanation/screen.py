"""An explanation on a screen: the steps as columns of one table, and then what follows from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.text import Text

from softmax_cli.explanation.example import (
    TEMPERATURES,
    Example,
    best_classes,
    number,
    numbers,
    signed,
    steps_of,
)
from softmax_cli.explanation.topics import Figures, Topic, topic_cell
from softmax_cli.numeric.explanation import Explanation
from softmax_cli.terminal.console import glyphs, heading, paragraph
from softmax_cli.terminal.grid import BarColumn, Column, ConfidenceColumn, FigureColumn, TextColumn, draw
from softmax_cli.terminal.text import probability, visible

MORE = (
    "--full: the shift, temperatures, derivatives, other functions",
    "--page softmax.html: scores that can be dragged",
)
FAR = 1000.0
"""Added to every score to show that the shifted form does not care, and the naive one does."""
OVERFLOW = (
    "What changes is what a computer can hold: exp overflows above 709 and is 0 below -745, and neither inf/inf nor "
    "0/0 is a number."
)
FAILED = "These scores are beyond that: the plain formula fails and the shifted one does not."
SHIFTED = f"The same scores + {FAR:g} show it; after the shift they are the numbers above, to every digit shown."


def show_explanation(console: Console, example: Example, explanation: Explanation, full: bool) -> None:
    """Print the steps of one softmax; in full also why they are what they are, and what else could be done."""
    classes = Classes.of(example.classes, explanation.ranking, console.encoding)
    truth = "" if example.truth is None else f" (truth: {example.truth})"
    paragraph(console, f"softmax of {example.where}{truth}", "bold")
    show_steps(console, explanation, classes)
    if not full:
        _show_figures(console, explanation, classes)
        for way in MORE:
            paragraph(console, way, "dim")
        return
    _show_shift(console, explanation, classes)
    show_temperatures(console, explanation, classes)
    show_derivatives(console, explanation, classes)
    show_alternatives(console, explanation, classes)
    _show_figures(console, explanation, classes)


def _show_shift(console: Console, explanation: Explanation, classes: Classes) -> None:
    heading(console, "Why subtracting the maximum changes nothing")
    naive, far = explanation.naive(), explanation.naive(FAR)
    is_plain = explanation.temperature == 1 and (explanation.weights == 1).all()
    z = "z" if is_plain else "a"  # a: after temperature and weights
    columns: list[Column] = [TextColumn("class", [*classes.names, "sum"], 20, least=8, most=16)]
    for title, values, total in (
        (f"exp({z})", naive.exponentials, naive.total),
        ("its p", naive.p, naive.p.sum()),
        (f"exp({z} - max)", explanation.exponentials, explanation.total),
        ("its p", explanation.p, 1.0),
        (f"exp({z} + {FAR:g})", far.exponentials, far.total),
        ("its p", far.p, far.p.sum()),
    ):
        cells = numbers([*classes.pick(values.tolist()), float(total)])
        columns.append(FigureColumn(title, cells, 10))
    draw(console, columns)
    highest = number(explanation.highest)
    where = "" if z == "z" else "With a for the scores after temperature and weights: "
    factor = "a number that no float can hold" if naive.fails else number(math.exp(explanation.highest))
    paragraph(
        console,
        f"{where}exp({z} - {highest}) is exp({z}) divided by exp({highest}) = {factor}. Every class is divided by the "
        "same number, so their sum is too, and in the quotient it cancels: p is the same.",
    )
    paragraph(console, f"{OVERFLOW} {FAILED if naive.fails else SHIFTED}")


def _show_figures(console: Console, explanation: Explanation, classes: Classes) -> None:
    heading(console, "How sure, and because of which score")
    best = explanation.ranking[0]
    share = explanation.entropy / math.log(len(explanation.p)) if len(explanation.p) > 1 else 0.0
    paragraph(
        console,
        f"entropy {explanation.entropy:.4f} nats = {explanation.entropy / math.log(2):.4f} bits, "
        f"{share:.1%} of a uniform guess; margin between the best two {probability(explanation.margin)}",
    )
    rest = explanation.without(best)
    if rest is None:
        return
    order = sorted(range(len(rest)), key=lambda i: (-rest[i], i))[:3]
    named = ", ".join(f"{classes.name(i)} {probability(rest[i])}" for i in order if rest[i] > 0)
    paragraph(
        console,
        f"without `{visible(classes.name(best), console.encoding)}`, "
        f"which holds {probability(explanation.p[best])}: {named}",
    )


def show_steps(console: Console, explanation: Explanation, classes: Classes) -> None:
    """Print the table, and what each of its columns is."""
    marks = glyphs(console)
    steps = steps_of(explanation, classes.name(explanation.ranking[0]))
    columns: list[Column] = [TextColumn("class", [*classes.names, "sum"], 20, least=8, most=16)]
    for position, step in enumerate(steps[:-1], 1):
        total = [] if step.total is None else [step.total]
        cells = [*numbers([*classes.pick(step.values), *total]), ""][: len(classes.names) + 1]
        columns.append(FigureColumn(f"{position} {step.heading}", cells, 10))
    columns.append(BarColumn([*classes.pick(explanation.p.tolist()), 0.0], 1))
    draw(console, columns)
    if classes.hidden:
        left = sum(explanation.p[i] for i in classes.hidden)
        paragraph(
            console, f"{marks.ellipsis} {len(classes.hidden)} more classes, p {number(float(left))} together", "dim"
        )
    console.print()
    for position, step in enumerate(steps, 1):
        paragraph(console, f"{position} {step.sentence}", hang="  ")


def show_temperatures(console: Console, explanation: Explanation, classes: Classes) -> None:
    """Print p at several temperatures, with bars."""
    heading(console, "What the temperature does")
    columns: list[Column] = [TextColumn("class", classes.names, 20, least=8, most=16)]
    for temperature in TEMPERATURES:
        p = classes.pick(explanation.at_temperature(temperature).tolist())
        columns.append(ConfidenceColumn(p, 10, heading=f"T = {temperature:g}"))
    draw(console, columns)
    paragraph(console, "It never changes which class is best (class weights aside), only how sure that looks.")


def show_derivatives(console: Console, explanation: Explanation, classes: Classes) -> None:
    """Print the derivatives of the probabilities: a row answers, a column is best_classes."""
    heading(console, "How p answers to a small rise of one score (the Jacobian)")
    chosen = best_classes(explanation)[:5]
    matrix = explanation.jacobian(chosen)
    names = [classes.name(i) for i in chosen]
    columns: list[Column] = [TextColumn("p of", names, 20, least=8, most=14)]
    for name, column in zip(names, matrix.T.tolist(), strict=True):
        columns.append(FigureColumn(f"z of {name}", [signed(value) for value in column], 10, most=12))
    draw(console, columns)
    divided = "" if explanation.temperature == 1 else f" / {explanation.temperature:g}"
    among = f" (the best {len(chosen)} classes)" if len(chosen) < len(explanation.p) else ", so every column sums to 0"
    paragraph(
        console,
        f"dp_i/dz_j = p_i (d_ij - p_j){divided}: a rising score takes from all other classes what it gives to its own"
        f"{among}. Where one class has nearly everything, nothing moves: a saturated softmax does not learn.",
    )


def show_alternatives(console: Console, explanation: Explanation, classes: Classes) -> None:
    """Print what other functions make of the same scores."""
    heading(console, "Other functions on the same scores")
    columns: list[Column] = [TextColumn("class", [*classes.names, "sum"], 20, least=8, most=16)]
    for name, values in explanation.alternatives().items():
        with np.errstate(invalid="ignore"):  # z / sum z where the sum is 0
            total = float(values.sum())
        cells = numbers([*classes.pick(values.tolist()), round(total, 12)])
        columns.append(FigureColumn(name, cells, 10))
    draw(console, columns)
    for line in (
        "sigmoid: each class alone, for labels that do not exclude each other; no sum.",
        "sparsemax, entmax15: sum to 1 like softmax, but give weak classes exactly 0.",
        "z / sum z is not a softmax: it goes negative, is undefined where the sum is 0, and changes when the same "
        "number is added to every score.",
    ):
        paragraph(console, line, hang="  ")


_SHOWN = 10
"""More classes than this are shown by rank, the best ones only."""


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a row, and those of them that are shown."""

    every: tuple[str, ...]
    shown: list[int]

    @classmethod
    def of(cls, names: tuple[str, ...], ranking: list[int], encoding: str) -> Classes:
        """Show all of a few classes in their order, else the best."""
        report = tuple(visible(name, encoding) for name in names)
        return cls(report, list(range(len(names))) if len(names) <= _SHOWN else ranking[: _SHOWN - 2])

    @property
    def names(self) -> list[str]:
        """Names of the shown classes, as visible text."""
        return [self.every[i] for i in self.shown]

    @property
    def hidden(self) -> list[int]:
        """Positions of the classes that are not shown."""
        shown = set(self.shown)
        return [i for i in range(len(self.every)) if i not in shown]

    def name(self, position: int) -> str:
        """Name of one class, as visible text."""
        return self.every[position]

    def pick(self, values: Sequence[float]) -> list[float]:
        """Values of the shown classes."""
        return [values[i] for i in self.shown]


def show_topic(console: Console, topic: Topic) -> None:
    """Print its parts in turn, and what to type next."""
    paragraph(console, topic.title, "bold")
    for part in topic.parts:
        console.print()
        if isinstance(part, str):
            paragraph(console, part)
        else:
            _show_topic_figures(console, part)
    console.print()
    for command in topic.commands:
        console.print(Text(f"  {visible(command, console.encoding)}", "cyan"), soft_wrap=True)


def _show_topic_figures(console: Console, figures: Figures) -> None:
    columns: list[Column] = []
    for position, title in enumerate(figures.headings):
        cells = [topic_cell(row[position]) for row in figures.rows]
        columns.append(FigureColumn(title, cells, 10 - position) if position else TextColumn(title, cells, 10))
    draw(console, columns)
