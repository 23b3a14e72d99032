"""``weights --plot``: the weight of each class beside the rows that it had in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from softmax_cli.page.plot import BLUE, GREY, LABELLED_CLASSES, draw_bars, list_names, write_plots
from softmax_cli.weighting.report import ClassWeights

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure


def write_weight_plots(found: ClassWeights, path: str, force: bool) -> None:
    """Draw training rows and weights of the classes; where they are many, of the rarest."""
    order = np.argsort(found.counts, kind="stable")[:LABELLED_CLASSES]
    shown = sorted(order.tolist()) if len(order) == len(found.classes) else order.tolist()
    names = [found.classes[i] for i in shown]

    counts, values = (array[shown].tolist() for array in (found.counts, found.values))

    def rows_by_class(place: SubFigure) -> None:
        axes = place.subplots()
        draw_bars(axes, names, counts, fewest=1)
        axes.set_title("Training rows")

    def values_by_class(place: SubFigure) -> None:
        axes = place.subplots()
        axes.barh(range(len(shown)), values, color=BLUE)
        axes.axvline(1, color=GREY, linestyle="--", linewidth=1)
        list_names(axes, names, fewest=1)
        axes.set(xlabel=found.column, title=f"What {found.column}s do (above 1 raises)")

    rarest = f": the {len(shown)} rarest" if len(shown) < len(found.classes) else ""
    rows = int(found.counts.sum())
    write_plots(
        [rows_by_class, values_by_class],
        f"{rows:,} training rows, {len(found.classes):,} classes{rarest}",
        path,
        force,
        len(shown),
    )
