from __future__ import annotations

import numpy as np

from softmax_cli.numeric.metrics.confusion import Confusion


def test_the_commonest_errors_come_first():
    labels, predicted = np.array([0, 0, 0, 1, 1, 2, 2, 2]), np.array([0, 1, 1, 1, 2, 1, 1, 0])
    found = Confusion.of(np.eye(3)[predicted], labels)
    assert found.value.tolist() == [[1, 2, 0], [0, 1, 1], [1, 2, 0]]
    assert found.commonest_errors(3) == [(0, 1, 2), (2, 1, 2), (1, 2, 1)]


def test_many_classes_take_no_matrix():
    """100,000 classes: 80 GB as a matrix, three numbers as pairs."""
    log_p = np.zeros((3, 100_000))
    log_p[[0, 1, 2], [5, 99_999, 5]] = 1
    found = Confusion.of(log_p, np.array([5, 0, 6]))
    assert found.commonest_errors(10) == [(0, 99_999, 1), (6, 5, 1)]
    assert found.counts.sum() == 3
