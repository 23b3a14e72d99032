"""How frequent the classes are where a model is used, from what it predicts there and which classes it confuses.

Rows with labels, of the distribution of the training data, give the confusion matrix A, A_ij = P(predicted i | true
j). Where only the frequencies q of the classes change, the shares mu of the predictions on new rows are A q. The
probabilities of the model are not believed, so that it need not be calibrated; EM (`em`) needs no labels and
has the smaller error where it is.

- BBSE: Lipton, Wang & Smola (2018), "Detecting and correcting for label shift with black box predictors", ICML. It
  solves A q = mu; classes that the model hardly tells apart make that as good as singular, and q far from any share.
- RLLS: Azizzadenesheli, Liu, Yang & Anandkumar (2019), "Regularized learning for domain adaptation under label
  shifts", ICLR. It holds the ratios w = q/p near 1, p the shares of the labels: with C = A diag(p), it minimises
  ||C w - mu|| + rho ||w - 1|| over w of 0 or more, where rho bounds the error of C from n labelled rows.

Standard errors are those of a solution that is linear in the counts (the delta method): the predictions on new rows
are one multinomial sample, and those of the labelled rows of each class another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.class_weights import Vector

_ALPHA, _DELTA = 0.01, 0.05
"""Share of the bound that is used as the penalty, and the probability that the bound fails; as the authors' program."""
_WORST_CONDITION = 1e12

Counts = NDArray[np.int64]


class ShiftEstimate(NamedTuple):
    """Shares of the classes among new rows."""

    share: Vector
    """Shape (classes,), 0 or more, summing to 1."""
    error: Vector
    """Standard error of each share, shape (classes,); of RLLS without the bias of its penalty."""
    negative: Vector
    """What the solution held below 0, and was cut off, shape (classes,)."""


def bbse(confusion: Counts, predicted: Counts) -> ShiftEstimate:
    """Solve the confusion matrix for the shares of the classes.

    Parameters
    ----------
    confusion : array of int, shape (classes, classes)
        Labelled rows by predicted class (row) and true class (column).
    predicted : array of int, shape (classes,)
        New rows by predicted class.

    Raises
    ------
    ValueError
        A class has no labelled row, there are no new rows, or the matrix has no inverse.
    """
    given = _Given.of(confusion, predicted)
    if np.linalg.cond(given.a) > _WORST_CONDITION:
        raise ValueError("the confusion matrix has no inverse: the model cannot tell some classes apart")
    inverse = np.linalg.inv(given.a).astype(np.float64)
    return given.estimate(inverse @ given.mu, inverse)


def rlls(confusion: Counts, predicted: Counts) -> ShiftEstimate:
    """Solve it with a penalty that keeps the shares near those of the labels; parameters and errors as for `bbse`."""
    given = _Given.of(confusion, predicted)
    n, classes = confusion.sum(), len(predicted)
    log_term = np.log(2 * classes / _DELTA)
    rho = _ALPHA * 3 * (2 * log_term / (3 * n) + np.sqrt(2 * log_term / n))
    p = given.support / n
    problem = _Penalised(given.a * p, given.mu, float(rho))
    penalty = problem.best_penalty()
    c = problem.c
    linear = p[:, None] * np.linalg.solve(c.T @ c + penalty * np.eye(classes), c.T)
    return given.estimate(p * problem.ratios(penalty), linear)


METHODS = {"bbse": bbse, "rlls": rlls}


class _Given(NamedTuple):
    a: NDArray[np.float64]
    """P(predicted | true), shape (classes, classes)."""
    support: Vector
    """Labelled rows of each class."""
    mu: Vector
    """Shares of the predictions."""
    rows: int

    @classmethod
    def of(cls, confusion: Counts, predicted: Counts) -> _Given:
        support, rows = confusion.sum(axis=0), int(predicted.sum())
        if not support.all():
            raise ValueError(f"no labelled row of the classes at {np.flatnonzero(support == 0).tolist()}")
        if not rows:
            raise ValueError("no row to estimate a prior from")
        return cls(confusion / support, support.astype(np.float64), predicted / rows, rows)

    def estimate(self, solution: Vector, linear: NDArray[np.float64]) -> ShiftEstimate:
        """Cut off what is below 0; `linear` takes an error of mu - A q to one of q, shape (classes, classes)."""
        share = np.maximum(solution, 0)
        share /= share.sum()
        of_labels = share**2 / self.support
        spread = np.diag(self.mu / self.rows + self.a @ of_labels)
        spread -= np.outer(self.mu, self.mu) / self.rows + (self.a * of_labels) @ self.a.T
        variance = np.einsum("ij,jk,ik->i", linear, spread, linear, optimize=True)
        return ShiftEstimate(share, np.sqrt(np.maximum(variance, 0)), np.minimum(solution, 0))


class _Penalised(NamedTuple):
    """||C w - mu|| + rho ||w - 1||, whose minimum is that of ||C w - mu||^2 + penalty ||w - 1||^2 for one penalty.

    Norms that are not squared have no derivative where the equations hold exactly, or nothing has changed; the squares
    are a problem of least squares for each penalty, and what is left is a search along one number.
    """

    c: NDArray[np.float64]
    mu: Vector
    rho: float

    def ratios(self, penalty: float) -> Vector:
        """Return w of 0 or more for a penalty of squares, shape (classes,)."""
        classes = len(self.mu)
        normal = self.c.T @ self.c + penalty * np.eye(classes)
        free: Vector = 1 + np.linalg.solve(normal, self.c.T @ (self.mu - self.c.sum(axis=1)))
        if (free >= 0).all():
            return free
        from scipy.optimize import nnls

        root = np.sqrt(penalty)
        bounded: Vector = nnls(
            np.vstack([self.c, root * np.eye(classes)]), np.concatenate([self.mu, np.full(classes, root)])
        )[0]
        return bounded

    def best_penalty(self) -> float:
        """Find that penalty: as it grows, one norm rises and the other falls, and their sum has one minimum."""
        from scipy.optimize import minimize_scalar

        def total(log_penalty: float) -> float:
            w = self.ratios(float(np.exp(log_penalty)))
            return float(np.linalg.norm(self.c @ w - self.mu) + self.rho * np.linalg.norm(w - 1))

        least = float(np.log(np.square(self.c).sum() * 1e-14))
        found = minimize_scalar(total, bounds=(least, least + 60), method="bounded", options={"xatol": 1e-8})
        return float(np.exp(found.x))
