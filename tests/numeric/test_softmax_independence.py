"""A row's result depends on that row alone, to the last bit: what streaming, threads and batches rest on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from softmax_cli.numeric.activations import scale_
from softmax_cli.numeric.softmax import adjust_, exp_normalize_, log_normalize_

Array = NDArray[np.floating]


@pytest.mark.parametrize("kernel", [exp_normalize_, log_normalize_])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [1, 2, 3, 10, 37, 128, 129, 1000, 50_257])
@pytest.mark.parametrize(("temperature", "weighted"), [(1.0, False), (1.3, False), (2.0, True)])
def test_a_row_gives_the_same_bits_alone_and_anywhere(
    kernel: Callable[[Array], Array], dtype: type[np.floating], classes: int, temperature: float, weighted: bool
) -> None:
    """Among mild, wild, masked and bad neighbours, at every offset, in blocks of every size, in both memory orders."""
    generator = np.random.default_rng(classes)
    table = (generator.normal(size=(7, classes)) * np.array([1, 1e3, 5, 1, 50, 1e30, 2])[:, None]).astype(dtype)
    table[3, ::2] = -np.inf
    table[5, -1] = np.nan
    bias = generator.normal(size=classes) if weighted else None

    def scored(rows: Array) -> Array:
        return kernel(adjust_(rows, temperature, bias))

    alone = np.array([scored(row[None].copy())[0] for row in table])
    assert np.isnan(alone).any(axis=1).tolist() == [False] * 3 + [classes == 1] + [False, True, False]
    for order in ("C", "F"):
        for block in (1, 2, 3, 7):
            whole = np.array(table, order=order)
            for start in range(0, len(whole), block):
                scored(whole[start : start + block])
            assert whole.tobytes() == alone.tobytes()
        for offset in range(1, 7):
            rolled = np.array(np.roll(table, offset, axis=0), order=order)
            assert np.roll(scored(rolled), -offset, axis=0).tobytes() == alone.tobytes()


@pytest.mark.parametrize("kernel", [adjust_, scale_])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_temperature_for_each_row_is_that_temperature_for_the_row_alone(
    kernel: Callable[..., Array], dtype: type[np.floating], weighted: bool
) -> None:
    generator = np.random.default_rng(1)
    temperatures = np.array([0.5, 2.0, 1.3, 1e-300, 1e300, np.inf, 1e-5])
    table = (generator.normal(size=(7, 5)) * np.array([1, 1e3, 5, 1, 1e30, 50, 2])[:, None]).astype(dtype)
    table[1, 2] = -np.inf
    table[2, 3] = np.nan
    bias = generator.normal(size=5) if weighted else None
    together = kernel(table.copy(), temperatures, bias)
    for row, temperature in enumerate(temperatures.tolist()):
        alone = kernel(table[row : row + 1].copy(), temperature, bias)
        np.testing.assert_array_equal(together[row], alone[0])
    with pytest.raises(ValueError, match="above 0"):
        kernel(table.copy(), np.array([1.0] * 6 + [0.0]), bias)
