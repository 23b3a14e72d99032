"""Draws of rows: they follow from the row and the seed alone, and look like uniform ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import kstest

from softmax_cli.numeric.nonconformity import row_draws

matrices = hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-50, 0))


@given(matrices, st.integers(0, 2**64 - 1), st.randoms())
def test_a_draw_belongs_to_its_row(log_p, seed, random):
    draws = row_draws(log_p, seed)
    assert ((draws >= 0) & (draws < 1)).all()
    order = random.sample(range(len(log_p)), len(log_p))
    assert np.array_equal(row_draws(log_p[order], seed), draws[order])
    assert np.array_equal(np.concatenate([row_draws(row[None], seed) for row in log_p]), draws)
    assert np.array_equal(row_draws(np.asfortranarray(log_p), seed), draws)


@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_they_look_uniform(seed):
    log_p = np.random.default_rng(5).normal(size=(20_000, 3))
    draws = row_draws(log_p, seed)
    assert kstest(draws, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(draws, row_draws(log_p, seed + 1))[0, 1]) < 0.03
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.03
