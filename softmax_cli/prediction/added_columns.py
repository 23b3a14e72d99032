"""Columns that ``--add`` puts beside the prediction: how sure a row is, and what became of its truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.distributions.uncertainty import energy, entropy, margin, rank_of
from softmax_cli.numeric.softmax import Temperature

LOSS = "loss"


class ScoredBlock(NamedTuple):
    """Some rows whose probabilities are known."""

    z: NDArray[np.floating]
    """Logits before the temperature, shape (rows, classes)."""
    temperature: Temperature
    adjusted: NDArray[np.floating]
    """Logits that classes are ranked by."""
    p: NDArray[np.floating]
    """The distribution that is given out."""
    log_p: NDArray[np.floating]
    labels: NDArray[np.int64]
    """Column of the true class, shape (rows,); negative where there is none."""

    def of_truth(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Take the value of the true class in each row; nan where there is none."""
        known = self.labels >= 0
        found = np.take_along_axis(values, np.where(known, self.labels, 0)[:, None], axis=1)[:, 0]
        return np.where(known, found, found.dtype.type(np.nan))


def _rank_of_truth(rows: ScoredBlock) -> NDArray[np.floating]:
    places = rank_of(rows.adjusted, np.maximum(rows.labels, 0))
    return np.where(rows.labels < 0, np.nan, places)


FIGURES: Mapping[str, Callable[[ScoredBlock], NDArray[np.floating]]] = MappingProxyType(
    {
        "entropy": lambda rows: entropy(rows.log_p),
        "margin": lambda rows: margin(rows.p),
        "energy": lambda rows: energy(rows.z, rows.temperature),
        "max_logit": lambda rows: rows.z.max(axis=1),
        "true_prob": lambda rows: rows.of_truth(rows.p),
        "rank_of_truth": _rank_of_truth,
        LOSS: lambda rows: -rows.of_truth(rows.log_p),
    }
)
