"""Temperature scaling: one number divides all logits; the ranking of the classes stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibration import Matrix, Parameters
from softmax_cli.numeric.calibration.fitting.ece_grid import TEMPERATURES, ece_minimising_temperature
from softmax_cli.numeric.calibration.fitting.examples import Examples
from softmax_cli.numeric.calibration.fitting.json_values import number, vector
from softmax_cli.numeric.calibration.fitting.scale import best_temperature
from softmax_cli.numeric.exponents import adjust_, check_temperature
from softmax_cli.numeric.softmax import log_normalize_


@dataclass(frozen=True)
class Temperature:
    """p = softmax(z/T).

    Notes
    -----
    Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks", ICML.
    """

    name: ClassVar[str] = "temperature"

    temperature: float
    """T above 0: above 1 lowers confidence, below 1 raises it."""
    interval: tuple[float, float] | None = None
    """95 % interval of T, where the likelihood gave one."""

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    @property
    def free_parameters(self) -> int:
        """T; none where T was left at 1."""
        return int(self != IDENTITY)

    @classmethod
    def fit(cls, z: Matrix, labels: NDArray[Any], weights: NDArray[Any] | None = None) -> Self:
        """Minimise the mean negative log-likelihood over log(1/T) in [-16, 16]; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            The rows are perfectly separated (T -> 0), or worse than uniform (T -> inf): there is no minimum.
        """
        return cls(*best_temperature(Examples.checked(z, labels, weights)))

    @classmethod
    def fit_ece_grid(
        cls,
        z: Matrix,
        labels: NDArray[Any],
        weights: NDArray[Any] | None = None,
        *,
        temperatures: Sequence[float] = TEMPERATURES,
        bins: int = 15,
    ) -> Self:
        """Take the first temperature of a grid with the least ECE on these rows: the way of the focal-loss papers.

        `fitting.ece_grid` says what is wrong with it. There is no interval.
        """
        return cls(ece_minimising_temperature(Examples.checked(z, labels, weights), temperatures, bins))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        return log_normalize_(adjust_(np.array(z, np.float64, order="C"), self.temperature))

    def parameters(self) -> Parameters:
        """T, and its interval where there is one."""
        if self.interval is None:
            return {"temperature": self.temperature}
        return {"temperature": self.temperature, "interval": list(self.interval)}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        interval = None
        if "interval" in parameters:
            low, high = vector(parameters, "interval", 2).tolist()
            interval = (low, high)
        return cls(number(parameters, "temperature"), interval)

    def describe(self) -> str:
        """One line for people."""
        if self.interval is None:
            return f"z/T, T = {self.temperature:.6g}"
        low, high = self.interval
        return f"z/T, T = {self.temperature:.6g} (95 % interval {low:.4g} to {high:.4g})"


IDENTITY = Temperature(1.0)
"""Leaves the probabilities as they are."""
