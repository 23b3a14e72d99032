"""Laws that every calibration method keeps, whichever modules the folder holds."""

from __future__ import annotations

import json
import math
import pickle
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.numeric.calibrators import by_name, names
from softmax_cli.numeric.calibrators._examples import AbsentClasses, Examples

CLASSES = 4
NEAR_TEMPERATURE = ("bcts", "beta", "dirichlet", "matrix", "platt", "quadratic", "sms", "svs", "vector")
"""Held near temperature scaling by a prior."""
OF_ALL_CLASSES = ("temperature", "ensemble-temperature", "spline", "scaling-binning")
"""What they learn is not about single classes."""
IN_BINS = ("histogram", "scaling-binning")
every_method = pytest.mark.parametrize("name", names())


def rows_and_labels(rows=150, classes=CLASSES, seed=0):
    """Overconfident logits of a classifier that is right more often than not, every class among the labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    z = random.normal(size=(rows, classes))
    z[np.arange(rows), labels] += 1.5
    return 2 * z, labels


@cache
def fitted(name):
    return by_name(name).fit(Examples.checked(*rows_and_labels()))


def nll(log_p, labels):
    return -log_p[np.arange(len(labels)), labels].mean()


logits = hnp.arrays(
    float,
    st.tuples(st.integers(1, 9), st.just(CLASSES)),
    elements=st.one_of(st.floats(-30, 30), st.sampled_from([0.0, -math.inf, 1e3, -1e3, 1e308, -1e308, 5e-324])),
)


def test_folder_is_the_registry():
    assert names() == (
        "bcts", "beta", "centred-isotonic", "dirichlet", "ensemble-temperature", "histogram", "isotonic", "matrix",
        "platt", "quadratic", "scaling-binning", "sms", "spline", "svs", "temperature", "vector", "venn-abers",
    )  # fmt: skip
    assert all(by_name(name).name == name for name in names())
    with pytest.raises(ValueError, match="no calibration method 'temprature'; there are bcts, beta"):
        by_name("temprature")


@every_method
@given(z=logits)
@settings(deadline=None, max_examples=60)
def test_rows_are_distributions(name, z):
    log_p = fitted(name).log_p(z)
    usable = (z > -np.inf).any(axis=1)
    assert np.isnan(log_p[~usable]).all()
    assert (log_p[usable] <= 0).all()
    np.testing.assert_allclose(np.exp(log_p[usable]).sum(axis=1), 1, atol=1e-12, rtol=0)
    assert (log_p[usable][z[usable] == -np.inf] == -np.inf).all()


@every_method
@given(z=logits, data=st.data())
@settings(deadline=None, max_examples=40)
def test_a_row_stands_alone_to_the_last_bit(name, z, data):
    calibrator = fitted(name)
    whole = calibrator.log_p(z)
    row = data.draw(st.integers(0, len(z) - 1))
    np.testing.assert_array_equal(calibrator.log_p(z[row : row + 1])[0], whole[row])
    np.testing.assert_array_equal(calibrator.log_p(np.asfortranarray(z)), whole)
    np.testing.assert_array_equal(calibrator.log_p(np.repeat(z, 3, axis=0))[::3], whole)


@every_method
def test_input_is_left_alone_and_bad_rows_are_nan_alone(name):
    z = rows_and_labels(rows=4)[0]
    z[1, 2], z[2, 0] = math.nan, math.inf
    before = z.copy()
    log_p = fitted(name).log_p(z)
    np.testing.assert_array_equal(z, before)
    assert np.isnan(log_p).all(axis=1).tolist() == [False, True, True, False]
    assert np.isfinite(log_p[[0, 3]]).any(axis=1).all()


@every_method
@given(seed=st.integers(0, 5))
@settings(deadline=None, max_examples=3)
def test_json_round_trip_is_exact(name, seed):
    z, labels = rows_and_labels(seed=seed)
    calibrator = by_name(name).fit(Examples.checked(z, labels))
    again = by_name(name).from_parameters(json.loads(json.dumps(calibrator.parameters(), allow_nan=False)))
    assert again.parameters() == calibrator.parameters()
    assert again.describe() == calibrator.describe()
    assert again.free_parameters == calibrator.free_parameters
    np.testing.assert_array_equal(again.log_p(z), calibrator.log_p(z))
    assert pickle.loads(pickle.dumps(calibrator)).parameters() == calibrator.parameters()


@every_method
def test_permuting_the_classes_permutes_the_result(name):
    z, labels = rows_and_labels()
    order = np.array([2, 0, 3, 1])
    permuted = by_name(name).fit(Examples.checked(z[:, order], np.argsort(order)[labels]))
    # Iterative fits stop where the loss is flat to 1e-11: parameters then agree to about its square root.
    np.testing.assert_allclose(
        np.exp(permuted.log_p(z[:, order])), np.exp(fitted(name).log_p(z))[:, order], atol=2e-4, rtol=0
    )


@pytest.mark.parametrize("name", [name for name in names() if name not in (*IN_BINS, "matrix", "dirichlet")])
def test_weight_counts_like_repetition(name):
    """A row of weight 2 is two rows, and one of weight 0 none.

    But bins hold as many rows, whatever their weights, and matrix scaling holds other rows out: `sms` stands for it.
    """
    z, labels = rows_and_labels(rows=120)
    weights = np.arange(120) // CLASSES % 3
    weighted = by_name(name).fit(Examples.checked(z, labels, weights))
    repeated = by_name(name).fit(Examples.checked(np.repeat(z, weights, axis=0), np.repeat(labels, weights)))
    if name == "spline":  # at other ranks
        assert nll(weighted.log_p(z), labels) == pytest.approx(nll(repeated.log_p(z), labels), rel=0.05)
        return
    np.testing.assert_allclose(np.exp(weighted.log_p(z)), np.exp(repeated.log_p(z)), atol=2e-3, rtol=0)


@pytest.mark.parametrize(
    "name", ["temperature", "ensemble-temperature", "bcts", "vector", "matrix", "dirichlet", "svs", "sms"]
)
@given(
    z=hnp.arrays(float, (30, 3), elements=st.floats(-9, 9)),
    shuffle=st.permutations(list(range(30))),
)
@settings(deadline=None, max_examples=12)
def test_nll_of_the_fitted_rows_never_rises(name, z, shuffle):
    """The search starts at temperature scaling, where every penalty is 0; one class against the rest promises nothing.

    Smoothing by one row may raise it by no more than log(1 + 1/rows).
    """
    labels = (np.arange(30) % 3)[shuffle]
    try:
        calibrator = by_name(name).fit(Examples.checked(z, labels))
    except ValueError:
        return  # refused: there is no optimum
    identity = by_name("temperature").from_parameters({"temperature": 1.0})
    smoothing = np.log1p(1 / 30) if name in ("svs", "sms") else 0
    assert nll(calibrator.log_p(z), labels) <= nll(identity.log_p(z), labels) * (1 + 1e-12) + smoothing


@pytest.mark.parametrize("name", [name for name in names() if name not in ("vector", "matrix")])
def test_a_shift_of_a_row_changes_nothing(name):
    z, _ = rows_and_labels(seed=1)
    shift = np.linspace(-50, 50, len(z))[:, None]
    np.testing.assert_allclose(np.exp(fitted(name).log_p(z + shift)), np.exp(fitted(name).log_p(z)), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in names() if name not in (*OF_ALL_CLASSES, *NEAR_TEMPERATURE)])
def test_a_class_without_an_example_is_refused(name):
    z, labels = rows_and_labels()
    with pytest.raises(AbsentClasses, match="classes at 2, 3, whose own parameters need examples") as refused:
        by_name(name).fit(Examples.checked(z, labels % 2))
    assert refused.value.classes == (2, 3)
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)


@pytest.mark.parametrize("name", [*OF_ALL_CLASSES, *NEAR_TEMPERATURE])
def test_a_class_without_an_example_keeps_about_its_probability(name):
    """Where nothing was learnt of it: among many classes it is not sent to 0 by the absence of rows."""
    z, labels = rows_and_labels(rows=40)
    log_p = by_name(name).fit(Examples.checked(np.hstack([z, z[:, :1] - 1]), labels)).log_p(np.zeros((1, CLASSES + 1)))
    assert 0.03 < np.exp(log_p[0, -1]) < 0.3


@pytest.mark.parametrize("name", ["svs", "sms"])
def test_smoothing_gives_every_class_its_part_of_one_row_more(name):
    """150 rows were fitted: of 151, one is shared by the classes that are not masked."""
    p = np.exp(fitted(name).log_p(np.array([[900.0, 0, 0, 0], [900, 0, -np.inf, -np.inf]])))
    np.testing.assert_allclose(p[0], [150 / 151 + 1 / 151 / 4, *[1 / 151 / 4] * 3], rtol=1e-9)
    np.testing.assert_allclose(p[1], [150 / 151 + 1 / 151 / 2, 1 / 151 / 2, 0, 0], rtol=1e-9)


@every_method
def test_other_classes_are_refused(name):
    if name in OF_ALL_CLASSES:
        assert fitted(name).log_p(np.zeros((1, 7))).shape == (1, 7)
        return
    with pytest.raises(ValueError, match=f"fitted to {CLASSES} classes"):
        fitted(name).log_p(np.zeros((3, CLASSES + 1)))


@every_method
def test_damaged_parameters_are_refused(name):
    parameters = json.loads(json.dumps(fitted(name).parameters()))
    key = next(iter(parameters))
    for damage in ("text", None, math.nan, [[[1.0]]]):
        with pytest.raises(ValueError, match=r"expected"):
            by_name(name).from_parameters(parameters | {key: damage})
    del parameters[key]
    with pytest.raises(ValueError, match=f"'{key}'"):
        by_name(name).from_parameters(parameters)
