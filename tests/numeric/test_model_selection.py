"""Folds, cross-validation, choice and verdict: judged on rows that were not fitted."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.numeric.calibrators._examples import AbsentClasses, Examples
from softmax_cli.numeric.calibrators._folds import stratified_folds
from softmax_cli.numeric.calibrators.isotonic import Isotonic
from softmax_cli.numeric.calibrators.temperature import IDENTITY, Temperature
from softmax_cli.numeric.calibrators.vector import Vector
from softmax_cli.numeric.metrics._bins import top_label_ece
from softmax_cli.numeric.model_selection import RowScores, cross_validated, paired_error, select, verdict


def overconfident(rows=1000, classes=4, factor=3.0, seed=0):
    """Logits `factor` times as large as those that the labels were drawn from."""
    random = np.random.default_rng(seed)
    z = random.normal(size=(rows, classes))
    return factor * z, (z + random.gumbel(size=z.shape)).argmax(axis=1)


@given(labels=hnp.arrays(int, st.integers(5, 60), elements=st.integers(0, 5)), seed=st.integers(0, 9))
def test_folds_spread_every_class(labels, seed):
    fold_of = stratified_folds(labels, 5, seed)
    assert np.ptp(np.bincount(fold_of, minlength=5)) <= 1
    for label in np.unique(labels):
        assert np.ptp(np.bincount(fold_of[labels == label], minlength=5)) <= 1
    np.testing.assert_array_equal(stratified_folds(labels, 5, seed), fold_of)
    np.testing.assert_array_equal(stratified_folds(7 - labels, 5, seed), fold_of)


def test_folds_follow_the_seed():
    labels = np.arange(100) % 3
    assert (stratified_folds(labels, 5, 0) != stratified_folds(labels, 5, 1)).any()


@pytest.mark.parametrize("folds", [1, 4])
def test_impossible_folds_are_refused(folds):
    with pytest.raises(ValueError, match=f"{folds} folds of 3 rows"):
        stratified_folds(np.zeros(3, int), folds, 0)


def test_every_row_is_scored_by_a_fit_that_did_not_see_it():
    """The same by hand, fold by fold."""
    z, labels = overconfident()
    result = cross_validated(Temperature.fit, Examples.checked(z, labels), seed=3)
    fold_of = stratified_folds(labels, 5, 3)
    expected = np.empty(len(labels))
    for fold in range(5):
        kept = fold_of != fold
        temperature = Temperature.fit(Examples.checked(z[kept], labels[kept])).temperature
        held_out = log_softmax(z[~kept] / temperature, axis=1)
        expected[~kept] = -held_out[np.arange((~kept).sum()), labels[~kept]]
    np.testing.assert_allclose(result.row_scores.nll, expected, rtol=1e-9)
    before = -log_softmax(z, axis=1)[np.arange(len(labels)), labels]
    assert result.after.nll == pytest.approx(expected.mean(), rel=1e-12)
    assert result.before.nll == pytest.approx(before.mean(), rel=1e-12)
    paired = np.std(before - expected) / math.sqrt(len(labels))
    assert result.gain_error == pytest.approx(paired, rel=1e-9)
    assert (result.method, result.folds, result.seed, result.rows) == ("temperature", 5, 3, 1000)


def test_scores_by_hand():
    """Two rows (0.8, 0.2) with truths 0 and 1: Brier 0.08 and 1.28, ECE |0.8 - 0.5|."""
    scores = RowScores.of(np.log([[0.8, 0.2], [0.8, 0.2]]), np.array([0, 1]))
    mean = scores.mean(np.array([0.5, 0.5]))
    assert mean.nll == pytest.approx(-(math.log(0.8) + math.log(0.2)) / 2)
    assert mean.brier == pytest.approx(0.68)
    assert mean.ece == pytest.approx(0.3)
    assert scores.mean(np.array([1.0, 0.0])).ece == pytest.approx(0.2)


def test_bins_are_open_below_and_closed_above():
    weights, right = np.array([0.5, 0.5]), np.array([True, False])
    assert top_label_ece(np.array([0.5, 0.500001]), right, weights, bins=2) == pytest.approx(0.5, abs=1e-5)
    assert top_label_ece(np.array([0.5, 0.499999]), right, weights, bins=2) == pytest.approx(0, abs=1e-5)
    assert top_label_ece(np.array([0.0, 0.4]), right, weights, bins=2) == pytest.approx(0.3)


def test_error_of_an_infinite_difference_is_infinite():
    sure = RowScores.of(np.array([[0.0, -np.inf]]), np.array([1]))
    assert paired_error(sure, sure, np.ones(1)) == math.inf


class Certain(Isotonic):
    """Isotonic regression down to 0: what a file of another program may hold."""

    @classmethod
    def fit(cls, examples):
        found = Isotonic.fit(examples)
        return cls(found.knots, tuple(np.where(levels == levels[0], 0, levels) for levels in found.levels))


def test_a_method_that_says_0_says_how_many_rows_it_held_impossible():
    z, labels = overconfident(rows=200)
    result = cross_validated(Certain.fit, Examples.checked(z, labels))
    assert result.impossible_rows > 0
    assert result.after.nll == math.inf
    assert not result.improves
    said = verdict(result, Certain.fit, Examples.checked(z, labels))
    assert said.calibrator == IDENTITY
    assert any(f"probability 0 to the true class of {result.impossible_rows}" in line for line in said.warnings)


def test_a_class_of_one_row_is_refused_with_the_fold():
    z, labels = overconfident(rows=50)
    labels = np.where(labels == 3, 0, labels)
    labels[17] = 3
    with pytest.raises(AbsentClasses, match=r"none of the rows outside fold \d is labelled with the classes at 3,"):
        cross_validated(Isotonic.fit, Examples.checked(z, labels))


def test_a_class_of_no_row_is_refused_for_all_rows():
    z, labels = overconfident(rows=50)
    with pytest.raises(AbsentClasses, match="none of the rows to fit to"):
        cross_validated(Isotonic.fit, Examples.checked(z, np.where(labels == 3, 0, labels)))


def test_refusal_of_a_fold_says_which():
    z, labels = np.eye(2)[np.zeros(9, int)], np.zeros(9, int)
    labels[4] = 1  # the one row that is not separated
    with pytest.raises(ValueError, match=r"the rows outside fold \d: perfectly separated"):
        cross_validated(Temperature.fit, Examples.checked(z, labels), folds=3)


def test_the_method_that_made_the_labels_wins():
    random = np.random.default_rng(5)
    z = 2 * random.normal(size=(3000, 3))
    labels = (z * [0.3, 1.0, 2.0] + [1.0, 0.0, -1.0] + random.gumbel(size=z.shape)).argmax(axis=1)
    chosen = select(
        Examples.checked(z, labels),
        {Temperature.name: Temperature.fit, Vector.name: Vector.fit, Isotonic.name: Isotonic.fit},
    )
    assert [entry.cross_validation.method for entry in chosen.ranked] == ["vector", "isotonic", "temperature"]
    assert chosen.best.free_parameters == 5
    first, second, _ = chosen.ranked
    assert (first.behind, first.behind_error) == (0, 0)
    assert second.behind > 5 * second.behind_error
    assert chosen.simpler == ()


def test_a_simpler_method_within_one_error_is_named_and_does_not_win():
    """Labels from one temperature: in one of several draws vector scaling leads by chance alone."""
    for seed in range(20):
        z, labels = overconfident(rows=300, classes=3, seed=seed)
        chosen = select(Examples.checked(z, labels), {Temperature.name: Temperature.fit, Vector.name: Vector.fit})
        if chosen.best.method == "vector" and chosen.ranked[1].behind <= chosen.ranked[1].behind_error:
            assert chosen.simpler == ("temperature",)
            return
    pytest.fail("vector scaling never led")


def test_refused_methods_keep_their_reason():
    z, labels = overconfident(rows=90)
    labels = np.where(labels == 3, 0, labels)
    chosen = select(Examples.checked(z, labels))
    assert {refusal.method for refusal in chosen.refused} == {
        "centred-isotonic", "histogram", "isotonic", "venn-abers",
    }  # fmt: skip
    assert all(refusal.reason.classes == (3,) for refusal in chosen.refused)
    with pytest.raises(ValueError, match="isotonic: none of the rows"):
        select(Examples.checked(z, labels), {Isotonic.name: Isotonic.fit})


def test_verdict_takes_what_helps():
    z, labels = overconfident()
    said = verdict(
        cross_validated(Temperature.fit, Examples.checked(z, labels)), Temperature.fit, Examples.checked(z, labels)
    )
    assert said.kept
    assert said.calibrator == Temperature.fit(Examples.checked(z, labels))
    assert said.warnings == ()


def test_verdict_leaves_calibrated_logits_alone():
    """Of logits that were right from the start, about half of the draws do not improve."""
    kept = set()
    for seed in range(8):
        z, labels = overconfident(rows=200, factor=1.0, seed=seed)
        result = cross_validated(Temperature.fit, Examples.checked(z, labels))
        said = verdict(result, Temperature.fit, Examples.checked(z, labels))
        assert said.kept == (result.after.nll < result.before.nll)
        assert (said.calibrator == IDENTITY) is not said.kept
        assert any("T stays 1" in line for line in said.warnings) is not said.kept
        kept.add(said.kept)
    assert kept == {True, False}


def test_verdict_warns_that_ece_rose(real_data):
    """Known of this network: its best temperature lowers log loss and raises ECE (test rows: 0.0389 to 0.0675)."""
    from pyarrow import parquet

    table = parquet.read_table(real_data("magika_filetypes/magika_logits.parquet"))
    columns = [name for name in table.column_names if name not in ("id", "split", "label")]
    rows = np.array([split == "val" for split in table["split"].to_pylist()])
    z = np.column_stack([np.asarray(table[name].combine_chunks()) for name in columns])[rows]
    labels = np.array([columns.index(label) for label in table["label"].to_pylist()])[rows]
    said = verdict(
        cross_validated(Temperature.fit, Examples.checked(z, labels)), Temperature.fit, Examples.checked(z, labels)
    )
    assert said.kept
    assert "log loss fell while ECE rose" in said.warnings[0]


def test_paper_objective_can_be_judged_too():
    z, labels = overconfident()
    result = cross_validated(Temperature.fit_ece_grid, Examples.checked(z, labels))
    assert result.improves
    assert result.method == "temperature"


def test_scipy_loads_only_when_something_is_fitted():
    script = (
        "import sys, numpy; from softmax_cli.numeric.calibrators import by_name, names\n"
        "for name in names(): by_name(name)\n"
        "by_name('bcts').from_parameters({'temperature': 2.0, 'bias': [0.0, 1.0]}).log_p(numpy.zeros((2, 2)))\n"
        "assert not {'scipy', 'pandas'} & set(sys.modules), 'loaded'\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
