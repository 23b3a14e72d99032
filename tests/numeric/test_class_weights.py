"""Weights from counts: what holds for every rule, and figures that were computed by others."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.utils.class_weight import compute_class_weight

from softmax_cli.numeric.class_weights import Balanced, EffectiveNumber, InverseSquareRoot, LogPrior, Prior

counts = hnp.arrays(np.float64, st.integers(2, 20), elements=st.integers(1, 10**7).map(float))
betas = st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 1 - 1e-9, 1 - 1e-15])


@given(counts, betas, st.floats(0.0, 3.0))
def test_a_rarer_class_never_weighs_less(n, beta, tau):
    for rule in (Balanced(), InverseSquareRoot(), EffectiveNumber(beta), LogPrior(tau)):
        weights = rule(n)
        assert (np.diff(weights[np.argsort(n)]) <= 1e-12 * weights.max()).all(), rule


@given(counts, betas)
def test_the_common_factor_is_the_one_that_is_told(n, beta):
    assert (Balanced()(n) * n).sum() / n.sum() == pytest.approx(1, rel=1e-12)
    for rule in (InverseSquareRoot(), EffectiveNumber(beta)):
        assert rule(n).mean() == pytest.approx(1, rel=1e-12)
    assert np.log(LogPrior(0.7)(n)).mean() == pytest.approx(0, abs=1e-12)
    assert Prior()(n).sum() == pytest.approx(1, rel=1e-12)


@given(counts)
def test_the_ratios_are_those_of_the_papers(n):
    ratio = n[0] / n[1]
    for rule, expected in (
        (Balanced(), 1 / ratio),
        (InverseSquareRoot(), ratio**-0.5),
        (LogPrior(2.0), ratio**-2),
        (EffectiveNumber(0.9), (1 - 0.9 ** n[1]) / (1 - 0.9 ** n[0])),
        (EffectiveNumber(0.0), 1.0),
        (Prior(), ratio),
    ):
        weights = rule(n)
        assert weights[0] / weights[1] == pytest.approx(expected, rel=1e-9), rule


@pytest.mark.parametrize("beta", [0.999, 1 - 1e-9, 1 - 1e-12, 1 - 1e-15])
def test_beta_close_to_one_keeps_its_digits(beta):
    """In floats, 1 - beta^n has 8 digits left at 1 - 1e-9; in fractions it is exact."""
    n = np.array([3.0, 7.0, 100.0])
    exact = [1 / (1 - Fraction(beta) ** int(count)) for count in n]
    expected = [float(weight / sum(exact) * 3) for weight in exact]
    np.testing.assert_allclose(EffectiveNumber(beta)(n), expected, rtol=1e-13)


def test_balanced_is_that_of_scikit_learn():
    labels = np.repeat([0, 1, 2], [70, 20, 10])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(Balanced()(np.array([70.0, 20.0, 10.0])), expected, rtol=1e-15)


def test_effective_numbers_by_hand():
    """Counts 1, 2 at beta 0.5: effective numbers 1 and 1.5, so weights 1 and 2/3, over their mean 5/6."""
    np.testing.assert_allclose(EffectiveNumber(0.5)(np.array([1.0, 2.0])), [1.2, 0.8], rtol=1e-15)


@pytest.mark.parametrize("rule", [Balanced(), InverseSquareRoot(), EffectiveNumber(0.9), LogPrior(), Prior()])
@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_a_class_without_examples_has_no_weight(rule, wrong):
    with pytest.raises(ValueError, match=r"expected|no example"):
        rule(np.array([5.0, wrong]))


@pytest.mark.parametrize(
    "make", [lambda: EffectiveNumber(1.0), lambda: EffectiveNumber(-0.1), lambda: LogPrior(np.inf)]
)
def test_parameters_out_of_range(make):
    with pytest.raises(ValueError, match="expected"):
        make()
