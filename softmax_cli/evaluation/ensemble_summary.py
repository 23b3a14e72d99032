"""An ensemble summed up: how far its members disagree and, with truths, how good each of them and the pool are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from softmax_cli.evaluation.measure import parts_of
from softmax_cli.evaluation.pairs.report import figures_of_member
from softmax_cli.evaluation.pairs.run import measured_folds, merged
from softmax_cli.evaluation.report import FORMAT, Figure, by_name
from softmax_cli.numeric.distributions.pooling import Disagreement
from softmax_cli.numeric.exact_sum import ExactSum
from softmax_cli.numeric.metrics import Parts, Plan
from softmax_cli.numeric.metrics._counts import ClassCounts
from softmax_cli.numeric.metrics._rows import Rows
from softmax_cli.prediction.members.ensemble import Pool, PooledRows
from softmax_cli.prediction.members.joining import JoinedRows
from softmax_cli.version import __version__

PLAN = Plan(top_k=(), replicates=0)
_NOTES = {
    "vote_entropy": "entropy of the votes, mean, nats",
    "mutual_information": "BALD, mean, nats",
    "agreement": "share of the pairs that agree, mean",
}


@dataclass(frozen=True, eq=False)
class EnsembleSummary:
    """What is known of some rows; that of other rows merges with it exactly."""

    rows: int
    """Rows that were pooled."""
    apart: ExactSum
    """Sums of the figures of `Disagreement`."""
    measured: tuple[Parts, ...]
    """Each table, then the pool, on the rows with a truth."""

    @classmethod
    def of(cls, joined: JoinedRows, pooled: PooledRows) -> Self:
        """Sum up a block."""
        good = ~joined.bad
        use = np.flatnonzero(good & (pooled.labels >= 0))
        tables = (*(rows.log_p for rows in joined.members), pooled.log_p)
        parts = (parts_of(measured_folds(PLAN), Rows(log_p[use], pooled.labels[use]), PLAN) for log_p in tables)
        apart = np.stack([values[good] for values in pooled.apart])
        return cls(int(good.sum()), ExactSum.of_rows(apart), tuple(parts))

    def plus(self, other: Self) -> Self:
        """Merge with the part of other rows."""
        measured = merged(self.measured, other.measured)
        return type(self)(self.rows + other.rows, self.apart.plus(other.apart), measured)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Means of the disagreement."""
        means = self.apart.values / self.rows if self.rows else np.full(len(_NOTES), np.nan)
        values = dict(zip(Disagreement._fields, means.tolist(), strict=True))
        return tuple(Figure(name, name.replace("_", " "), value, None, _NOTES[name]) for name, value in values.items())

    @property
    def labelled(self) -> int:
        """Rows with a truth."""
        return self.measured[0][ClassCounts].rows

    def members(self, names: list[str]) -> Iterator[tuple[str, tuple[Figure, ...]]]:
        """Figures of each table, then of the pool, where there are truths."""
        for name, parts in zip((*names, "ensemble"), self.measured if self.labelled else (), strict=False):
            yield name, figures_of_member(PLAN, parts)

    def lines(self, names: list[str]) -> Iterator[str]:
        """Say it in a line each."""
        yield "; ".join(f"{figure.title} {figure.value:.5f}" for figure in self.figures)
        for name, figures in self.members(names):
            yield f"{name}: " + ", ".join(f"{figure.title} {figure.value:.5f}" for figure in figures)

    def to_json(self, names: list[str], pool: Pool) -> dict[str, object]:
        """Plain values."""
        members = [{"file": name, "figures": by_name(figures)} for name, figures in self.members(names)]
        known = {"rows": self.rows, "labelled": self.labelled, "figures": by_name(self.figures), "members": members}
        return ensemble_json(names, pool) | known


def ensemble_json(names: list[str], pool: Pool) -> dict[str, object]:
    """Plain values of an ensemble of tables without rows."""
    return {
        "format": FORMAT,
        "softmax_cli": __version__,
        "command": "ensemble",
        "rows": 0,
        "labelled": 0,
        "pool": pool.kind,
        "weights": dict(zip(names, pool.weights.tolist(), strict=True)),
        "figures": {},
        "members": [],
    }
