"""The calibration methods: this folder is their registry, and a new method is one new module in it.

A method is a module that holds one class of the same name (``bcts.py``: ``Bcts``; ``venn_abers.py``: ``VennAbers``,
which users type as ``venn-abers``) that answers to `Calibrator`. A calibrator is its fitted parameters: there is none
that is not fitted. What fits them lies in the modules with an underscore, what chooses between methods in
`model_selection`; scipy is imported only while fitting.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, cast

from numpy.typing import NDArray

if TYPE_CHECKING:
    from softmax_cli.numeric.calibrators._examples import Examples

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
    def fit(cls, examples: Examples) -> Self:
        """Fit to held-out rows, as `Examples.checked` takes them.

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
    modules = (module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(sorted(name.replace("_", "-") for name in modules))


def by_name(name: str) -> type[Calibrator]:
    """Find a method.

    Raises
    ------
    ValueError
        There is no such method.
    """
    if name not in names():
        raise ValueError(f"no calibration method '{name}'; there are {', '.join(names())}")
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    return cast("type[Calibrator]", getattr(module, "".join(map(str.capitalize, name.split("-")))))
