"""A first pass over a table, to estimate the prior of its rows; memory stays flat in the number of rows.

The iteration of EM goes through all probabilities many times. They are computed once and kept as float64 in a temporary
file without a name, 8 bytes a class and row, of which a block at a time is read back.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.distributed.fleet import EachBlock, Fleet
from softmax_cli.errors import DataError, counted, listed
from softmax_cli.numeric.class_weights import Vector, normalize_prior
from softmax_cli.numeric.label_shift.em import PriorEstimate, estimate_prior, rows_changed
from softmax_cli.numeric.softmax import argmax
from softmax_cli.prediction.bad_rows import Policy, with_truth_faults
from softmax_cli.prediction.layout import Layout
from softmax_cli.prediction.scorer import Scoring, Term, Truncation
from softmax_cli.prediction.transform import Transform, build_transform
from softmax_cli.storage.reading import temporary_space
from softmax_cli.tables.batch import ListColumn
from softmax_cli.tables.columns import Columns
from softmax_cli.tables.labels import LabelReading, Truth
from softmax_cli.tables.table import Decoded, Table
from softmax_cli.tables.threads import Listeners
from softmax_cli.weighting.logit_terms import prior_term

FLAG = "--estimate-prior"
_KEPT = f"{FLAG} keeps the probabilities of all rows in a temporary file"
_BLOCK_VALUES = 1 << 16
"""Values read back at a time. Fixed: sums, and with them the estimate, depend on where the rows are cut."""


def probabilities_transform(columns: Columns, scoring: Scoring, policy: Policy) -> Transform:
    """Return a transform that gives nothing but probabilities, in float64.

    The terms of `scoring` are those that come before the prior.
    """
    only_p = scoring._replace(truncation=Truncation(), emit=("prob",), top=0, sets=None)
    return build_transform(columns._replace(others=()), only_p, Layout("list"), "float64", policy)


@contextmanager
def kept_probabilities(classes: int) -> Iterator[Probabilities]:
    """Keep probabilities in a temporary file while the block lasts.

    Raises
    ------
    DataError
        The temporary folder does not take a file.
    """
    with temporary_space(_KEPT):
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed below
    with file:
        yield Probabilities(cast(BinaryIO, file), classes)


def estimate_from(kept: Probabilities, source: Vector, confusion: Confusion | None = None) -> PriorEstimate:
    """Estimate how frequent the classes are in the rows that were kept.

    Parameters
    ----------
    source : array, shape (classes,)
        The prior of the training data.
    confusion : Confusion or None
        Which classes the model confuses, and what is made of it; None: EM, which needs no labels.

    Raises
    ------
    DataError
        A class has no labelled row, or the model cannot tell some classes apart.
    """
    if not kept.rows:  # a header alone is no error: nothing says that the prior has changed
        return PriorEstimate(source, source, rows=0, changed=0, iterations=0, distance=0.0)
    if confusion is None:
        return estimate_prior(kept.blocks, source)
    from softmax_cli.numeric.label_shift.confusion_matrix import METHODS

    where = f"{FLAG}: {confusion.source}"
    if lacking := confusion.lacking:
        raise DataError(f"{where}: no labelled row of {listed(lacking, 5)}; --prior-method em needs no labels")
    classes = len(source)
    predicted = sum((np.bincount(argmax(p), minlength=classes) for p in kept.blocks()), np.zeros(classes, np.int64))
    try:
        found = METHODS[confusion.method](confusion.counts, predicted)
    except ValueError as error:
        raise DataError(f"{where}: {error}; --prior-method rlls and em can do without") from None
    share = normalize_prior(source)
    changed = rows_changed(kept.blocks, share, found.share)
    return PriorEstimate(share, found.share, kept.rows, changed, iterations=0, distance=0.0, error=found.error)


_MOST_CLASSES = 5000
"""A matrix of classes by classes is 200 MB then."""


@dataclass(frozen=True, eq=False)
class Confusion:
    """Which classes a model confuses on labelled rows."""

    counts: NDArray[np.int64]
    """Rows by predicted class (row) and true class (column)."""
    source: str
    """Name of the file."""
    classes: tuple[str, ...]
    method: str
    """Of `confusion_matrix.METHODS`."""
    left_out: int = 0
    """Rows without a truth or without scores."""

    @property
    def lacking(self) -> list[str]:
        """Classes without a labelled row."""
        return [self.classes[i] for i in np.flatnonzero(self.counts.sum(axis=0) == 0)]


def _confused(transform: Transform, truth: Truth, decoded: Decoded) -> tuple[NDArray[np.int64], LabelReading, int]:
    """Return predicted * classes + true of the rows that have both, how truths were read, and how many have not."""
    found = truth.labels(decoded.batch)
    p = _probabilities(transform, with_truth_faults(decoded, truth, found, found.without))
    good = np.isfinite(p).all(axis=1) & (found.indices >= 0)
    cells = argmax(p[good]).astype(np.int64) * p.shape[1] + found.indices[good]
    return cells, found.reading, int((~good).sum())


def _probabilities(transform: Transform, decoded: Decoded) -> NDArray[np.float64]:
    """Score a block, shape (rows, classes)."""
    held: ListColumn = transform.run(decoded).batch.column("prob")
    return np.asarray(held.matrix, np.float64)


def confusion_of(
    fleet: Fleet[Table], transform: Transform, truth: Truth, source: str, method: str, listeners: Listeners
) -> Confusion:
    """Count the labelled rows of a table by predicted and true class.

    Raises
    ------
    DataError
        A row or a file is bad, or a matrix of so many classes would not fit.
    """
    classes = transform.columns.classes
    size = len(classes)
    if size > _MOST_CLASSES:
        raise DataError(
            f"{FLAG}: bbse and rlls keep a matrix of classes by classes, at most {_MOST_CLASSES:,}, and there are "
            f"{size:,}: --prior-method em"
        )
    counts, reading, left_out = np.zeros(size * size, np.int64), LabelReading(), 0
    with fleet.results(EachBlock(transform.columns.scores, partial(_confused, transform, truth)), listeners) as results:
        for _, (cells, read, unusable) in results:
            np.add.at(counts, cells, 1)
            reading, left_out = reading.plus(read), left_out + unusable
    reading.check(size)
    return Confusion(counts.reshape(size, size), source, classes, method, left_out)


class Probabilities:
    """A file of probabilities, written once in order and read back many times."""

    def __init__(self, file: BinaryIO, classes: int) -> None:
        self._file = file
        self._classes = classes
        self.rows = 0

    def add(self, probabilities: NDArray[np.floating]) -> None:
        """Keep the probabilities of some rows, shape (rows, classes)."""
        left = memoryview(probabilities.tobytes())
        with temporary_space(_KEPT):
            while left:
                left = left[self._file.write(left) :]
        self.rows += len(probabilities)

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Go through all rows, shape (rows, classes) at a time."""
        self._file.seek(0)
        values = max(1, _BLOCK_VALUES // self._classes) * self._classes
        while (block := np.fromfile(self._file, np.float64, values)).size:
            yield block.reshape(-1, self._classes)


def estimated_term(found: PriorEstimate, classes: tuple[str, ...]) -> Term:
    """Return + log(estimated/source prior); a class that no row can be of keeps the smallest share there is."""
    share = np.maximum(found.prior, np.finfo(np.float64).tiny)
    return prior_term(FLAG, found.source, share, classes)._replace(formula="+ log(estimated/source prior)")


def planned_term(classes: tuple[str, ...]) -> Term:
    """Return what stands for the estimate before any row was read."""
    return Term(FLAG, "+ log(estimated/source prior)", np.zeros(len(classes)), "found in a first pass over all rows")


def report(found: PriorEstimate, classes: tuple[str, ...], confusion: Confusion | None) -> list[str]:
    """Say what was estimated, the classes that moved most first."""
    order = np.argsort(-np.abs(found.prior - found.source), kind="stable").tolist()
    error = found.error
    errors = [""] * len(classes) if error is None else [f" ± {one:.2g}" for one in error.tolist()]
    moves = [f"{classes[i]} {found.source[i]:.4g} -> {found.prior[i]:.4g}{errors[i]}" for i in order]
    known = "" if error is None else " (± one standard error)"
    rows = counted(found.rows, "row")
    if confusion is None:
        how = f"EM over {rows}, {found.iterations} iterations, probabilities within {found.distance:.1e} of convergence"
    else:
        left_out = f" ({counted(confusion.left_out, 'bad row')} left out)" if confusion.left_out else ""
        labelled = f"{int(confusion.counts.sum()):,} labelled ones of {confusion.source}"
        how = f"{confusion.method.upper()} over {rows}, {labelled}{left_out}"
    return [
        f"{FLAG}: {how}",
        f"{FLAG}: prior before -> after{known}: {listed(moves)}",
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


def keep_probabilities(fleet: Fleet[Table], transform: Transform, kept: Probabilities, listeners: Listeners) -> None:
    """Keep the probabilities of all rows of a table that can be scored, in order.

    Raises
    ------
    DataError
        A row or a file is bad, or the temporary folder is full.
    """
    with fleet.results(EachBlock(transform.columns.scores, partial(_probabilities, transform)), listeners) as results:
        for _, probabilities in results:
            kept.add(probabilities)
