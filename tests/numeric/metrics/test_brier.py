from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.numeric.metrics.brier import Brier


def test_worst_best_and_a_worked_row():
    """Certain and wrong: 2; certain and right: 0; (0.2, 0.5, 0.3) with the last true: 0.04 + 0.25 + 0.49."""
    certain = np.array([[0.0, -np.inf]])
    assert Brier.of(certain, np.array([1])).value == 2
    assert Brier.of(certain, np.array([0])).value == 0
    assert Brier.of(np.log([[0.2, 0.5, 0.3]]), np.array([2])).value == pytest.approx(0.78)


def test_a_nearly_certain_truth_keeps_its_digits():
    """1 - p = 1e-20 both ways: 2e-40, where 1 - exp(-1e-20) is 0."""
    assert Brier.of(np.array([[-1e-20, np.log(1e-20)]]), np.array([0])).value == pytest.approx(2e-40)
