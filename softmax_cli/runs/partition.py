"""A table scored unit by unit on an engine: what is done already -> engine -> parts in order -> commit."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from softmax_cli.engines import Engine
from softmax_cli.rejects import KeepRejects
from softmax_cli.runs.scoring import Finished
from softmax_cli.units.fingerprint import Fingerprint, fingerprint
from softmax_cli.units.folder import JOB, PartFolder
from softmax_cli.units.parts import Part, together
from softmax_cli.units.plan import Unit
from softmax_cli.units.scoring import ScoreUnit, read_rejects, record_of
from softmax_cli.version import __version__

Progress = Callable[[int, int], None]
RejectsFile = AbstractContextManager[KeepRejects]
MANIFEST_FORMAT = 1
"""Version of the manifest."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A job whose result is a folder of parts."""

    work: ScoreUnit
    units: tuple[Unit, ...]
    folder: PartFolder
    workers: int
    """How many units at once."""
    resume: bool
    """Keep what a run of the same job has done there."""

    def run(self, engine: Engine, progress: Progress, rejects: RejectsFile) -> Finished:
        """Run the units that are not done, gather their bad rows in order, and commit.

        Raises
        ------
        DataError
            A unit failed: the first in order, if several did. What was done stays, to be gone on with.
        UsageError
            The folder is taken by another run, or by parts of another job.
        """
        job = fingerprint(self.work, self.units)
        with self.folder.claim(job, self.resume):
            parts = self._done(job)
            for part in parts.values():
                progress(part.finished.tally.rows, part.unit.size)
            waiting = [unit for unit in self.units if unit.number not in parts]
            for _, part in engine.run(self.work, waiting, self.workers):
                parts[part.unit.number] = part
                progress(part.finished.tally.rows, part.unit.size)
            in_order = [parts[unit.number] for unit in self.units]
            if not self.folder.committed(job):  # else a run before has gathered them
                self._gather(in_order, rejects)
            self.folder.commit([part.name for part in in_order], self._manifest(job, in_order))
        return together(in_order)

    def describe(self) -> str:
        """Say in a line how the job is cut."""
        pieces = sum(unit.row_groups is not None for unit in self.units)
        whole = len(self.units) - pieces
        cut = [f"{whole:,} of a whole file"] * (whole > 0) + [f"{pieces:,} of row groups of a large file"] * (
            pieces > 0
        )
        return f"{len(self.units):,}: {', '.join(cut)}; {self.workers} at once"

    def _done(self, job: Fingerprint) -> dict[int, Part]:
        names = {self.work.name(unit): unit for unit in self.units}
        policy = self.work.transform.on_bad_row
        parts = [Part.from_json(held, names[held["name"]], policy) for held in self.folder.done(job)]
        return {part.unit.number: part for part in parts}

    def _gather(self, parts: Sequence[Part], rejects: RejectsFile) -> None:
        with rejects as keep:
            for part in parts:
                if part.finished.tally.bad_rows:
                    for reject in read_rejects(record_of(self.folder.unfinished / part.name)):
                        keep((reject,))

    def _manifest(self, job: Fingerprint, parts: Sequence[Part]) -> dict[str, object]:
        finished = together(parts)
        return {
            "format": MANIFEST_FORMAT,
            "rows": finished.written,
            "rows_read": finished.tally.rows,
            "bad_rows": finished.tally.bad_rows,
            "scored": self.work.transform.record(),
            "versions": {
                "softmax_cli": __version__,
                "python": platform.python_version(),
                "numpy": np.__version__,
                "pyarrow": pa.__version__,
            },
            JOB: job,
            "parts": [part.to_json() for part in parts],
        }
