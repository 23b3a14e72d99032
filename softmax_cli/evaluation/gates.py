"""Conditions under which a command ends with exit code 3: ``--fail-if 'ece > 0.05'``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from softmax_cli.errors import UsageError, nearest

if TYPE_CHECKING:
    from softmax_cli.evaluation.report import Figure

_COMPARE: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
)
_FORM = re.compile(r"\s*([A-Za-z_][\w-]*)\s*(>=|<=|>|<)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition under which an evaluation counts as failed, for pipelines: ``name sign limit``."""

    given: str
    name: str
    sign: str
    limit: float

    def failure(self, value: float) -> str:
        """Return why it fails; "" where it does not. A figure that is not known fails: nothing vouches for it."""
        if value != value:
            return f"--fail-if {self.given!r}: {self.name} is unknown"
        if _COMPARE[self.sign](value, self.limit):
            return f"--fail-if {self.given!r}: {self.name} is {value:.6g}"
        return ""


def parse_gate(given: str, names: Sequence[str]) -> Gate:
    """Read ``ece > 0.05``.

    Raises
    ------
    UsageError
        It has another form, or names no figure.
    """
    match = _FORM.fullmatch(given)
    if match is None:
        raise UsageError(f"--fail-if {given!r}: write a figure, a sign and a number, such as --fail-if 'ece > 0.05'")
    name, sign, limit = match.groups()
    name = name.lower().replace("-", "_")
    if name not in names:
        near = nearest(name, names, 1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise UsageError(f"--fail-if {given!r}: no figure is called {name!r}; {meant}there are: {', '.join(names)}")
    try:
        number = float(limit)
    except ValueError:
        number = float("nan")
    if number != number:
        raise UsageError(f"--fail-if {given!r}: {limit!r} is not a number")
    return Gate(given.strip(), name, sign, number)


def failures(gates: Iterable[Gate], figures: Iterable[Figure]) -> tuple[str, ...]:
    """Return why gates fail, in the order in which they were given."""
    known = {figure.name: figure for figure in figures}
    return tuple(reason for gate in gates if (reason := gate.failure(known[gate.name].value)))
