from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.numeric.metrics.coverage import Coverage


def test_sets_by_their_true_class():
    """Class 0: two rows, sets of 1 and 2 classes, one holds it; class 1: an empty set; class 2 has no row."""
    sets = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]], bool)
    found = Coverage.of(Rows(np.zeros((3, 3)), np.array([0, 0, 1]), sets))
    assert found.value == pytest.approx(1 / 3)
    assert found.mean_size == 1
    assert found.by_class.tolist() == pytest.approx([0.5, 0, np.nan], nan_ok=True)
    assert found.mean_size_by_class.tolist() == pytest.approx([1.5, 0, np.nan], nan_ok=True)
    assert found.sizes.tolist() == [1, 1, 1, 0]
