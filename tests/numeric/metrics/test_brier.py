from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.brier import Brier


def brier(log_p, labels):
    return Brier.of(Rows(np.array(log_p), np.array(labels))).value


def test_worst_best_and_a_worked_row():
    """Certain and wrong: 2; certain and right: 0; (0.2, 0.5, 0.3) with the last true: 0.04 + 0.25 + 0.49."""
    certain = [[0.0, -np.inf]]
    assert brier(certain, [1]) == 2
    assert brier(certain, [0]) == 0
    assert brier(np.log([[0.2, 0.5, 0.3]]), [2]) == pytest.approx(0.78)


def test_a_nearly_certain_truth_keeps_its_digits():
    """1 - p = 1e-20 both ways: 2e-40, where 1 - exp(-1e-20) is 0."""
    assert brier([[-1e-20, np.log(1e-20)]], [0]) == pytest.approx(2e-40)
