"""The report of a calibration: its values are those of the fit, and each way to show it says the same."""

import io
import json
import math
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from softmax_cli.calibration.calibration import Figures
from softmax_cli.calibration.fit import Job, Setting, best_method, calibrate, ece_grid, one_method, unfitted
from softmax_cli.calibration.labelled_rows import LabelledRows
from softmax_cli.calibration.pictures import (
    TEMPERATURES,
    bins_of,
    calibration_page,
    losses,
    write_calibration_plots,
)
from softmax_cli.calibration.report import calibration_report, verdict
from softmax_cli.calibration.screen import show_calibration
from softmax_cli.calibration.thresholds import MinCoverage
from softmax_cli.prediction.prediction_sets import Nonconformity, SetRequest
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.stream.outputs import json_bytes
from softmax_cli.tables.labels import LabelReading
from softmax_cli.terminal.console import make_console

RNG = np.random.default_rng(4)
LABELS = RNG.integers(0, 3, 120)
Z = 3 * (RNG.normal(size=(120, 3)) + 1.2 * np.eye(3)[LABELS])
NAMES = ("cat", "dog", "[red]\x1b")


ROWS = LabelledRows(Z, LABELS, 0, LabelReading(), KindCheck())


def reported(plan, coverage=0.8, per_class=False, z=Z, labels=LABELS, left_out=2):
    rows = LabelledRows(z, labels, left_out, LabelReading(), KindCheck())
    sets = SetRequest(Nonconformity("lac"), coverage, per_class)
    found, fitted = calibrate(rows, Job(plan, 4, 9, sets, MinCoverage(0.5)), Setting("v.csv", "logits", NAMES))
    return calibration_report(rows, found, fitted), found, fitted


@pytest.fixture(scope="module")
def temperature():
    return reported(partial(one_method, method="temperature"))[0]


@pytest.fixture(scope="module")
def best():
    return reported(best_method)[0]


def shown(report, width=80, encoding="utf-8"):
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    console = make_console(stream, "never")
    console.width = width
    show_calibration(console, report)
    stream.flush()
    return stream.buffer.getvalue().decode(encoding)


def test_the_values_are_those_of_the_fit():
    report, found, fitted = reported(partial(one_method, method="temperature"))
    assert (report.source, report.rows, report.left_out, report.classes) == ("v.csv", 120, 2, 3)
    assert (report.method, report.objective, report.folds, report.seed) == ("temperature", "nll", 4, 9)
    low, high = report.interval
    assert low < found.calibrator.temperature < high
    assert report.before == Figures.of(fitted.before)
    assert report.after.nll < report.before.nll
    assert report.gain_error == fitted.cross_validation.gain_error
    assert (report.sets.score, report.sets.coverage, report.sets.rows) == ("lac", 0.8, 120)
    assert report.sets.thresholds == tuple(found.sets.threshold)
    assert report.abstention == found.abstention


def test_a_comparison_names_the_best_first(best):
    assert best.compared[0].method == best.method
    behind = [one.behind for one in best.compared]
    assert behind == sorted(behind)
    assert behind[0] == 0
    assert set(best.simpler) <= {one.method for one in best.compared}


def test_json_has_no_infinity(best):
    impossible = replace(best.compared[-1], figures=replace(best.compared[-1].figures, nll=math.inf))
    told = json.loads(json_bytes(replace(best, compared=(*best.compared[:-1], impossible)).to_json()))
    assert told["compared"][-1]["figures"]["nll"] is None
    assert told["sets"]["coverage"] == 0.8


def test_too_few_rows_for_the_promise():
    few, _, _ = reported(unfitted, coverage=0.99, z=Z[:20], labels=LABELS[:20])
    assert few.warnings[-1] == (
        "20 rows cannot promise a coverage of 0.99: every set holds every class; at least 99 rows are needed"
    )
    labels = np.repeat([0, 1, 2], [100, 18, 2])
    short, _, _ = reported(unfitted, per_class=True, labels=labels)
    assert short.warnings[-1].endswith("at least 4 rows of its own for its threshold: [red]\x1b (2 rows)")


@pytest.mark.parametrize("width", [80, 132])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_every_line_fits(best, width, encoding):
    text = shown(best, width, encoding)
    assert max(map(len, text.splitlines())) <= width
    assert text.isascii() == (encoding == "ascii")
    assert "\x1b" not in text


def test_the_screen(temperature):
    text = shown(temperature)
    lines = [line.split() for line in text.splitlines()]
    assert text.startswith("v.csv: 120 rows, 2 bad rows left out\nBetter on held-out rows: log loss falls ")
    assert "\ntemperature: z/T, T = " in text
    for name, figures in (("before", temperature.before), ("after", temperature.after)):
        assert [name, f"{figures.nll:.5f}", f"{figures.brier:.5f}", f"{figures.ece:.5f}"] in lines
    assert "On held-out rows, 4 stratified folds, seed 9" in text
    threshold = f"{temperature.sets.thresholds[0]:.5f}"
    assert f"cover 0.8 of rows; threshold {threshold}, from 120 rows" in " ".join(text.split())
    assert f"{temperature.abstention.coverage:.2%} are answered" in " ".join(text.split())


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (unfitted, "On these rows, which nothing was fitted to"),
        (ece_grid, "--objective ece-grid: the T of 0.1, 0.2 .. 10"),
        (best_method, "All methods, on the same 4 folds"),
    ],
)
def test_the_screen_says_how_it_was_found(plan, words):
    assert words in " ".join(shown(reported(plan)[0]).split())


def test_the_verdict_says_what_came_of_it(temperature):
    """First in words: whether it helps, on which rows, and what the thresholds promise."""
    before, after = temperature.before, temperature.after
    first, sets, answers = verdict(temperature)
    assert first == (
        f"Better on held-out rows: log loss falls from {before.nll:.4f} to {after.nll:.4f} (by "
        f"{before.nll - after.nll:.2g}, standard error {temperature.gain_error:.2g}) and ECE from {before.ece:.4f} to "
        f"{after.ece:.4f}."
    )
    assert sets == f"Sets of {temperature.sets.mean_size:.3g} of 3 classes cover 80% of rows."
    assert answers.startswith(f"{temperature.abstention.coverage:.1%} of rows are answered")
    plain = replace(temperature, sets=None, abstention=None)
    assert verdict(replace(plain, after=before)) == [
        "No gain by temperature on held-out rows: the probabilities stay as they are."
    ]
    (worse,) = verdict(replace(plain, before=after, after=before))
    assert worse.startswith("Worse than before: log loss rises from ")
    assert verdict(reported(unfitted)[0])[0] == "Nothing was fitted: the probabilities stay as they are."
    (rises,) = verdict(replace(plain, before=replace(before, ece=0.0)))
    assert f"and ECE rises from 0.0000 to {after.ece:.4f}." in rises


def test_the_screen_names_what_could_not_be_fitted(best):
    refused = replace(best, refused=(("matrix", "too many classes"),), simpler=("bcts",))
    assert "matrix cannot be fitted: too many classes" in shown(refused)
    assert "within one standard error of the best, and simpler: bcts" in shown(refused)


def test_the_loss_is_least_where_the_fit_is():
    drawn = losses(Z, LABELS)
    direct = [-log_softmax(Z / t, axis=1)[np.arange(120), LABELS].mean() for t in TEMPERATURES]
    np.testing.assert_allclose(drawn, direct, rtol=1e-12)
    _, found, _ = reported(partial(one_method, method="temperature"))
    step = TEMPERATURES[1] / TEMPERATURES[0]
    assert 1 / step < TEMPERATURES[drawn.argmin()] / found.calibrator.temperature < step


def test_the_bins_hold_every_row():
    bins = bins_of(log_softmax(Z, axis=1), LABELS)
    assert bins.count.sum() == 120
    accuracy = (Z.argmax(axis=1) == LABELS).mean()
    assert (bins.count * np.nan_to_num(bins.accuracy)).sum() / 120 == pytest.approx(accuracy)


def test_the_page_and_the_plot(temperature, tmp_path):
    pytest.importorskip("jinja2")
    after = log_softmax(Z / 2, axis=1)
    page = calibration_page(temperature, ROWS, after, "softmax-cli calibrate v.csv").decode()
    data = json.loads(re.search(r'type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    charts = {chart["id"]: chart for chart in data["charts"]}
    assert [*charts] == ["before", "after", "loss"]
    assert sum(one["rows"] for one in charts["after"]["bins"]) == 120
    best = minimize_scalar(lambda u: float(losses(Z, LABELS, np.exp([u]))[0]), bounds=(-2, 3))
    mark = min(charts["loss"]["points"], key=lambda point: point["y"])
    assert (mark["x"], mark["y"]) == (pytest.approx(np.exp(best.x), rel=2e-3), pytest.approx(best.fun, rel=1e-5))
    assert f"log loss falls from {temperature.before.nll:.4f} to {temperature.after.nll:.4f} (by" in page
    pytest.importorskip("matplotlib")
    write_calibration_plots(temperature, ROWS, after, str(tmp_path / "c.svg"), force=False)
    drawn = (tmp_path / "c.svg").read_text("utf-8")
    assert f"ECE {bins_of(after, LABELS).error():.4f}" in drawn
    assert "After (temperature, held-out rows)" in drawn
