"""``explain --plot``: the probabilities of one row at several temperatures, as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from softmax_cli.explanation.example import TEMPERATURES, Example
from softmax_cli.numeric.explanation import Explanation
from softmax_cli.page.plot import BLUE, LABELLED_CLASSES, name_ticks, write_plots

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure


def write_explanation_plots(example: Example, explanation: Explanation, path: str, force: bool) -> None:
    """Draw a panel for each temperature."""
    shown = sorted(explanation.ranking[:LABELLED_CLASSES])
    names = [example.classes[i] for i in shown]
    left_out = len(example.classes) - len(shown)

    def panel(place: SubFigure, temperature: float) -> None:
        axes = place.subplots()
        p = explanation.at_temperature(temperature)
        axes.barh(range(len(shown)), p[shown], color=BLUE)
        for position, value in enumerate(p[shown].tolist()):
            axes.text(value + 0.01, position, f"{value:.3f}", va="center", fontsize=8 if len(shown) <= 16 else 6)
        name_ticks(axes, names)
        axes.invert_yaxis()
        entropy = float(-np.sum(p[p > 0] * np.log(p[p > 0])))
        axes.set(xlim=(0, 1.15), xticks=[0, 0.25, 0.5, 0.75, 1], xlabel="probability")
        axes.set_title(f"T = {temperature:g} (entropy {entropy:.3f} nats)")

    also = {explanation.temperature} - {*TEMPERATURES}
    panels = [lambda place, t=t: panel(place, t) for t in sorted({*TEMPERATURES, *also})]
    more = f"; the {len(shown)} best of {len(example.classes):,} classes" if left_out else ""
    write_plots(panels, f"softmax of {example.where}{more}", path, force)
