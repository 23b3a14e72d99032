"""Remedies: bounds and scales of single rows, masks and bad rows left what they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import zscore

from softmax_cli.numeric.clipping import clip_, softcap_, standardize_, winsorize_

ALL = {
    "clip": lambda z: clip_(z, -3.0, 4.0),
    "softcap": lambda z: softcap_(z, 5.0),
    "winsorize": lambda z: winsorize_(z, 0.1),
    "standardize": standardize_,
}
every = pytest.mark.parametrize("remedy", ALL.values(), ids=ALL)
shapes = st.tuples(st.integers(1, 6), st.integers(1, 9))
finite = st.floats(allow_nan=False, allow_infinity=False)
logits = hnp.arrays(np.float64, shapes, elements=finite)
moderate = hnp.arrays(np.float64, shapes, elements=st.floats(-50, 50))


@every
@given(z=logits, seed=st.integers(0, 2**16))
def test_masks_stay_and_nothing_finite_becomes_nan(remedy, z, seed):
    masked = np.random.default_rng(seed).random(z.shape) < 0.3
    masked[:, 0] = False
    z[masked] = -np.inf
    out = remedy(z.copy())
    assert np.isfinite(out[~masked]).all()
    assert (out[masked] == -np.inf).all()


@every
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_bad_row_is_not_hidden(remedy, wrong):
    out = remedy(np.array([[1.0, wrong, 2.0], [1.0, 0.0, 2.0]]))
    assert np.isnan(out[0]).all()
    assert np.isfinite(out[1]).all()


@every
def test_a_row_of_masks_is_bad(remedy):
    assert np.isnan(remedy(np.full((1, 3), -np.inf))).all()


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [3, 128, 129])
def test_neighbours_and_memory_order_change_no_bit(remedy, dtype, classes):
    z = np.random.default_rng(classes).normal(scale=30, size=(37, classes)).astype(dtype)
    whole = remedy(np.asfortranarray(z.copy()))
    assert whole.dtype == dtype
    np.testing.assert_array_equal(whole, remedy(z.copy(order="C")))
    np.testing.assert_array_equal(whole, np.concatenate([remedy(z[i : i + 1].copy()) for i in range(len(z))]))


@every
@given(z=moderate)
def test_no_class_overtakes_another(remedy, z):
    out = remedy(z.copy())
    for before, after in zip(z, out, strict=True):
        assert (np.diff(after[np.argsort(before)]) >= 0).all()


@every
def test_no_rows_are_fine(remedy):
    assert remedy(np.empty((0, 4))).shape == (0, 4)


@given(logits, st.floats(-1e300, 0), st.floats(0.5, 1e300))
def test_clip_is_that_of_numpy(z, low, high):
    np.testing.assert_array_equal(clip_(z.copy(), low, high), np.clip(z, low, high))


def test_bounds_beyond_float32_clip_nothing():
    z = np.array([[3e38, -3e38, 0]], np.float32)
    np.testing.assert_array_equal(clip_(z.copy(), -1e300, 1e300), z)


@given(logits, st.floats(1e-6, 1e6))
def test_softcap_is_bounded_and_gentle(z, cap):
    out = softcap_(z.copy(), cap)
    assert (np.abs(out) <= cap).all()
    assert (np.abs(out) * (1 - 1e-12) <= np.abs(z) + 1e-300).all()
    small = np.abs(z) < cap / 1000
    np.testing.assert_allclose(out[small], z[small], rtol=1e-6, atol=1e-300)


def test_softcap_by_hand():
    assert softcap_(np.array([[30.0, 1e308, -15.0]]), 30.0)[0] == pytest.approx(
        [22.847824678672946, 30.0, -13.863514717800109], rel=1e-14
    )


@given(moderate, st.floats(0.01, 0.49))
def test_winsorize_uses_the_quantiles_of_numpy(z, share):
    low, high = np.quantile(z, [share, 1 - share], axis=1, keepdims=True)
    np.testing.assert_allclose(winsorize_(z.copy(), share), np.clip(z, low, high), rtol=1e-12, atol=1e-12)


def test_winsorize_leaves_masks_out_of_the_quantiles():
    z = np.array([[-np.inf, 0.0, 1.0, 2.0, 3.0, 100.0]])
    assert winsorize_(z, 0.25)[0].tolist() == [-np.inf, 1.0, 1.0, 2.0, 3.0, 3.0]


@given(moderate)
def test_a_standardized_row_has_mean_0_and_deviation_1(z):
    out = standardize_(z.copy())
    different = np.ptp(z, axis=1) > 0
    np.testing.assert_allclose(out.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(out[different].std(axis=1), 1, rtol=1e-12)
    assert (out[~different] == 0).all()


@given(
    hnp.arrays(np.float64, shapes, elements=st.integers(-100, 100).map(float)),
    st.integers(-900, 900),
    st.integers(-999, 999),
)
def test_standardizing_takes_scale_and_shift_away(z, power, shift):
    expected = standardize_(z.copy())
    np.testing.assert_array_equal(standardize_(np.ldexp(z, power)), expected)
    np.testing.assert_allclose(standardize_(z + shift), expected, rtol=1e-12, atol=1e-12)


def test_standardize_is_the_z_score_of_scipy():
    z = np.random.default_rng(0).normal(3, 7, (20, 12))
    np.testing.assert_allclose(standardize_(z.copy()), zscore(z, axis=1), rtol=1e-12, atol=1e-14)


def test_masked_classes_do_not_count_for_the_mean():
    z = np.array([[1.0, -np.inf, 3.0]])
    assert standardize_(z)[0].tolist() == [-1.0, -np.inf, 1.0]
