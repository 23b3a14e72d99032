"""``explain --plot`` and ``--page``: a row at several temperatures, and one to be dragged; and the tables to paste."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from softmax_cli.explanation.example import TEMPERATURES, Example, best_classes, numbers, signed, steps_of
from softmax_cli.explanation.topics import Figures, Topic, topic_cell
from softmax_cli.numeric.explanation import Explanation
from softmax_cli.page import render
from softmax_cli.page.plot import BLUE, LABELLED_CLASSES, list_names, write_plots
from softmax_cli.page.report import Table, table
from softmax_cli.terminal.text import probability

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure


def write_explanation_plots(example: Example, explanation: Explanation, path: str, force: bool) -> None:
    """Draw a panel for each temperature."""
    shown = sorted(explanation.ranking[:LABELLED_CLASSES])
    names = [example.classes[i] for i in shown]
    shared = sorted({*TEMPERATURES, explanation.temperature})
    largest = max(float(explanation.at_temperature(t).max()) for t in shared)
    left_out = len(example.classes) - len(shown)

    def panel(place: SubFigure, temperature: float) -> None:
        axes = place.subplots()
        p = explanation.at_temperature(temperature)
        axes.barh(range(len(shown)), p[shown], color=BLUE)
        for position, value in enumerate(p[shown].tolist()):
            axes.text(
                value + 0.01 * largest, position, probability(value), va="center", fontsize=8 if len(shown) <= 16 else 6
            )
        list_names(axes, names, fewest=1)
        entropy = float(-np.sum(p[p > 0] * np.log(p[p > 0])))
        axes.set(xlim=(0, 1.15 * largest), xlabel="probability")
        axes.set_title(f"T = {temperature:g} (entropy {entropy:.3f} nats)")

    panels = [lambda place, t=t: panel(place, t) for t in shared]
    more = f"; the {len(shown)} best of {len(example.classes):,} classes" if left_out else ""
    truth = "" if example.truth is None else f" (truth: {example.truth})"
    write_plots(panels, f"softmax of {example.where}{truth}{more}", path, force, len(shown))


MOST_CLASSES = 12
"""More sliders than this are no longer seen together."""
CLIP = 5
"""Limit of the clipped and softly capped scores that the page compares; in logits."""


def explanation_page(example: Example, explanation: Explanation, command: str) -> bytes:
    """Make the page of one row."""
    shown = sorted(explanation.ranking[:MOST_CLASSES])
    names = [example.classes[i] for i in shown]
    hidden = sorted(explanation.ranking[MOST_CLASSES:])
    order = [*shown, *hidden]  # the page computes with all of them
    finite = explanation.logits[shown][np.isfinite(explanation.logits[shown])]
    return render(
        "explanation",
        {
            "classes": names,
            "logits": [z if math.isfinite(z) else "-inf" for z in explanation.logits[order].tolist()],
            "temperature": explanation.temperature if math.isfinite(explanation.temperature) else "inf",
            "weights": explanation.weights[order].tolist(),
            "low": min(-10.0, math.floor(float(finite.min())) - 5.0),
            "high": max(10.0, math.ceil(float(finite.max())) + 5.0),
            "clip": CLIP,
            "truth": names.index(example.truth) if example.truth in names else shown.index(explanation.ranking[0]),
        },
        title="Softmax, step by step",
        where=example.where,
        truth=example.truth,
        shown=len(shown),
        left_out=len(hidden),
        clip=CLIP,
        command=command,
    )


def explanation_tables(example: Example, explanation: Explanation, full: bool) -> list[Table]:
    """Make the tables of a row with all of its classes; in full, also what other temperatures and functions give."""
    names = example.classes
    steps = steps_of(explanation, names[explanation.ranking[0]])[:-1]
    columns = [numbers([*step.values, *([] if step.total is None else [step.total])]) for step in steps]
    padded = [[*cells, ""][: len(names) + 1] for cells in columns]
    rows = list(zip((*names, "sum"), *padded, strict=True))
    found = [table("steps", "Softmax, step by step", "", ("class", *(step.heading for step in steps)), rows)]
    if not full:
        return found
    heated = [numbers(explanation.at_temperature(t).tolist()) for t in TEMPERATURES]
    others = explanation.alternatives()
    answers = [numbers(values.tolist()) for values in others.values()]
    best = best_classes(explanation)
    moved = [[signed(value) for value in row] for row in explanation.jacobian(best).tolist()]
    return [
        *found,
        _by_class("temperatures", "Temperatures", names, [f"T = {t:g}" for t in TEMPERATURES], heated),
        table(
            "jacobian",
            "How p answers to a small rise of one score",
            "",
            ("p of", *(f"z of {names[i]}" for i in best)),
            [(names[i], *row) for i, row in zip(best, moved, strict=True)],
        ),
        _by_class("functions", "Other functions on the same scores", names, list(others), answers),
    ]


def _by_class(
    identity: str, title: str, names: Sequence[str], headings: Sequence[str], columns: Sequence[Sequence[str]]
) -> Table:
    return table(identity, title, "", ("class", *headings), list(zip(names, *columns, strict=True)))


def topic_tables(topic: Topic) -> list[Table]:
    """Make the tables of a topic."""
    parts = [part for part in topic.parts if isinstance(part, Figures)]
    return [
        table("topic", part.title, "", part.headings, [[topic_cell(cell) for cell in row] for row in part.rows])
        for part in parts
    ]
