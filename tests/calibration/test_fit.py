"""Thresholds come from rows that the calibrator which scored them has not seen, after weights and priors."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from softmax_cli.calibration.fit import Job, Setting, best_method, calibrate, ece_grid, one_method, unfitted
from softmax_cli.calibration.labelled_rows import LabelledRows
from softmax_cli.calibration.thresholds import MinCoverage
from softmax_cli.errors import DataError
from softmax_cli.numeric.calibrators import by_name
from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators._folds import stratified_folds
from softmax_cli.prediction.prediction_sets import Nonconformity, SetRequest
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.prediction.scorer import Term
from softmax_cli.tables.labels import LabelReading

RNG = np.random.default_rng(4)
LABELS = RNG.integers(0, 3, 300)
Z = 3 * (RNG.normal(size=(300, 3)) + 1.2 * np.eye(3)[LABELS])
ROWS = LabelledRows(Z, LABELS, 0, LabelReading(), KindCheck())
LOG_W = np.log([1.0, 3.0, 0.5])
SETTING = Setting("t", "logits", ("a", "b", "c"), (), (Term("-w", "+ log w", LOG_W, ""),))
SETS = SetRequest(Nonconformity("lac"), 0.8)


@pytest.mark.parametrize("method", ["histogram", "temperature", "vector"])
@pytest.mark.parametrize("plan", ["one", "best"])
def test_held_out_rows_choose_the_threshold(method, plan, monkeypatch):
    if plan == "best":
        monkeypatch.setattr("softmax_cli.calibration.fit.names", lambda: (method,))
    job = Job(best_method if plan == "best" else partial(one_method, method=method), 4, 9, SETS, MinCoverage(0.5))
    found, fitted = calibrate(ROWS, job, SETTING)
    log_p, fold_of = np.empty(Z.shape), stratified_folds(LABELS, 4, 9)
    for fold in range(4):
        out = fold_of == fold
        fit = by_name(method).fit(Examples.checked(Z[~out], LABELS[~out]))
        log_p[out] = log_softmax(fit.log_p(Z[out]) + LOG_W, axis=1)
    true = np.sort(1 - np.exp(log_p[np.arange(300), LABELS]))
    assert found.sets.threshold == pytest.approx([true[int(np.ceil(301 * 0.8)) - 1]], rel=1e-12)
    assert found.abstention.rows == found.sets.rows == found.fit.rows == 300
    assert np.array_equal(found.bias, LOG_W)
    assert fitted.after.nll < fitted.before.nll
    whole = by_name(method).fit(Examples.checked(Z, LABELS))
    assert np.array_equal(found.calibrator.log_p(Z), whole.log_p(Z))


def test_a_calibrator_that_saw_no_row_uses_all_of_them():
    found, fitted = calibrate(ROWS, Job(unfitted, 5, 0, SETS), SETTING)
    true = np.sort(1 - np.exp(log_softmax(Z + LOG_W, axis=1)[np.arange(300), LABELS]))
    assert found.sets.threshold == pytest.approx([true[int(np.ceil(301 * 0.8)) - 1]], rel=1e-12)
    assert (fitted.objective, fitted.before) == ("none", fitted.after)


def test_without_thresholds_weights_do_not_matter():
    weighted, _ = calibrate(ROWS, Job(partial(one_method, method="temperature"), 5, 0), SETTING)
    plain, _ = calibrate(
        ROWS, Job(partial(one_method, method="temperature"), 5, 0), Setting("t", "logits", ("a", "b", "c"))
    )
    assert weighted.calibrator == plain.calibrator
    assert weighted.bias is None


def test_the_grid_keeps_its_temperature_and_says_when_it_does_not_help():
    found, fitted = calibrate(ROWS, Job(ece_grid, 5, 0), SETTING)
    assert found.calibrator.temperature * 10 == pytest.approx(round(found.calibrator.temperature * 10))
    assert (found.calibrator.interval, found.fit.objective, fitted.warnings) == (None, "ece-grid", ())


def test_the_hash_tells_rows_apart():
    other = LabelledRows(Z[::-1], LABELS, 0, LabelReading(), KindCheck())
    assert ROWS.hash != other.hash
    assert ROWS.hash == LabelledRows(np.asfortranarray(Z), LABELS.astype(np.int32), 3, LabelReading(), KindCheck()).hash


def test_a_class_without_a_row_is_named():
    rows = LabelledRows(Z, np.minimum(LABELS, 1), 0, LabelReading(), KindCheck())
    with pytest.raises(DataError, match=r"labelled c, .* --method temperature"):
        calibrate(rows, Job(partial(one_method, method="isotonic"), 5, 0), SETTING)


@given(st.lists(st.integers(0, 300), max_size=4), st.booleans())
def test_rows_joined_from_parts_are_the_rows(cuts, grouped):
    """And so is everything that is fitted to them: the hash says that not one bit differs."""
    edges = [0, *sorted(cuts), len(Z)]
    parts = [
        LabelledRows(Z[start:stop], LABELS[start:stop], 1, LabelReading(by_name="a"), KindCheck(stop - start, start))
        for start, stop in itertools.pairwise(edges)
    ]
    if grouped:
        parts = [parts[0], LabelledRows.joined(parts[1:], 3), LabelledRows.joined([], 3)]
    joined = LabelledRows.joined(parts, 3)
    assert joined.hash == ROWS.hash
    assert (joined.left_out, joined.reading) == (len(edges) - 1, LabelReading(by_name="a"))
    assert joined.kinds == KindCheck(len(Z), sum(edges[:-1]))


def test_no_row_is_refused():
    with pytest.raises(DataError, match="t: no row to fit to"):
        calibrate(LabelledRows.joined([], 3), Job(partial(one_method, method="temperature"), 4, 9), SETTING)
