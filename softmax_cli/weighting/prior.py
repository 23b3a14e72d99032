"""A first pass over a table, to estimate the prior of its rows; memory stays flat in the number of rows.

The iteration goes through all probabilities many times. They are computed once and kept as float64 in a temporary file
without a name, 8 bytes a class and row, of which a block at a time is read back.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.distributed.fleet import EachBlock, Fleet
from softmax_cli.errors import DataError, listed
from softmax_cli.numeric.class_weights import Vector
from softmax_cli.numeric.prior_shift import PriorEstimate, estimate_prior
from softmax_cli.prediction.bad_rows import Policy
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.scorer import Scoring, Truncation
from softmax_cli.prediction.steps import Term
from softmax_cli.prediction.transform import Transform, build_transform
from softmax_cli.tables.batch import ListColumn
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.pool import Listeners
from softmax_cli.tables.table import Decoded
from softmax_cli.weighting.terms import prior_term

FLAG = "--estimate-prior"
_BLOCK_VALUES = 1 << 16
"""Values read back at a time. Fixed: sums, and with them the estimate, depend on where the rows are cut."""


def probabilities_transform(columns: Columns, scoring: Scoring, skips_bad_rows: bool) -> Transform:
    """Return a transform that gives nothing but probabilities, in float64, for `Probabilities`.

    The terms of `scoring` are those that come before the prior.
    """
    only_p = scoring._replace(truncation=Truncation(), emit=("prob",), top=0, sets=None)
    policy: Policy = "skip" if skips_bad_rows else "error"
    return build_transform(columns._replace(others=()), only_p, Layout("list"), "float64", policy)


@contextmanager
def kept_probabilities(classes: int) -> Iterator[Probabilities]:
    """Keep probabilities in a temporary file while the block lasts.

    Raises
    ------
    DataError
        The temporary folder does not take a file.
    """
    with _telling_errors():
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed below
    with file:
        yield Probabilities(cast(BinaryIO, file), classes)


def estimate_from(kept: Probabilities, source: Vector) -> PriorEstimate:
    """Estimate how frequent the classes are in the rows that were kept.

    Parameters
    ----------
    source : array, shape (classes,)
        The prior of the training data.
    """
    if not kept.rows:  # a header alone is no error: nothing says that the prior has changed
        return PriorEstimate(source, source, rows=0, changed=0, iterations=0, distance=0.0)
    return estimate_prior(kept.blocks, source)


class Probabilities:
    """A file of probabilities, written once in order and read back many times."""

    def __init__(self, file: BinaryIO, classes: int) -> None:
        self._file = file
        self._classes = classes
        self.rows = 0

    def add(self, probabilities: NDArray[np.floating]) -> None:
        """Keep the probabilities of some rows, row by row."""
        left = memoryview(probabilities.tobytes())
        with _telling_errors():
            while left:
                left = left[self._file.write(left) :]
        self.rows += len(probabilities) // self._classes

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Go through all rows, shape (rows, classes) at a time."""
        self._file.seek(0)
        values = max(1, _BLOCK_VALUES // self._classes) * self._classes
        while (block := np.fromfile(self._file, np.float64, values)).size:
            yield block.reshape(-1, self._classes)


@contextmanager
def _telling_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(
            f"{FLAG} keeps the probabilities of all rows in a temporary file, and {tempfile.gettempdir()} did not take "
            f"it: {reason}; set TMPDIR to a folder with more space"
        ) from error


def estimated_term(found: PriorEstimate, classes: tuple[str, ...]) -> Term:
    """Return + log(estimated/source prior); a class that no row can be of keeps the smallest share there is."""
    share = np.maximum(found.prior, np.finfo(np.float64).tiny)
    return replace(prior_term(FLAG, found.source, share, classes), formula="+ log(estimated/source prior)")


def planned_term(classes: tuple[str, ...]) -> Term:
    """Return what stands for the estimate before any row was read."""
    return Term(FLAG, "+ log(estimated/source prior)", np.zeros(len(classes)), "found in a first pass over all rows")


def report(found: PriorEstimate, classes: tuple[str, ...]) -> list[str]:
    """Say what was estimated, the classes that moved most first."""
    order = np.argsort(-np.abs(found.prior - found.source), kind="stable").tolist()
    moves = [f"{classes[i]} {found.source[i]:.4g} -> {found.prior[i]:.4g}" for i in order]
    return [
        f"{FLAG}: EM over {found.rows:,} rows, {found.iterations} iterations, "
        f"probabilities within {found.distance:.1e} of convergence",
        f"{FLAG}: prior before -> after: {listed(moves)}",
        f"{FLAG}: {found.changed:,} of {found.rows:,} rows go to another class",
    ]


def warnings(found: PriorEstimate) -> list[str]:
    """Say what makes the estimate doubtful."""
    if found.converged:
        return []
    return [
        f"{FLAG} did not converge in {found.iterations} iterations (probabilities may still move by "
        f"{found.distance:.1e}): the estimate may be off; calibrate the scores first, or say --target-prior"
    ]


@dataclass(frozen=True, slots=True)
class _Score:
    """Scores the rows of a block."""

    transform: Transform
    """From `probabilities_transform`."""

    def __call__(self, decoded: Decoded) -> NDArray[np.floating]:
        """Return their probabilities one after the other, shape (rows * classes,)."""
        held: ListColumn = self.transform.run(decoded).batch.column("prob")
        return np.ascontiguousarray(held.matrix, np.float64).reshape(-1)


def keep_probabilities(fleet: Fleet, transform: Transform, kept: Probabilities, listeners: Listeners) -> None:
    """Keep the probabilities of all rows of a table that can be scored, in order.

    Raises
    ------
    DataError
        A row or a file is bad, or the temporary folder is full.
    """
    with fleet.results(EachBlock(transform.columns.scores, _Score(transform)), listeners) as results:
        for _, probabilities in results:
            kept.add(probabilities)
