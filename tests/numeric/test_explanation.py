"""The steps of an explanation lead to the probabilities that the program gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit, softmax
from scipy.stats import entropy

from softmax_cli.numeric.explanation import explain_row

rows = hnp.arrays(np.float64, st.integers(2, 8), elements=st.floats(-300, 300))
temperatures = st.floats(0.1, 50)


@st.composite
def weighted(draw):
    z = draw(rows)
    return z, draw(temperatures), draw(hnp.arrays(np.float64, len(z), elements=st.floats(0.01, 100)))


@given(weighted())
def test_every_step_follows_from_the_one_before(case):
    z, temperature, w = case
    told = explain_row(z, temperature, w)
    np.testing.assert_allclose(told.scaled, z / temperature, rtol=1e-15)
    np.testing.assert_allclose(told.adjusted, told.scaled + np.log(w), rtol=1e-12, atol=1e-12)
    assert told.shifted.max() == 0
    np.testing.assert_allclose(told.exponentials / told.total, told.p, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(np.exp(told.log_p), told.p, rtol=1e-9, atol=1e-300)
    assert told.ranking[0] == told.adjusted.argmax()


@given(rows)
def test_the_naive_form_gives_the_same_or_fails(z):
    told = explain_row(z)
    naive = told.naive()
    assert not naive.fails
    np.testing.assert_allclose(naive.p, told.p, rtol=1e-9, atol=1e-300)
    assert told.naive(2000.0).fails
    assert told.naive(-2000.0).fails


@given(rows, temperatures)
def test_the_jacobian_is_the_derivative(z, temperature):
    """Rows and columns sum to 0, and a small step along one logit moves p by it."""
    told = explain_row(z, temperature)
    every = list(range(len(z)))
    matrix = told.jacobian(every)
    np.testing.assert_allclose(matrix.sum(axis=0), 0, atol=1e-12 / temperature)
    np.testing.assert_allclose(matrix, matrix.T)
    step = np.eye(len(z)) * temperature * 1e-6
    numeric = [
        (explain_row(z + d, temperature).p - explain_row(z - d, temperature).p) / (2e-6 * temperature) for d in step
    ]
    # z itself may be 300 long, where a step of 1e-7 is rounded to 5e-14
    np.testing.assert_allclose(matrix, np.array(numeric).T, atol=1e-5 / temperature)


@given(rows)
def test_taking_the_best_class_away_leaves_the_others_in_proportion(z):
    told = explain_row(z)
    best = told.ranking[0]
    rest = np.delete(z, best)
    np.testing.assert_allclose(np.delete(told.without(best), best), softmax(rest), rtol=1e-9, atol=1e-300)


@given(rows)
def test_entropy_and_margin(z):
    told = explain_row(z)
    p = np.sort(softmax(z))
    assert told.entropy == pytest.approx(entropy(p), rel=1e-9, abs=1e-12)
    assert told.margin == pytest.approx(p[-1] - p[-2], abs=1e-12)


def test_division_by_the_sum_is_not_a_softmax():
    """Figures of the issue: (1, 2, 3) gives 0.090, 0.245, 0.665 and not 1/6, 1/3, 1/2."""
    told = explain_row(np.array([1.0, 2.0, 3.0])).alternatives()
    assert told["softmax"].round(3).tolist() == [0.090, 0.245, 0.665]
    np.testing.assert_allclose(told["z / sum z"], [1 / 6, 1 / 3, 1 / 2])
    np.testing.assert_allclose(told["sigmoid"], expit([1, 2, 3]))
    assert told["sparsemax"].tolist() == [0, 0, 1]
    assert told["entmax15"].sum() == pytest.approx(1)


def test_where_the_naive_form_overflows():
    told = explain_row(np.array([1000.0, 999.0]))
    assert told.naive().fails
    assert np.isnan(told.naive().p).all()
    np.testing.assert_allclose(told.p, [0.7310585786300049, 0.2689414213699951], rtol=1e-15)


def test_a_masked_class_stays_out():
    told = explain_row(np.array([1.0, -np.inf, 3.0]))
    assert told.p[1] == 0
    assert told.entropy == pytest.approx(entropy(softmax([1, 3])))
    assert explain_row(np.array([1.0, -np.inf])).without(0) is None


@pytest.mark.parametrize("wrong", [[np.nan, 1], [np.inf, 1], [-np.inf, -np.inf], []])
def test_rows_without_a_distribution(wrong):
    with pytest.raises(ValueError, match="no distribution"):
        explain_row(np.array(wrong, np.float64))
