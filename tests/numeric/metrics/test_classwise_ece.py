from __future__ import annotations

import numpy as np
import pytest

from softmax_cli.numeric.metrics import Plan
from softmax_cli.numeric.metrics._class_bins import ClassBins
from softmax_cli.numeric.metrics._rows import Rows


@pytest.mark.parametrize(
    ("norm", "total"),
    [
        ("l1", lambda share, gap: (share * gap).sum()),
        ("l2", lambda share, gap: np.sqrt((share * gap**2).sum())),
        ("max", lambda share, gap: gap.max()),
    ],
)
def test_classes_one_by_one(norm, total):
    """Each class alone, one mask a bin, by the definition."""
    rng = np.random.default_rng(4)
    p, labels = rng.dirichlet(np.ones(4) / 2, 300), rng.integers(0, 4, 300)
    found = ClassBins.of(Rows(np.log(p), labels), Plan(bins=6))
    for column in range(4):
        inside = [(lo / 6 < p[:, column]) & (p[:, column] <= (lo + 1) / 6) for lo in range(6)]
        gap = np.array([abs((p[held, column] - (labels[held] == column)).mean()) for held in inside])
        share = np.array([held.mean() for held in inside])
        assert found.by_class(norm)[column] == pytest.approx(total(share, gap))
    assert found.error(norm) == pytest.approx(found.by_class(norm).mean())


def test_a_masked_class_is_in_the_first_bin():
    found = ClassBins.of(Rows(np.array([[0.0, -np.inf]]), np.array([0])), Plan(bins=3))
    assert found.count.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert found.error() == 0


def test_one_row():
    """0.7 for the true class and 0.3 for the other: both are off by 0.3."""
    assert ClassBins.of(Rows(np.log([[0.7, 0.3]]), np.array([0])), Plan()).by_class() == pytest.approx([0.3, 0.3])
