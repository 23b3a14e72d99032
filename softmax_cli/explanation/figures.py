"""``explain --plot``: the probabilities of one row at several temperatures, as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from softmax_cli.explanation.example import TEMPERATURES, Example
from softmax_cli.numeric.explanation import Explanation
from softmax_cli.page.plot import BLUE, LABELLED_CLASSES, list_names, write_plots
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
