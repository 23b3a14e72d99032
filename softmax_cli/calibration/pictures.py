"""``calibrate --plot`` and ``--report``: reliability before and after, and the loss against the temperature."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from softmax_cli.calibration.labelled_rows import LabelledRows
from softmax_cli.calibration.report import TITLES, CalibrationReport, verdict
from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._bins import Bins, WidthBins
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.softmax import log_softmax
from softmax_cli.page.plot import BLUE, GREY, ORANGE, draw_reliability, write_plots
from softmax_cli.page.report import Chart, Table, Tile, curve_chart, number, reliability_chart, report_page, table

if TYPE_CHECKING:
    from matplotlib.figure import SubFigure

TEMPERATURES = np.geomspace(0.2, 10, 60)
"""Where the loss is drawn; each the same factor above the one before."""
MOST_ROWS = 20_000
"""Rows of which the loss is drawn; more change no line that can be seen."""


def bins_of(log_p: NDArray[np.floating], labels: NDArray[np.integer]) -> Bins:
    """Return the reliability diagram of log-probabilities, shape (rows, classes), in 15 bins of equal width."""
    return WidthBins.of(Rows(np.asarray(log_p, np.float64), labels), Plan()).bins


def _listed(bins: Bins) -> list[tuple[float, float, int, float, float]]:
    columns = (bins.lower, bins.upper, bins.count, bins.confidence, bins.accuracy)
    return list(zip(*(column.tolist() for column in columns), strict=True))


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
    report: CalibrationReport, rows: LabelledRows, after: NDArray[np.float64], path: str, force: bool
) -> None:
    """Draw the sheet.

    Parameters
    ----------
    after : array, shape (rows, classes)
        Log-probabilities by fits that have not seen the row.
    """
    z, labels = rows.z, rows.labels

    def reliability(place: SubFigure, log_p: NDArray[np.floating], title: str) -> None:
        found = bins_of(log_p, labels)
        corner = f"ECE {found.error():.4f} ({len(found.count)} bins)\nN = {len(labels):,}"
        draw_reliability(place, _listed(found), title, corner)

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


def calibration_page(report: CalibrationReport, rows: LabelledRows, after: NDArray[np.float64], command: str) -> bytes:
    """Make the page; `after` as for `write_calibration_plots`."""
    z, labels = rows.z, rows.labels
    drawn = losses(z, labels)
    least_t, least = least_loss(drawn)
    (at_one,) = losses(z, labels, np.ones(1)).tolist()
    points = [
        (t, loss, f"{what} T = {t:.3g}: mean log loss {loss:.4f} nats")
        for t, loss, what in sorted([(1.0, at_one, "As it came,"), (least_t, least, "The least,")])
        if loss <= 3 * least + 0.1
    ]
    line = [(t, loss) for t, loss in zip(TEMPERATURES.tolist(), drawn.tolist(), strict=True) if loss <= 3 * least + 0.1]
    return report_page(
        f"Calibration on {report.source}",
        command,
        verdict=[*verdict(report), report.description, *report.warnings],
        facts=[f"{report.rows:,} rows", f"{report.left_out:,} left out", f"{report.classes:,} classes", report.method],
        tiles=[
            Tile(title, number(new), f"before: {number(old)}")
            for title, old, new in zip(
                ("log loss", "Brier score", "ECE"), astuple(report.before), astuple(report.after), strict=True
            )
        ],
        charts=[
            _reliability("before", "Before", log_softmax(z), labels),
            _reliability("after", f"After ({report.method})", after, labels, " Of rows that the fit has not seen."),
            curve_chart(
                "loss",
                "Loss against the temperature",
                f"The least, {least:.4f} nats, is at T = {least_t:.3g}; the other mark is T = 1.",
                ("temperature T", "mean log loss, nats"),
                points,
                line,
            ),
        ],
        tables=calibration_tables(report)[1:],
        steps=[f"{report.folds} stratified folds, seed {report.seed}", f"objective: {report.objective}"],
    )


def calibration_tables(report: CalibrationReport) -> list[Table]:
    """Make the tables of a report: before and after, and the methods where several were compared."""
    text, named = "On held-out rows.", {"before": report.before, f"after ({report.method})": report.after}
    pair = [(name, *map(number, astuple(figures))) for name, figures in named.items()]
    tables = [table("held-out", "On held-out rows", text, ("probabilities", *TITLES), pair)]
    if report.compared:
        compared = [(one.method, *map(number, (*astuple(one.figures), one.behind))) for one in report.compared]
        tables.append(table("methods", "Methods", text, ("method", *TITLES, "behind the best"), compared))
    return tables


def _reliability(
    identity: str, title: str, log_p: NDArray[np.floating], labels: NDArray[np.integer], which: str = ""
) -> Chart:
    text = f"Accuracy against confidence in 15 bins of equal width; the marks should lie on the dashed line.{which}"
    return reliability_chart(text, _listed(bins_of(log_p, labels)), identity)._replace(title=title)
