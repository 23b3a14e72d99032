"""Sums of rows: equal bits wherever a row stands, and no term lost."""

from __future__ import annotations

from math import fsum

import numpy as np
import pytest

from softmax_cli.numeric.softmax import row_sums

WIDTHS = (1, 2, 3, 7, 37, 128, 129, 1000, 50_257)


@pytest.mark.parametrize("classes", WIDTHS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_does_not_depend_on_neighbours_or_memory_order(classes: int, dtype: type[np.floating]) -> None:
    rows = np.random.default_rng(classes).random((5, classes)).astype(dtype)
    expected = row_sums(rows)
    columnar = np.asfortranarray(rows)
    apart = np.repeat(rows, 2, axis=1)[:, ::2]
    for matrix in (columnar, apart):
        assert row_sums(matrix).tobytes() == expected.tobytes()
    for start in range(5):
        for stop in range(start + 1, 6):
            for matrix in (rows, columnar, columnar[start:stop].copy(order="K")[: stop - start]):
                part = matrix[start:stop] if len(matrix) == 5 else matrix
                assert row_sums(part).tobytes() == expected[start:stop].tobytes()


@pytest.mark.parametrize("classes", WIDTHS)
@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 2e-6), (np.float64, 1e-14)])
def test_one_large_term_does_not_swallow_the_small_ones(classes: int, dtype: type[np.floating], bound: float) -> None:
    """Each is half a unit in the last place of the large one: added one after the other they would all be lost."""
    row = np.full((1, classes), np.finfo(dtype).eps / 2, dtype)
    row[0, 0] = 1
    assert row_sums(row)[0] == pytest.approx(fsum(row[0].tolist()), rel=bound)


def test_no_class_sums_to_nothing() -> None:
    assert row_sums(np.zeros((2, 0))).tolist() == [0, 0]
