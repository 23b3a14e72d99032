"""A calibration takes the place of z/T in a transform, and refuses what it was not fitted for."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from softmax_cli.calibration.calibration import Calibration, ChosenThreshold, Figures, FitRecord, Scaled
from softmax_cli.errors import DataError, UsageError
from softmax_cli.numeric.calibrators import by_name, names
from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators.temperature import Temperature
from softmax_cli.prediction.prediction_sets import Nonconformity, SetRule
from softmax_cli.prediction.scorer import Adjustment, Scoring, Term, Truncation
from softmax_cli.prediction.steps import Clip

RNG = np.random.default_rng(2)
LABELS = np.repeat([0, 1, 2], 40)
Z = RNG.normal(size=(120, 3)) + 2 * np.eye(3)[LABELS]
LOG_W = np.log([1.0, 4.0, 0.5])
TERM = Term("--class-weights", "+ log w", LOG_W, "")
FIGURES = Figures(1.0, 1.0, 0.1)
RECORD = FitRecord("v.csv", "sha256:0", 120, "logits", "nll", 5, 0, FIGURES, FIGURES)
RULE = SetRule(Nonconformity("lac"), 0.9, np.array([0.4]), 120)


@pytest.mark.parametrize("name", names())
def test_after_remedies_and_before_weights(name):
    calibrator = by_name(name).fit(Examples.checked(Z, LABELS))
    scoring = Scoring(Adjustment(1.0, (TERM,), (Clip(-1, 1),), Scaled(calibrator)), emit=("prob",))
    p = pickle.loads(pickle.dumps(scoring))(Z.copy()).values["prob"]
    np.testing.assert_allclose(p, softmax(calibrator.log_p(np.clip(Z, -1, 1)) + LOG_W, axis=1), rtol=1e-12)
    rows = np.concatenate([scoring(Z[[row]]).values["prob"] for row in range(len(Z))])
    assert np.array_equal(p, rows)


def test_a_temperature_equals_the_option():
    by_option = Scoring(Adjustment(1.7, (TERM,)))(np.asfortranarray(Z)).values["prob"]
    by_file = Scoring(Adjustment(1.0, (TERM,), (), Scaled(Temperature(1.7))))(np.asfortranarray(Z)).values["prob"]
    np.testing.assert_allclose(by_file, by_option, rtol=1e-12)


def test_sets_are_judged_before_truncation():
    scoring = Scoring(truncation=Truncation(top_p=0.5), sets=RULE)
    sets = scoring(Z.copy()).sets
    assert np.array_equal(sets, RULE(log_softmax(Z, axis=1)))


def calibration(**known):
    return Calibration(Temperature(2.0), ("cat", "dog", "cow"), RECORD, **known)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("cat", "dog"), "lacks 'cow'"),
        (("cat", "dog", "cow", "owl"), "does not know 'owl'"),
        (("cat", "dog", "owl"), "lacks 'cow', and the calibration does not know 'owl'; .*--logits"),
        (("dog", "cat", "cow"), "another order"),
    ],
)
def test_other_classes_are_refused(classes, words):
    with pytest.raises(DataError, match=words):
        calibration().check_classes(classes)


def test_the_same_classes_pass():
    calibration().check_classes(("cat", "dog", "cow"))


@pytest.mark.parametrize("name", names())
def test_probabilities_in_the_place_of_logits(name):
    """Refused exactly where they would give other results."""
    calibrator = by_name(name).fit(Examples.checked(Z, LABELS))
    fitted = replace(calibration(), calibrator=calibrator)
    fitted.check_kind("logits")
    if np.allclose(calibrator.log_p(Z), calibrator.log_p(log_softmax(Z, axis=1))):
        fitted.check_kind("prob")
    else:
        with pytest.raises(DataError, match=f"{name} was fitted to logits"):
            fitted.check_kind("prob")


def test_other_remedies_are_refused():
    with pytest.raises(UsageError, match="with no remedy and applied with clip"):
        calibration().check_remedies((Clip(-1, 1),))
    calibration().check_remedies(())


@pytest.mark.parametrize(
    ("known", "kind"), [({"sets": RULE}, "conformal"), ({"abstention": ChosenThreshold(0.5, 0, 1, "", 9)}, "abstain")]
)
def test_a_threshold_holds_for_its_weights_only(known, kind):
    with pytest.raises(UsageError, match=kind):
        calibration(**known).check_terms((TERM,))
    with pytest.raises(UsageError, match=kind):
        calibration(**known, bias=LOG_W).check_terms(())
    calibration(**known, bias=LOG_W).check_terms((TERM,))
    calibration(**known).check_terms(())
    calibration().check_terms((TERM,))
