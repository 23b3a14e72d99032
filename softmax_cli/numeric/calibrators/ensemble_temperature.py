"""Ensemble temperature scaling: a mixture of scaled, unscaled and uniform probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.calibrators import Matrix, Parameters
from softmax_cli.numeric.calibrators._examples import Examples, log_softmax_rows, log_uniform
from softmax_cli.numeric.calibrators._parameters import number, vector
from softmax_cli.numeric.calibrators.temperature import Temperature, best_temperature
from softmax_cli.numeric.softmax import adjust_, check_temperature, log_normalize_

PARTS = 3


@dataclass(frozen=True, eq=False)
class EnsembleTemperature:
    """p = w1 softmax(z/T) + w2 softmax(z) + w3 / K, the weights 0 or more with the sum 1; K counts the unmasked.

    A temperature moves all probabilities of a row by one rule, and where some rows are over- and others
    under-confident one number cannot serve both. The order of the classes stays what it was in every row. The sum is
    taken in logarithms: w3 / K alone keeps a probability above 0 that the other terms round to 0.

    Notes
    -----
    Zhang, Kailkhura & Han (2020), "Mix-n-Match: ensemble and compositional methods for uncertainty calibration in deep
    learning", ICML: T first, then the weights; both by likelihood.
    """

    name: ClassVar[str] = "ensemble-temperature"

    temperature: float
    """T above 0."""
    weights: NDArray[np.float64]
    """w1, w2, w3."""

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        if (self.weights < 0).any() or abs(self.weights.sum() - 1) > 1e-9:
            raise ValueError(f"'weights' are {self.weights.tolist()}: expected shares, 0 or more, with the sum 1")

    @property
    def free_parameters(self) -> int:
        """T and two of the weights."""
        return PARTS

    @classmethod
    def fit(cls, examples: Examples) -> Self:
        """Maximum likelihood; see `Calibrator.fit`.

        Raises
        ------
        ValueError
            No temperature has the least loss; see `Temperature.fit`.
        """
        temperature, _ = examples.once(best_temperature)
        true = np.arange(examples.rows), examples.labels
        at_truth = np.stack([log_q[true] for log_q in _parts(examples.z, temperature)], axis=1)
        return cls(temperature, best_weights(at_truth, examples.weights))

    def log_p(self, z: Matrix) -> Matrix:
        """Log-probabilities, shape (rows, classes); see `Calibrator.log_p`."""
        with np.errstate(divide="ignore"):
            log_w = np.log(self.weights)
        parts = [log_q + shift for log_q, shift in zip(_parts(z, self.temperature), log_w.tolist(), strict=True)]
        with np.errstate(invalid="ignore"):  # nan stays nan, silently
            return log_normalize_(adjust_(np.logaddexp(np.logaddexp(parts[0], parts[1]), parts[2])))

    def parameters(self) -> Parameters:
        """T and the weights."""
        return {"temperature": self.temperature, "weights": self.weights.tolist()}

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild from `parameters`."""
        return cls(number(parameters, "temperature"), vector(parameters, "weights", PARTS))

    def describe(self) -> str:
        """One line for people."""
        scaled, plain, uniform = self.weights.tolist()
        return f"{scaled:.4g} softmax(z/T) + {plain:.4g} softmax(z) + {uniform:.4g} uniform, T = {self.temperature:.6g}"


def _parts(z: Matrix, temperature: float) -> tuple[Matrix, Matrix, Matrix]:
    """Log-probabilities with T, with T = 1, and of the uniform distribution over the unmasked classes."""
    plain = log_softmax_rows(z)
    return Temperature(temperature).log_p(z), plain, log_uniform(z)


def best_weights(log_q: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of a mixture with the least mean -log sum_i w_i q_i, shape (parts,).

    Parameters
    ----------
    log_q : array, shape (rows, parts)
        What each part gives the true class.
    weights : array, shape (rows,)
        Of the rows; sum to 1.
    """
    from scipy.optimize import LinearConstraint, minimize

    scale = log_q.max(axis=1)
    q = np.exp(log_q - scale[:, None])

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        mixed = np.maximum(q @ w, 1e-300)
        return float(-weights @ np.log(mixed)), -(weights / mixed) @ q

    # Begins inside: at w = (1, 0, 0) a row to which the first part gives next to nothing makes the slope endless.
    found = minimize(
        loss,
        np.array([0.8, 0.1, 0.1]),
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * log_q.shape[1],
        constraints=LinearConstraint(np.ones(log_q.shape[1]), 1, 1),
        options={"ftol": 1e-12, "maxiter": 200},
    )
    best = np.asarray(np.clip(found.x, 0, 1), np.float64)
    best /= best.sum()
    only_scaled = np.eye(log_q.shape[1])[0]
    return best if loss(best)[0] <= loss(only_scaled)[0] else only_scaled
