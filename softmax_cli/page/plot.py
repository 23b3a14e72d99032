"""Plots for papers: one look for all of them, readable in grey and by the colour-blind, and one way into a file."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from softmax_cli.errors import UsageError
from softmax_cli.storage.writing import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

SUFFIXES = (".png", ".svg", ".pdf")
BLUE, ORANGE, GREY, BLACK = "#0072b2", "#e69f00", "#9a9a9a", "#1a1a1a"
"""Of Okabe and Ito's palette: told apart by the colour-blind, and of different lightness in print."""
LABELLED_CLASSES = 20
"""More class names than this do not fit beside each other."""
_PANEL = 4.6
"""Inches; two panels make the width of a page."""
STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,  # TrueType: publishers refuse Type 3
    "svg.hashsalt": "softmax-cli",
    "text.parse_math": False,  # a class may be called $x$
}

Panel = Callable[["SubFigure"], None]
"""Draws one plot into its place on the sheet."""


def check_plot(path: str) -> None:
    """Refuse, before anything is computed, what cannot be drawn.

    Raises
    ------
    UsageError
        The name ends in none of `SUFFIXES`, or matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib: pip install 'matplotlib>=3.9'")
    if PurePath(path).suffix.lower() not in SUFFIXES:
        raise UsageError(f"--plot {path}: the name has to end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")


def draw_sheet(panels: Sequence[Panel], title: str, names: int | None = None) -> Figure:
    """Draw the panels on one sheet, two side by side.

    Parameters
    ----------
    names : int, optional
        Of panels that hold nothing but a list of names: how many. A few make a low panel.
    """
    from matplotlib.figure import Figure

    across = min(2, len(panels))
    down = -(-len(panels) // across)
    height = _PANEL if names is None else min(_PANEL, 1.2 + 0.3 * names)
    sheet = Figure(figsize=(_PANEL * across, height * down + 0.4), layout="constrained")
    sheet.suptitle(title, fontsize=10, wrap=True)
    for panel, place in zip(panels, sheet.subfigures(down, across, squeeze=False).flat, strict=False):
        panel(place)
    return sheet


def write_plots(panels: Sequence[Panel], title: str, path: str, force: bool, names: int | None = None) -> None:
    """Draw the panels on one sheet, as `draw_sheet` does, and write it; the same input gives the same bytes."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        sheet = draw_sheet(panels, title, names)
        drawn = io.BytesIO()
        form = PurePath(path).suffix.lower()[1:]
        undated = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        sheet.savefig(drawn, format=form, metadata=undated[form])
    with whole_file(path, force) as file:
        file.write(drawn.getvalue())


def shortened(name: str, most: int = 20) -> str:
    """Cut a long name in its middle: names of one family often differ at the end."""
    if len(name) <= most:
        return name
    end = most // 2 - 1
    return f"{name[: most - end - 1]}…{name[-end:]}"


def pair_names(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Name pairs of classes, each class shortened by itself."""
    return [f"{shortened(first, 18)} → {shortened(second, 18)}" for first, second in pairs]


FEWEST = 8
"""So many names fill the height of a panel; fewer leave some free rather than stand far apart."""


def draw_bars(axes: Axes, names: Sequence[str], rows: Sequence[int], fewest: int = FEWEST) -> None:
    """Draw counts of rows as bars from the top down, each with its name."""
    from matplotlib.ticker import MaxNLocator

    axes.barh(range(len(names)), rows, color=ORANGE)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.set_xlabel("rows")
    list_names(axes, names, fewest)


def draw_histogram(
    place: SubFigure, parts: Sequence[tuple[str, Sequence[int]]], title: str, label: str, rows: int
) -> None:
    """Draw counts in equal bins of [0, 1].

    Parameters
    ----------
    parts : sequence of tuple
        What stands upon what, from below, and its counts; a single one needs no name.
    rows : int
        How many there are.
    """
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    axes = place.subplots()
    axes.yaxis.set_major_locator(MaxNLocator("auto", integer=True))
    bins = len(parts[0][1])
    below = np.zeros(bins, np.int64)
    for (name, counts), color, hatch in zip(parts, (BLUE, ORANGE), ("", "///"), strict=False):
        left = np.arange(bins) / bins
        axes.bar(left, counts, 1 / bins, below, align="edge", color=color, edgecolor="white", hatch=hatch, label=name)
        below = below + np.array(counts)
    axes.set(xlim=(0, 1), xlabel=label, ylabel="rows", title=f"{title} ({bins} bins, N = {rows:,})")
    if len(parts) > 1:
        place.legend(fontsize=8, loc="outside lower center", ncols=len(parts))


def list_names(axes: Axes, names: Sequence[str], fewest: int = FEWEST) -> None:
    """Write names from the top down, close to each other where there are less than `fewest`."""
    name_ticks(axes, names)
    axes.set_ylim(max(len(names), fewest) - 0.5, -0.6)


def name_ticks(axes: Axes, names: Sequence[str], vertical: bool = True) -> None:
    """Write class names at 0, 1, 2 ..., shortened where they are long, and upright where they are many."""
    shown = [shortened(name, 40 if vertical else 18) for name in names]
    size = 8 if len(names) <= 12 else 6
    if vertical:
        axes.set_yticks(range(len(names)), shown, fontsize=size)
    else:
        beside = len(names) * max(map(len, shown), default=0) <= 24
        axes.set_xticks(range(len(names)), shown, fontsize=size, rotation=0 if beside else 90)


def draw_reliability(
    place: SubFigure, bins: Sequence[tuple[float, float, int, float, float]], title: str, corner: str
) -> None:
    """Draw accuracy against confidence, with Wilson's 95 % intervals, over the counts of the bins.

    Parameters
    ----------
    bins : sequence of tuple
        Lower and upper edge, rows, mean confidence and accuracy of each bin.
    corner : str
        What stands in the corner: the error, and how many rows there are.
    """
    import numpy as np
    from scipy.stats import binomtest

    upper, lower = place.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    low, high, rows, confidence, accuracy = (np.array(column) for column in zip(*bins, strict=True))
    held = rows > 0
    x, y = confidence[held], accuracy[held]
    right = np.rint(y * rows[held]).astype(int).tolist()
    counts = zip(right, rows[held].tolist(), strict=True)
    limits = [binomtest(k, n).proportion_ci(method="wilson") for k, n in counts]
    reach = np.abs(np.array(limits).reshape(-1, 2).T - y)
    upper.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    upper.vlines(x, np.minimum(x, y), np.maximum(x, y), color=ORANGE, linewidth=3, alpha=0.7, label="gap")
    upper.errorbar(x, y, reach, fmt="o", color=BLUE, markersize=4, capsize=2, label="accuracy, 95 % interval")
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel="accuracy", title=title)
    upper.text(0.98, 0.03, corner, transform=upper.transAxes, ha="right", va="bottom", fontsize=8)
    lower.bar(low, rows, high - low, align="edge", color=BLUE, edgecolor="white")
    lower.set(xlabel="confidence (probability of the predicted class)", ylabel="rows")
    place.legend(fontsize=7, loc="outside lower center", ncols=3)
