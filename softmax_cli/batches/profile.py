"""A batch that is only looked at: its scores become a `Profile`, and no row is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.batches.badrows import rejects
from softmax_cli.batches.columns import Columns
from softmax_cli.batches.scores import check_width, read_scores, to_log_scale_
from softmax_cli.batches.table import Decoded
from softmax_cli.numeric.profile.profile import Profile, Ruler, make_ruler

HEAD_ROWS = 1000
"""The first rows, which settle the bins: always the same rows, however the table is cut into blocks."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a row stands, for a reader."""

    where: str
    id: str | None = None
    problem: str = ""
    """Why a bad row is bad."""

    def __str__(self) -> str:
        return self.where if self.id is None else f"{self.where} ({self.id})"


@dataclass(frozen=True, slots=True)
class Scores:
    """The matrices of one batch, shape (rows, classes)."""

    raw: NDArray[np.floating]
    """As they stand in the file, ``nan`` for what is missing."""
    z: NDArray[np.floating]
    """As logits; the same array where the file has logits. A row that its reader found fault with is ``nan``."""


def scores_of(decoded: Decoded, columns: Columns, dtype: str) -> Scores:
    """Read the scores of a batch; no row is refused."""
    raw = read_scores(decoded.batch, columns, np.dtype(dtype))
    plain = columns.kind == "logits" and not columns.is_binary
    z = raw if plain and not decoded.faults else to_log_scale_(raw.copy(order="K"), columns)
    if columns.is_binary:
        with np.errstate(under="ignore"):
            raw = np.exp(z) if columns.kind == "prob" else z
    for fault in decoded.faults:
        z[fault.row] = np.nan
    return Scores(raw, z)


@dataclass(frozen=True, slots=True)
class Inspector:
    """Measures batches; stateless and picklable, so that threads and engines share it."""

    columns: Columns
    dtype: str
    limit: float
    """Robust deviations beyond which a logit is an outlier."""
    ruler: Ruler

    def __call__(self, decoded: Decoded) -> Profile:
        """Measure one batch."""
        scores = scores_of(decoded, self.columns, self.dtype)
        return Profile.of(self.ruler, scores.z, scores.raw)


def make_inspector(head: Sequence[Decoded], columns: Columns, dtype: str, limit: float) -> Inspector:
    """Settle what to measure with on the first rows of a table.

    Parameters
    ----------
    head : sequence of Decoded
        Batches that together have the first `HEAD_ROWS` rows, or all there are.
    limit : float
        Robust deviations beyond which a logit is an outlier; probabilities are not judged by it.

    Raises
    ------
    DataError
        A list column is not as wide as there are classes.
    """
    for decoded in head[:1]:
        check_width(decoded.batch.schema, columns)
    parts = [scores_of(decoded, columns, dtype).raw for decoded in head]
    rows = np.concatenate([np.zeros((0, len(columns.classes)), np.dtype(dtype)), *parts])[:HEAD_ROWS]
    return Inspector(columns, dtype, limit, make_ruler(rows, limit if columns.kind == "logits" else np.inf))


def spot_of(decoded: Decoded, row: int, columns: Columns, is_bad: bool) -> Spot:
    """Say where a row of a batch stands in the input."""
    name = None if columns.id is None else str(decoded.batch.column(columns.id)[row].as_py())
    if is_bad:
        marked = np.zeros(decoded.batch.num_rows, np.bool_)
        marked[row] = True
        (reject,) = rejects(decoded, marked, columns)
        return Spot(reject.where, name, str(reject))
    return Spot(decoded.place(row, None).where, name)
