from __future__ import annotations

import numpy as np

from softmax_cli.numeric.metrics.ece import ConfidenceHistogram


def test_right_and_wrong_apart():
    """0.5 is the upper edge of the second of four bins; 1 that of the last."""
    with np.errstate(divide="ignore"):
        log_p = np.log([[0.5, 0.5], [0.4, 0.6], [1.0, 0.0]])
    found = ConfidenceHistogram.of(log_p, np.array([0, 0, 0]), bins=4)
    assert found.right.tolist() == [0, 1, 0, 1]
    assert found.wrong.tolist() == [0, 0, 1, 0]
    assert found.value.tolist() == [0, 1, 1, 1]
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
