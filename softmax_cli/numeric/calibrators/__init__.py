"""The calibration methods: this folder is their registry, and a new method is one new module in it.

A method is a module that holds one class, called by the module's name with a capital letter (``bcts.py``: ``Bcts``),
that answers to `Calibrator`. A calibrator is its fitted parameters: there is none that is not fitted. What fits them
lies in the modules with an underscore, what chooses between methods in `model_selection`; scipy is imported only while
fitting.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Protocol, Self, cast

from numpy.typing import NDArray

Matrix = NDArray[Any]
"""float64, shape (rows, classes)."""
Parameters = dict[str, float | list[Any]]
"""What JSON can hold: numbers and (nested) lists of numbers."""


class Calibrator(Protocol):
    """A fitted map from the logits of a row to its log-probabilities; it sees one row at a time, to the last bit."""

    name: ClassVar[str]
    """What users type."""

    @property
    def free_parameters(self) -> int:
        """How many numbers were fitted: of two methods that score alike, the one with fewer is the simpler."""

    @classmethod
    def fit(cls, z: Matrix, labels: NDArray[Any], weights: NDArray[Any] | None = None) -> Self:
        """Fit to held-out rows.

        Parameters
        ----------
        z : array, shape (rows, classes)
            Logits or log-probabilities, float64; ``-inf`` masks a class.
        labels : array of int, shape (rows,)
            Index of the true class.
        weights : array, shape (rows,), optional
            What a row counts, 0 or more; by default 1.

        Raises
        ------
        ValueError
            The rows determine no such calibrator; the message says why.
        """

    def log_p(self, z: Matrix) -> Matrix:
        """Calibrated log-probabilities, shape (rows, classes).

        Every row sums to 1 and a masked class stays at ``-inf``. A row with ``nan``, ``+inf`` or nothing but ``-inf``
        is ``nan`` throughout, as in `softmax_cli.numeric.softmax`.

        Raises
        ------
        ValueError
            There are not as many classes as the calibrator was fitted to.
        """

    def parameters(self) -> Parameters:
        """What the calibrator consists of, for a JSON file; nothing is rounded."""

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Self:
        """Rebuild, bit for bit, what `parameters` came from.

        Raises
        ------
        ValueError
            A parameter is missing, has the wrong shape, or is out of its range.
        """

    def describe(self) -> str:
        """One line for people."""


@cache
def names() -> tuple[str, ...]:
    """Names of the methods there are, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def by_name(name: str) -> type[Calibrator]:
    """Find a method.

    Raises
    ------
    ValueError
        There is no such method.
    """
    if name not in names():
        raise ValueError(f"no calibration method '{name}'; there are {', '.join(names())}")
    return cast("type[Calibrator]", getattr(import_module(f"{__name__}.{name}"), name.capitalize()))
