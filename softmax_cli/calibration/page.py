"""``calibrate --report``: the report as one HTML page."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from softmax_cli.calibration.figures import TEMPERATURES, bins_of, least_loss, losses
from softmax_cli.calibration.report import CalibrationReport, verdict
from softmax_cli.numeric.softmax import log_softmax
from softmax_cli.page.report import Chart, Table, Tile, curve_chart, number, reliability_chart, report_page, table

LOSS_AXES = ("temperature T", "mean log loss, nats")


def calibration_page(
    report: CalibrationReport,
    z: NDArray[np.float64],
    after: NDArray[np.float64],
    labels: NDArray[np.integer],
    command: str,
) -> bytes:
    """Make the page; the arrays are those of `write_calibration_plots`."""
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
            for title, old, new in (
                ("log loss", report.before.nll, report.after.nll),
                ("Brier score", report.before.brier, report.after.brier),
                ("ECE", report.before.ece, report.after.ece),
            )
        ],
        charts=[
            _reliability("before", "Before", log_softmax(z), labels),
            _reliability("after", f"After ({report.method})", after, labels, " Of rows that the fit has not seen."),
            curve_chart(
                "loss",
                "Loss against the temperature",
                f"The least, {least:.4f} nats, is at T = {least_t:.3g}; the other mark is T = 1.",
                LOSS_AXES,
                points,
                line,
            ),
        ],
        tables=calibration_tables(report)[1:],
        steps=[f"{report.folds} stratified folds, seed {report.seed}", f"objective: {report.objective}"],
    )


def calibration_tables(report: CalibrationReport) -> list[Table]:
    """Make the tables of a report: before and after, and the methods where several were compared."""
    text, columns = "On held-out rows.", ("log loss", "Brier", "ECE")
    pair = [
        (name, *map(number, (figures.nll, figures.brier, figures.ece)))
        for name, figures in (("before", report.before), (f"after ({report.method})", report.after))
    ]
    tables = [table("held-out", "On held-out rows", text, ("probabilities", *columns), pair)]
    compared = [
        (one.method, *map(number, (one.figures.nll, one.figures.brier, one.figures.ece, one.behind)))
        for one in report.compared
    ]
    if compared:
        tables.append(table("methods", "Methods", text, ("method", *columns, "behind the best"), compared))
    return tables


def _reliability(
    identity: str, title: str, log_p: NDArray[np.floating], labels: NDArray[np.integer], which: str = ""
) -> Chart:
    found = bins_of(log_p, labels)
    columns = (found.lower, found.upper, found.count, found.confidence, found.accuracy)
    bins = list(zip(*(column.tolist() for column in columns), strict=True))
    text = f"Accuracy against confidence in 15 bins of equal width; the marks should lie on the dashed line.{which}"
    return reliability_chart(text, bins, identity)._replace(title=title)
