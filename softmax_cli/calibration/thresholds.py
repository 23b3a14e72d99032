"""The confidence below which predictions are withheld: chosen on held-out rows, for a risk or for a coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.calibration.calibration import ChosenThreshold
from softmax_cli.errors import DataError
from softmax_cli.numeric.metrics._ranking import Curve, Ranking
from softmax_cli.numeric.metrics._rows import Rows


@dataclass(frozen=True, slots=True)
class MaxRisk:
    """Answer as many rows as possible with at most this share of wrong answers."""

    risk: float

    def choose(self, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> ChosenThreshold:
        """Choose on held-out rows.

        Raises
        ------
        DataError
            No threshold has so low a risk.
        """
        curve = Ranking.of(Rows(log_p, labels)).curve
        within = np.flatnonzero(curve.risk <= self.risk)
        if not len(within):
            least = int(curve.risk.argmin())
            raise DataError(
                f"--max-risk {self.risk:g}: the lowest risk of any threshold is {curve.risk[least]:.4g}, "
                f"with {curve.coverage[least]:.1%} of the rows answered; ask for that or more"
            )
        return _at(curve, int(within[-1]), f"--max-risk {self.risk:g}", len(labels))


@dataclass(frozen=True, slots=True)
class MinCoverage:
    """Answer at least this share of the rows, with as few wrong answers as possible."""

    coverage: float

    def choose(self, log_p: NDArray[np.float64], labels: NDArray[np.integer]) -> ChosenThreshold:
        """Choose on held-out rows; of equal risks the larger coverage."""
        curve = Ranking.of(Rows(log_p, labels)).curve
        enough = np.flatnonzero(curve.coverage >= self.coverage)
        best = enough[curve.risk[enough] == curve.risk[enough].min()][-1]
        return _at(curve, int(best), f"--min-coverage {self.coverage:g}", len(labels))


def _at(curve: Curve, point: int, asked: str, rows: int) -> ChosenThreshold:
    """Cut halfway down to the next confidence: rounding in the last bit then answers no other row."""
    is_last = point + 1 == len(curve.threshold)
    cut = 0.0 if is_last else (float(curve.threshold[point]) + float(curve.threshold[point + 1])) / 2
    return ChosenThreshold(cut, float(curve.risk[point]), float(curve.coverage[point]), asked, rows)


AbstentionRequest = MaxRisk | MinCoverage
