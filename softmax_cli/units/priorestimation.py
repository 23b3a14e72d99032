"""The first pass of ``--estimate-prior`` by an engine: units are scored elsewhere, the iteration goes on here."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from softmax_cli.batches.table import Table
from softmax_cli.batches.transform import Transform
from softmax_cli.runs.priorestimation import Probabilities
from softmax_cli.runs.scoring import Listeners, score_table
from softmax_cli.units.fleet import Fleet
from softmax_cli.units.plan import Unit
from softmax_cli.units.reading import Reading


@dataclass(frozen=True, slots=True)
class ScoreForPrior:
    """Scores a unit."""

    transform: Transform
    """From `probabilities_transform`."""

    def __call__(self, unit: Unit, table: Table) -> tuple[int, bytes]:
        """Return the rows that were read, and the probabilities of those that could be scored, float64."""
        file = io.BytesIO()
        kept = Probabilities(file, len(self.transform.columns.classes))
        silent = Listeners(lambda rows, size: None, lambda rejects: None)
        finished = score_table(table, self.transform, kept, 1, silent)
        return finished.tally.rows, file.getvalue()


def keep_units(fleet: Fleet, reading: Reading, transform: Transform, kept: Probabilities, listeners: Listeners) -> None:
    """Keep the probabilities of all rows of a table in order, the same bytes as `score_table` has it keep."""
    with fleet.results(reading, ScoreForPrior(transform)) as results:
        for unit, (rows, probabilities) in results:
            kept.write(np.frombuffer(probabilities))
            listeners.progress(rows, unit.size)
