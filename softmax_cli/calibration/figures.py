"""``calibrate --plot``: reliability before and after on one sheet, and the loss against the temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from softmax_cli.calibration.report import CalibrationReport
from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._bins import Bins, WidthBins
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.softmax import log_softmax
from softmax_cli.page.plot import BLUE, GREY, ORANGE, draw_reliability, write_plots

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

TEMPERATURES = np.geomspace(0.2, 10, 60)
"""Where the loss is drawn; each the same factor above the one before."""
MOST_ROWS = 20_000
"""Rows of which the loss is drawn; more change no line that can be seen."""


def bins_of(log_p: NDArray[np.floating], labels: NDArray[np.integer]) -> Bins:
    """Return the reliability diagram of log-probabilities, shape (rows, classes), in 15 bins of equal width."""
    return WidthBins.of(Rows(np.asarray(log_p, np.float64), labels), Plan()).bins


def losses(
    z: NDArray[np.float64], labels: NDArray[np.integer], temperatures: NDArray[np.float64] = TEMPERATURES
) -> NDArray[np.float64]:
    """Mean negative log-likelihood, nats, at each temperature, of logits of shape (rows, classes)."""
    step = max(1, len(z) // MOST_ROWS)
    chosen, truths = z[::step], labels[::step]
    picked = np.arange(len(truths))
    return np.array([-log_softmax(chosen, temperature=t)[picked, truths].mean() for t in temperatures.tolist()])


def least_loss(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the temperature of the least loss, and that loss: of the parabola through the three least points.

    Parameters
    ----------
    drawn : array, shape (temperatures,)
        What `losses` returns.
    """
    best = int(drawn.argmin())
    if best in (0, len(drawn) - 1):
        return float(TEMPERATURES[best]), float(drawn[best])
    before, at, after = drawn[best - 1 : best + 2].tolist()
    bend = before - 2 * at + after
    step = 0.5 * (before - after) / bend if bend > 0 else 0.0
    ratio = TEMPERATURES[1] / TEMPERATURES[0]
    return float(TEMPERATURES[best] * ratio**step), at - 0.25 * (before - after) * step


def write_calibration_plots(
    report: CalibrationReport,
    z: NDArray[np.float64],
    after: NDArray[np.float64],
    labels: NDArray[np.integer],
    path: str,
    force: bool,
) -> None:
    """Draw the sheet.

    Parameters
    ----------
    z, after : array, shape (rows, classes)
        Logits as they came, and log-probabilities by fits that have not seen the row.
    labels : array of int, shape (rows,)
        Column of the true class.
    """

    def reliability(place: SubFigure, log_p: NDArray[np.floating], title: str) -> None:
        found = bins_of(log_p, labels)
        columns = (found.lower, found.upper, found.count, found.confidence, found.accuracy)
        bins = list(zip(*(column.tolist() for column in columns), strict=True))
        draw_reliability(place, bins, title, f"ECE {found.error():.4f} ({len(bins)} bins)\nN = {len(labels):,}")

    def loss(place: SubFigure) -> None:
        axes = place.subplots()
        drawn = losses(z, labels)
        least_t, least = least_loss(drawn)
        axes.plot(TEMPERATURES, drawn, color=BLUE)
        axes.axvline(1, color=GREY, linestyle="--", linewidth=1, label="T = 1")
        axes.plot(least_t, least, "o", color=ORANGE, label=f"least, {least:.4f} at T = {least_t:.3g}")
        title = f"Loss against T (N = {len(labels):,})"
        axes.set(xscale="log", xlabel="temperature T", ylabel="mean log loss (nats)", title=title)
        axes.set_ylim(top=float(min(drawn.max(), 3 * drawn.min() + 0.1)))
        axes.set_xticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"])
        axes.legend(fontsize=8)

    panels = [
        lambda place: reliability(place, log_softmax(z), "Before"),
        lambda place: reliability(place, after, f"After ({report.method}, held-out rows)"),
        loss,
    ]
    write_plots(panels, f"{report.source}: {report.rows:,} rows, {report.classes:,} classes", path, force)
