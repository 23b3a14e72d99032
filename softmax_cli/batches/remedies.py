"""Remedies for outlying logits as frozen operations of a transform: what is done, and how it is told."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.numeric.remedies import clip_, softcap_, standardize_, winsorize_

Matrix = NDArray[np.floating]


class Remedy(Protocol):
    """Changes logits in place, shape (rows, classes), each row by itself."""

    @property
    def step(self) -> str:
        """The operation in one line, with the option it came from."""

    def __call__(self, z: Matrix) -> Matrix:
        """Return `z` itself."""


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
