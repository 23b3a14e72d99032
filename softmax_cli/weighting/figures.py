"""``weights --plot``: the weight of each class beside the rows that it had in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from softmax_cli.page.plot import BLUE, GREY, LABELLED_CLASSES, ORANGE, name_ticks, write_plots
from softmax_cli.weighting.report import ClassWeights

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure


def write_weight_plots(found: ClassWeights, path: str, force: bool) -> None:
    """Draw training rows and weights of the classes; where they are many, of the rarest."""
    order = np.argsort(found.counts, kind="stable")[:LABELLED_CLASSES]
    shown = sorted(order.tolist()) if len(order) == len(found.classes) else order.tolist()
    names = [found.classes[i] for i in shown]

    def bars(place: SubFigure, values: list[float], color: str, label: str, title: str) -> None:
        axes = place.subplots()
        axes.barh(range(len(shown)), values, color=color)
        name_ticks(axes, names)
        axes.invert_yaxis()
        axes.set(xlabel=label, title=title)
        if title.startswith("What"):
            axes.axvline(1, color=GREY, linestyle="--", linewidth=1)

    counts, values = ([array[i] for i in shown] for array in (found.counts.tolist(), found.values.tolist()))
    panels = [
        lambda place: bars(place, counts, ORANGE, "rows", "Training rows"),
        lambda place: bars(place, values, BLUE, found.column, f"What {found.column}s do (above 1 raises)"),
    ]
    write_plots(panels, f"{len(found.classes):,} classes, {int(found.counts.sum()):,} training rows", path, force)
