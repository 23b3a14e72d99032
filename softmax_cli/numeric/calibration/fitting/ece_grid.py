"""The temperature of least ECE on a grid: how the focal-loss papers chose it, kept to reproduce their figures.

ECE is not a proper score: it can fall while the probabilities get worse, jumps when a row changes its bin, and often
has several minima. Likelihood is the objective to use (`scale`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration.fitting.ece import top_label_ece
from softmax_cli.numeric.calibration.fitting.examples import Examples
from softmax_cli.numeric.calibration.fitting.passes import total

TEMPERATURES = tuple(tenths / 10 for tenths in range(1, 101))
"""0.1, 0.2 .. 10.0."""


def ece_minimising_temperature(
    examples: Examples, temperatures: Sequence[float] = TEMPERATURES, bins: int = 15
) -> float:
    """First temperature of the grid with the least top-label ECE.

    Notes
    -----
    Mukhoti et al. (2020), "Calibrating deep neural networks using focal loss", NeurIPS.
    """
    grid = np.asarray(temperatures, np.float64)
    confidence = np.empty((len(grid), examples.rows))
    correct = np.empty(examples.rows, np.bool_)

    def part(rows: slice) -> NDArray[np.float64]:
        z = examples.z[rows]
        best = z.argmax(axis=1)
        correct[rows] = best == examples.labels[rows]
        with np.errstate(over="ignore", under="ignore"):
            s = z - z[np.arange(len(z)), best][:, None]
            for row, temperature in enumerate(grid):
                confidence[row, rows] = 1 / np.exp(s / temperature).sum(axis=1)
        return np.zeros(1)

    total(part, examples.rows, examples.classes)
    errors = [top_label_ece(of_grid, correct, examples.weights, bins) for of_grid in confidence]
    return float(grid[int(np.argmin(errors))])
