"""Temperature: the laws of the minimum, the published and reference figures, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax

from softmax_cli.numeric.calibrators._examples import Examples
from softmax_cli.numeric.calibrators.temperature import IDENTITY, Temperature


def mean_nll(z, labels, temperature):
    return -log_softmax(z / temperature, axis=1)[np.arange(len(labels)), labels].mean()


def generated(rows=4000, classes=5, temperature=2.0, seed=0):
    """Labels drawn from softmax(z/T): the temperature that made them is known."""
    random = np.random.default_rng(seed)
    z = 3 * random.normal(size=(rows, classes))
    return z, (z / temperature + random.gumbel(size=z.shape)).argmax(axis=1)


@given(z=hnp.arrays(float, (12, 3), elements=st.floats(-20, 20)), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_no_temperature_nearby_has_less_loss(z, seed):
    labels = np.random.default_rng(seed).integers(0, 3, 12)
    try:
        best = Temperature.fit(Examples.checked(z, labels)).temperature
    except ValueError:
        return
    assume(1e-3 < best < 1e3)
    loss = mean_nll(z, labels, best)
    for factor in (0.5, 0.99, 1.01, 2):
        assert loss <= mean_nll(z, labels, best * factor) + 1e-12


@given(factor=st.floats(1e-2, 1e2))
@settings(deadline=None, max_examples=20)
def test_logits_times_a_factor_have_that_temperature(factor):
    z, labels = generated(rows=300)
    fitted = Temperature.fit(Examples.checked(factor * z, labels))
    assert fitted.temperature == pytest.approx(
        factor * Temperature.fit(Examples.checked(z, labels)).temperature, rel=1e-8
    )


@given(z=hnp.arrays(float, (5, 4), elements=st.integers(-50, 50)), temperature=st.floats(1e-3, 1e3))
def test_ranking_stays(z, temperature):
    np.testing.assert_array_equal(
        np.argsort(Temperature(temperature).log_p(z), axis=1, kind="stable"), np.argsort(z, axis=1, kind="stable")
    )


def test_temperature_that_made_the_labels_lies_in_the_interval_19_times_of_20():
    """Coverage of the 95 % interval; of 200 draws at least 180, which chance alone misses once in 4,000."""
    inside = 0
    for seed in range(200):
        low, high = Temperature.fit(Examples.checked(*generated(rows=400, seed=seed))).interval
        inside += low <= 2 <= high
    assert 180 <= inside < 200


def test_interval_is_as_wide_as_the_likelihood_ratio_says():
    """Where the model is true both intervals agree; 3.841 is the 95 % point of chi squared (1 degree of freedom)."""
    z, labels = generated(rows=20_000)
    fitted = Temperature.fit(Examples.checked(z, labels))
    for end in fitted.interval:
        rise = 2 * len(labels) * (mean_nll(z, labels, end) - mean_nll(z, labels, fitted.temperature))
        assert rise == pytest.approx(3.841, rel=0.1)


def test_interval_ignores_the_unit_of_the_weights():
    z, labels = generated(rows=500)
    weights = np.arange(500) % 7 + 1.0
    one, other = (
        Temperature.fit(Examples.checked(z, labels, weights)),
        Temperature.fit(Examples.checked(z, labels, 1000 * weights)),
    )
    assert one.interval == pytest.approx(other.interval, rel=1e-9)


def test_figures_do_not_depend_on_the_number_of_cores(monkeypatch):
    z, labels = generated(rows=40_000, classes=4)
    many = Temperature.fit(Examples.checked(z, labels))
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert Temperature.fit(Examples.checked(z, labels)) == many


def test_separated_rows_are_refused():
    with pytest.raises(ValueError, match="perfectly separated: the true class has the largest logit in all of 3 rows"):
        Temperature.fit(Examples.checked(np.eye(3), np.arange(3)))


def test_reversed_labels_are_refused():
    with pytest.raises(ValueError, match="worse than uniform"):
        Temperature.fit(Examples.checked(-np.eye(3), np.arange(3)))


def test_equal_logits_are_refused():
    with pytest.raises(ValueError, match="equal logits"):
        Temperature.fit(Examples.checked(np.full((4, 3), 2.5), np.array([0, 1, 2, 0])))


@pytest.mark.parametrize(
    ("z", "label", "message"),
    [
        ([1.0, math.nan], 0, "row 1 has nan"),
        ([1.0, math.inf], 0, "row 1 has nan or .inf"),
        ([1.0, -math.inf], 1, "row 1: its true class has probability 0"),
        ([1.0, 2.0], 2, "row 1: label 2 is none of the classes 0 to 1"),
        ([1.0, 2.0], -1, "row 1: label -1 is none"),
    ],
)
def test_faulty_rows_are_named(z, label, message):
    with pytest.raises(ValueError, match=message):
        Temperature.fit(Examples.checked(np.array([[0.0, 1.0], z]), np.array([0, label])))


@pytest.mark.parametrize(
    ("z", "labels", "weights", "message"),
    [
        (np.zeros((2, 1)), np.zeros(2, int), None, "one class"),
        (np.zeros((0, 3)), np.zeros(0, int), None, "no row"),
        (np.zeros((2, 3)), np.zeros(3, int), None, "rows, classes"),
        (np.zeros((2, 3)), np.zeros(2), None, "expected class indices"),
        (np.zeros((2, 3)), np.zeros(2, int), [1, -1], "0 or more"),
        (np.zeros((2, 3)), np.zeros(2, int), [1], "one for each of 2 rows"),
        (np.zeros((2, 3)), np.zeros(2, int), [0, 0], "no row"),
    ],
)
def test_faulty_shapes_are_named(z, labels, weights, message):
    with pytest.raises(ValueError, match=message):
        Temperature.fit(Examples.checked(z, labels, weights))


def test_masked_classes_and_huge_logits_do_no_harm():
    z, labels = generated(rows=300)
    masked = np.hstack([z, np.full((300, 1), -np.inf)])
    far = np.hstack([z, np.full((300, 1), -1e308)])
    expected = Temperature.fit(Examples.checked(z, labels)).temperature
    assert Temperature.fit(Examples.checked(masked, labels)).temperature == pytest.approx(expected, rel=1e-12)
    assert Temperature.fit(Examples.checked(far, labels)).temperature == pytest.approx(expected, rel=1e-12)


def test_temperature_above_0_only():
    with pytest.raises(ValueError, match="must be above 0"):
        Temperature.from_parameters({"temperature": 0.0})


def test_what_people_read():
    assert Temperature(1.5, (1.25, 1.8)).describe() == "z/T, T = 1.5 (95 % interval 1.25 to 1.8)"
    assert Temperature(1.1).describe() == "z/T, T = 1.1"
    assert (IDENTITY.free_parameters, Temperature(1.1).free_parameters) == (0, 1)


def test_ties_of_the_ece_grid_go_to_the_first():
    """One row that is always right with p = 1 has ECE 0 at 0.1 already, and at the temperatures after it."""
    assert Temperature.fit_ece_grid(Examples.checked(np.array([[900.0, 0.0]]), np.array([0]))) == Temperature(0.1)


def table(real_data, name):
    """Logits and labels of the validation rows."""
    if name.startswith("cifar10"):
        with np.load(real_data(f"{name}/{name}.npz")) as arrays:
            return arrays["val_logits"].astype(float), arrays["val_labels"]
    read = pq.read_table(real_data({"magika_filetypes": "magika_filetypes/magika_logits.parquet"}.get(name, name)))
    columns = [field.name for field in read.schema if field.name not in ("id", "split", "label")]
    held_out = np.array([split == "val" for split in read["split"].to_pylist()])
    z = np.column_stack([np.asarray(read[column].combine_chunks()) for column in columns]).astype(float)
    labels = [str(label) for label in read["label"].to_pylist()]
    labels = np.array([columns.index(label if label in columns else f"digit_{label}") for label in labels])
    return z[held_out], labels[held_out]


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("cifar10_resnet50_brier", "cifar10_resnet50_brier"),
        ("cifar10_wideresnet2610_flsd53", "cifar10_wideresnet2610_flsd53"),
        ("magika_filetypes", "magika_filetypes"),
        ("digits/digits_mlp_logits.parquet", "digits_mlp_logits"),
    ],
)
def test_temperatures_of_real_networks(real_data, name, reference):
    """Reference: computed by other code; the grid's T of the two CIFAR-10 networks is also printed in the paper."""
    wanted = json.loads(real_data("reference_metrics.json").read_text())[reference]
    z, labels = table(real_data, name)
    assert Temperature.fit(Examples.checked(z, labels)).temperature == pytest.approx(wanted["T_nll"], abs=1e-6)
    assert Temperature.fit_ece_grid(Examples.checked(z, labels)).temperature == wanted["T_ece_grid_0p1"]


def test_scores_after_calibration_on_real_rows(real_data):
    wanted = json.loads(real_data("reference_metrics.json").read_text())["cifar10_resnet50_brier"]
    with np.load(real_data("cifar10_resnet50_brier/cifar10_resnet50_brier.npz")) as arrays:
        calibrator = Temperature.fit(Examples.checked(arrays["val_logits"].astype(float), arrays["val_labels"]))
        log_p, labels = calibrator.log_p(arrays["test_logits"]), arrays["test_labels"]
    from softmax_cli.numeric.model_selection import RowScores

    scores = RowScores.of(log_p, labels).mean(np.full(len(labels), 1 / len(labels)))
    assert scores.nll == pytest.approx(wanted["test_at_T_nll"]["nll"], abs=1e-7)
    assert scores.brier == pytest.approx(wanted["test_at_T_nll"]["brier_sum"], abs=1e-7)
    assert scores.ece == pytest.approx(wanted["test_at_T_nll"]["ece15"], abs=1e-6)
