"""The fold of ``evaluate``: batches add up to the whole to the last bit, and its figures are those of scikit-learn."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn import metrics

from softmax_cli.errors import DataError, UsageError
from softmax_cli.evaluation.labelled import LabelledScorer
from softmax_cli.evaluation.measure import MOST_SLICES, Measured, resample
from softmax_cli.evaluation.report import build_report
from softmax_cli.numeric.metrics import Plan, definitions
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.scorer import Scoring
from softmax_cli.prediction.transform import build_transform
from softmax_cli.stream.outputs import json_bytes
from softmax_cli.tables.arrays import from_arrow
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import ClassLookup, OwnTruth
from softmax_cli.tables.table import Decoded, Place

CLASSES = ("cat", "dog", "bird", "fish")
COLUMNS = Columns(CLASSES, CLASSES, "logits", label="y", others=("y", "source"))
TRANSFORM = build_transform(COLUMNS, Scoring(emit=("logprob",)), Layout("list"), "float64", "error")
SCORER = LabelledScorer(TRANSFORM, OwnTruth("y", ClassLookup.of(COLUMNS)), "source")
PLAN = Plan(top_k=(2,), replicates=40, seed=7)


def decoded(z, labels, source=None, first=0):
    columns = {name: pa.array(z[:, place]) for place, name in enumerate(CLASSES)}
    columns["y"] = pa.array([CLASSES[label] for label in labels], pa.string())
    columns["source"] = pa.array([str(row % 3) for row in range(len(z))] if source is None else source, pa.string())
    return Decoded(from_arrow(pa.record_batch(columns)), lambda row, column: Place(f"row {first + row + 1}", "", ""))


def example(rows, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2, (rows, len(CLASSES)))
    labels = np.where(rng.random(rows) < 0.6, z.argmax(axis=1), rng.integers(0, len(CLASSES), rows))
    return z, labels


def measured(cuts, z, labels, sources):
    edges = [0, *sorted(cuts), len(z)]
    whole, draws, first_row = None, None, 0
    for start, end in itertools.pairwise(edges):
        labelled = SCORER(decoded(z[start:end], labels[start:end], sources[start:end], start))
        part, drawn = Measured.of(PLAN, labelled), resample(PLAN, labelled.rows, first_row)
        whole = part if whole is None else whole.plus(part)
        draws = drawn if draws is None else draws.plus(drawn)
        first_row += len(labelled.rows)
    return build_report("t", SCORER, PLAN, whole, draws, len(z), [])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=4), st.integers(0, 5))
def test_every_cut_gives_the_same_report(cuts, seed):
    """Intervals, slices, bins, classes and all, to the last digit; empty batches too."""
    z, labels = example(60, seed)
    sources = ["b", None, "a", "c"] * 15
    parted, whole = measured(cuts, z, labels, sources), measured([], z, labels, sources)
    assert json_bytes(parted.to_json()) == json_bytes(whole.to_json())


def figures(z, labels, plan=PLAN):
    whole = Measured.of(plan, SCORER(decoded(z, labels))).whole
    return {figure.name: figure.value(whole) for figure in definitions(plan)}


@pytest.mark.parametrize("seed", range(3))
def test_scikit_learn_agrees(seed):
    z, labels = example(400, seed)
    log_p = log_softmax(z, axis=1)
    p, predicted, everyone = np.exp(log_p), z.argmax(axis=1), range(len(CLASSES))
    found = figures(z, labels)
    assert found["accuracy"] == metrics.accuracy_score(labels, predicted)
    assert found["error"] == pytest.approx(metrics.zero_one_loss(labels, predicted), abs=1e-15)
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(labels, predicted), abs=1e-15)
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(labels, predicted, average="macro"), abs=1e-15)
    assert found["top_2_accuracy"] == metrics.top_k_accuracy_score(labels, p, k=2, labels=everyone)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(labels, p, labels=everyone), rel=1e-13)
    brier = sum(metrics.brier_score_loss(labels == k, p[:, k]) for k in everyone)
    assert found["brier"] == pytest.approx(brier, rel=1e-13)
    auroc = metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro", labels=everyone)
    assert found["macro_auroc"] == pytest.approx(auroc, abs=1e-12)


@pytest.mark.parametrize(("norm", "name"), [("l1", "ece"), ("l2", "rmsce"), ("max", "mce")])
def test_ece_as_torch_users_know_it(norm, name):
    """Written anew from its definition: weighted gaps over bins between the edges 0, 1/n, ... 1."""
    z, labels = example(1000)
    p = np.exp(log_softmax(z, axis=1))
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    gaps, weights = [], []
    for low, high in zip(np.linspace(0, 1, 11)[:-1], np.linspace(0, 1, 11)[1:], strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gaps.append(abs(right[inside].mean() - confidence[inside].mean()))
            weights.append(inside.mean())
    expected = {"l1": np.dot(weights, gaps), "l2": np.sqrt(np.dot(weights, np.square(gaps))), "max": max(gaps)}[norm]
    asked = figures(z, labels, replace(PLAN, bins=10, norm=norm))
    assert asked["ece"] == asked[name] == pytest.approx(expected, rel=1e-12)


def test_refinement_and_calibration_add_up_to_the_log_loss():
    found = figures(*example(500))
    assert found["refinement"] + found["calibration_loss"] == pytest.approx(found["log_loss"], abs=1e-12)
    assert found["calibration_loss"] > 0.01


@pytest.mark.parametrize(
    ("kind", "scheme", "same"),
    [("top-label", "mass", "mass_ece"), ("classwise", "width", "classwise_ece")],
)
def test_the_ece_that_was_asked_for_is_the_one_of_that_name(kind, scheme, same):
    z, labels = example(300)
    asked = figures(z, labels, replace(PLAN, kind=kind, scheme=scheme))
    assert asked["ece"] == asked[same] == figures(z, labels)[same]
    assert asked["ece"] <= asked["rmsce"] <= asked["mce"]


def test_abstaining_answers_the_surest_rows():
    z, labels = example(200)
    confidence, right = np.exp(log_softmax(z, axis=1)).max(axis=1), z.argmax(axis=1) == labels
    found = figures(z, labels, replace(PLAN, answer_from=0.7))
    answered = confidence >= 0.7
    assert found["answered"] == answered.mean()
    assert found["answered_error"] == pytest.approx((~right[answered]).mean(), abs=1e-15)


def test_a_column_of_ids_is_no_column_of_slices():
    rows = MOST_SLICES + 1
    z, labels = example(rows)
    labelled = SCORER(decoded(z, labels, [str(row) for row in range(rows)]))
    part = Measured.of(PLAN, labelled)
    with pytest.raises(UsageError, match="more than 100 values"):
        part.plus(Measured.of(PLAN, SCORER(decoded(z[:0], labels[:0]))))


def test_rows_without_a_slice_have_one_of_their_own():
    z, labels = example(4)
    labelled = SCORER(decoded(z, labels, ["x", None, "", "x"]))
    assert {name: rows.tolist() for name, rows in labelled.slices.items()} == {"x": [0, 3], "(none)": [1, 2]}


def test_a_bad_row_is_refused_or_left_out():
    z, labels = example(5)
    z[2, 1] = np.nan
    with pytest.raises(DataError, match="row 3: column 'dog'"):
        SCORER(decoded(z, labels))
    lenient = replace(SCORER, transform=replace(TRANSFORM, on_bad_row="skip"))
    labelled = lenient(decoded(z, labels))
    assert (labelled.read, len(labelled.rejects), labelled.rows.labels.tolist()) == (
        5,
        1,
        np.delete(labels, 2).tolist(),
    )
    assert labelled.rows.log_p == pytest.approx(log_softmax(np.delete(z, 2, axis=0), axis=1))
