"""What a transform can do beside the softmax: remedies for outliers, draws, costs, superclasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.clipping import clip_, softcap_, standardize_, winsorize_

Matrix = NDArray[np.floating]


class Clip(NamedTuple):
    """Bounds on every logit."""

    low: float
    high: float

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"clip z to [{self.low:g}, {self.high:g}]  (--clip-logits)"

    def __call__(self, z: Matrix) -> Matrix:
        """Clip in place."""
        return clip_(z, self.low, self.high)


class Winsorize(NamedTuple):
    """Bounds on every row that its own quantiles set."""

    share: float

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"pull z within the {self.share:g} and {1 - self.share:g} quantiles of its row  (--winsorize)"

    def __call__(self, z: Matrix) -> Matrix:
        """Winsorize in place."""
        return winsorize_(z, self.share)


class Softcap(NamedTuple):
    """A smooth bound."""

    cap: float

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"{self.cap:g} * tanh(z / {self.cap:g})  (--softcap)"

    def __call__(self, z: Matrix) -> Matrix:
        """Cap in place."""
        return softcap_(z, self.cap)


class Standardize(NamedTuple):
    """Mean 0 and deviation 1 within every row."""

    step: str = "(z - mean) / deviation of its row  (--standardize)"

    def __call__(self, z: Matrix) -> Matrix:
        """Standardize in place."""
        return standardize_(z)


@dataclass(frozen=True, slots=True)
class Draws:
    """Actions that are drawn for every row."""

    count: int = 1
    seed: int = 0
    replace: bool = True
    epsilon: float = 0.0
    """Share of exploration."""

    @property
    def step(self) -> str:
        """The operation in one line."""
        kind = "" if self.count == 1 else f"{self.count} " + ("with" if self.replace else "without") + " replacement, "
        return f"draw by Gumbel-max: {kind}seed {self.seed}"

    def __call__(
        self, log_p: NDArray[np.floating], allowed: NDArray[np.bool_], first_row: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Draw classes, and the log-probabilities that they were drawn with, both of shape (rows, count).

        Parameters
        ----------
        log_p, allowed : arrays, shape (rows, classes)
            The distribution, and which classes may be explored.
        """
        from softmax_cli.numeric.distributions.sampling import mix_uniform, sample

        mixed = mix_uniform(np.asarray(log_p, np.float64), allowed, self.epsilon)
        return sample(mixed, seed=self.seed, first_row=first_row, draws=self.count, replace=self.replace)


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What decisions cost, and the choice of the one with the least expected cost."""

    matrix: NDArray[np.float64]
    """Cost of each decision where a class is true, shape (classes, decisions)."""
    decisions: NDArray[np.int32]
    """Code of each decision: the column of a class, or one from the number of classes on, for `others`."""
    others: tuple[str, ...] = ()
    """Decisions that are no class, such as to abstain."""

    @property
    def step(self) -> str:
        """The operation in one line."""
        return "predict the decision of least expected cost  (--costs)"

    def least(self, p: NDArray[np.floating]) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Code and expected cost of the best decision of each row, both of shape (rows,); of equals the first."""
        from softmax_cli.numeric.distributions.uncertainty import expected_costs

        expected = expected_costs(p, self.matrix)
        best = expected.argmin(axis=1)
        return self.decisions[best], np.take_along_axis(expected, best[:, None], axis=1)[:, 0]


@dataclass(frozen=True, slots=True, eq=False)
class Superclasses:
    """Classes that stand for several, whose probabilities they add up."""

    names: tuple[str, ...]
    members: NDArray[np.intp]
    """Which of them each class belongs to, shape (classes,)."""

    @property
    def step(self) -> str:
        """The operation in one line."""
        return f"sum the probabilities up to {len(self.names)} superclasses  (--superclasses)"

    def sums(self, log_p: NDArray[np.floating]) -> NDArray[np.floating]:
        """Log of the summed probabilities, shape (rows, superclasses)."""
        from softmax_cli.numeric.distributions.groups import superclass_log_sums

        return superclass_log_sums(log_p, self.members, len(self.names))

    def labels(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Superclasses of true classes, shape (rows,); what is negative stays."""
        return np.where(labels < 0, labels, self.members[np.maximum(labels, 0)])
