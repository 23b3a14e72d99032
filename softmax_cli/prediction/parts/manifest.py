"""A folder of parts that is finished or visibly not: parts gather in ``_unfinished``, and ``_SUCCESS`` comes last.

Readers of folders pass over names that begin with ``_``: until the commit there is nothing for them to find. A store
cannot move an object, but shows it only when it is whole: there, parts get their names one by one, ``_unfinished``
holds what they come to, and it is ``_SUCCESS`` that says that all are there.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from softmax_cli.distributed.engines import Engine
from softmax_cli.distributed.fleet import EachBlock, Workers
from softmax_cli.distributed.plan import Unit, UnitReader, spread
from softmax_cli.errors import UsageError
from softmax_cli.formats import Format, name_of
from softmax_cli.prediction.bad_rows import KeepRejects
from softmax_cli.prediction.parts.part_files import (
    RECORD,
    Fingerprint,
    Part,
    PartFormat,
    Reading,
    ScoreUnit,
    differences,
    fingerprint,
    read_record,
    read_rejects,
    record_of,
    together,
)
from softmax_cli.prediction.run import Finished, Work
from softmax_cli.prediction.transform import Transform
from softmax_cli.storage import folders
from softmax_cli.storage.remote import is_remote
from softmax_cli.storage.writing import reporting_errors, whole_file
from softmax_cli.stream.outputs import json_bytes
from softmax_cli.stream.scores import Inputs, ScoreTable
from softmax_cli.tables.table import Decoded, WriteOptions
from softmax_cli.tables.threads import NOBODY
from softmax_cli.version import __version__

UNFINISHED, MANIFEST, SUCCESS = "_unfinished", "_manifest.json", "_SUCCESS"
JOB = "job"
"""In the manifest the key, in the folder of unfinished parts the file, that says what job it is."""
OURS = re.compile(rf"part-\d{{5,}}\.[\w.]+|{UNFINISHED}|{MANIFEST}|{SUCCESS}")


@dataclass(frozen=True, slots=True)
class PartFolder:
    """Where the parts of one job end up."""

    path: str
    """Without a slash at its end."""

    @property
    def is_stored(self) -> bool:
        """Whether it is a place in a store."""
        return is_remote(self.path)

    @property
    def unfinished(self) -> str:
        """Where what they come to is put down until all are done."""
        return f"{self.path if self.is_stored else os.path.abspath(self.path)}/{UNFINISHED}"

    @property
    def parts(self) -> str:
        """Where they are written."""
        return self.path if self.is_stored else self.unfinished

    def check(self, force: bool, resume: bool) -> None:
        """Refuse, before anything is read, a folder that cannot be made, or that holds something.

        Raises
        ------
        UsageError
            With what to type instead.
        """
        folders.check_folder(self.path)
        there = folders.names_in(self.path)
        if not there:
            return
        strangers = sorted(name for name in there if not OURS.fullmatch(name))
        if strangers:
            raise UsageError(
                f"{self.path} holds {strangers[0]}, which no run has left there; name another folder, or a file in it"
            )
        if not (force or resume):
            state = "an unfinished run; go on with --resume" if UNFINISHED in there else "the parts of a finished run"
            raise UsageError(f"{self.path} holds {state}; replace it with --force, or name another folder")

    def check_inputs(self, files: Sequence[str]) -> None:
        """Refuse to read what is to be replaced.

        Raises
        ------
        UsageError
            An input lies in the folder.
        """
        for file in files:
            if folders.holds(self.path, file):
                raise UsageError(f"{self.path} holds the input {file}: the output needs another folder")

    @contextmanager
    def claim(self, job: Fingerprint, resume: bool) -> Iterator[None]:
        """Make the folder ready for the parts of a job, and keep other runs out meanwhile.

        A store has no locks: of two runs that begin at once there, the second finds that the first has begun.

        Raises
        ------
        UsageError
            Another run is at work there, or what is there belongs to another job and is to be continued.
        """
        made = not self.is_stored and not os.path.exists(self.path)
        with folders.locked(self.path), self._clearing(made):
            self._begin(job, resume)
            yield

    @contextmanager
    def _clearing(self, made: bool) -> Iterator[None]:
        """After a failure, leave nothing where nothing is done, so that the next run finds nothing in its way."""
        try:
            yield
        except BaseException as error:
            if self.is_stored and isinstance(error, UsageError):  # what is there is another run's
                raise
            with suppress(OSError):
                if not any(name.startswith("part-") for name in folders.names_in(self.unfinished)):
                    folders.remove_folder(self.unfinished)
                if made:
                    os.rmdir(self.path)
            raise

    def _begin(self, job: Fingerprint, resume: bool) -> None:
        before = self._job() if resume else None
        if before is not None and before != job:
            text = "; ".join(differences(before, job))
            raise UsageError(
                f"{self.path} holds parts of another job: {text}; go on with the command that began it, or start anew "
                "with --force"
            )
        if before is None:
            folders.remove_folder(self.unfinished)
            if self.is_stored:  # parts of two jobs would stand side by side under the mark of the first
                self._remove(lambda name: True)
        if not self.is_stored:
            os.makedirs(self.unfinished, exist_ok=True)
        _write_json(f"{self.unfinished}/{JOB}", job, force=before is not None)

    def _job(self) -> Fingerprint | None:
        """Return the fingerprint of the job whose parts are there."""
        return _read_json(f"{self.unfinished}/{JOB}") or (_read_json(f"{self.path}/{MANIFEST}") or {}).get(JOB)

    def committed(self, job: Fingerprint) -> list[dict[str, Any]]:
        """Return the records of all parts of a job whose manifest is written: only the mark may be missing."""
        manifest = _read_json(f"{self.path}/{MANIFEST}") or {}
        listed: list[dict[str, Any]] = manifest["parts"] if manifest.get(JOB) == job else []
        return listed if all(map(self._is_there, listed)) else []

    def done(self, job: Fingerprint) -> list[dict[str, Any]]:
        """Return the records of the parts that a claimed job has already."""
        names = (name for name in folders.names_in(self.unfinished) if name.startswith("part-"))
        records = (read_record(f"{self.unfinished}/{name}") for name in names if name.endswith(RECORD))
        return self.committed(job) or [record for record in records if self._is_there(record)]

    def _is_there(self, record: Mapping[str, Any]) -> bool:
        """Look for the bytes; after a commit that was cut short, a part may be in its last place."""
        places = dict.fromkeys((self.parts, self.path))
        sizes = (folders.size_now(f"{place}/{record['name']}") for place in places)
        return bool(next((size for size in sizes if size is not None), None) == record["bytes"])

    def commit(self, names: Sequence[str], manifest: Mapping[str, object]) -> None:
        """Give all parts their names, then write the manifest, then the mark; every step can be done again."""
        with reporting_errors(Path(self.path)):
            self._remove(lambda name: name == SUCCESS or (name.startswith("part-") and name not in names))
            for name in () if self.is_stored else names:
                if os.path.exists(f"{self.unfinished}/{name}"):
                    Path(self.unfinished, name).replace(Path(self.path, name))
            _write_json(f"{self.path}/{MANIFEST}", manifest)
            folders.remove_folder(self.unfinished)
            with whole_file(f"{self.path}/{SUCCESS}", force=True):
                pass

    def _remove(self, is_old: Callable[[str], bool]) -> None:
        """Remove of what a run has left the mark first, then all else that is old."""
        there = sorted(name for name in folders.names_in(self.path) if name != UNFINISHED and is_old(name))
        folders.remove_files([f"{self.path}/{name}" for name in there if name == SUCCESS])
        folders.remove_files([f"{self.path}/{name}" for name in there if name != SUCCESS])


def _write_json(path: str, value: object, force: bool = True) -> None:
    with whole_file(path, force) as file:
        file.write(json_bytes(value))


def _read_json(path: str) -> dict[str, Any] | None:
    try:
        with folders.open_now(path) as file:
            return dict(json.loads(file.read().decode("utf-8", "surrogateescape")))
    except FileNotFoundError:
        return None


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
            A unit failed: the first in order, if several did. What was done stays, to be continued.
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

    def _done(self, job: Fingerprint) -> dict[int, Part]:
        names = {self.work.name(unit): unit for unit in self.units}
        policy = self.work.transform.on_bad_row
        parts = [Part.from_json(held, names[held["name"]], policy) for held in self.folder.done(job)]
        return {part.unit.number: part for part in parts}

    def _gather(self, parts: Sequence[Part], rejects: RejectsFile) -> None:
        with rejects as keep:
            for part in parts:
                if part.finished.tally.bad_rows:
                    for reject in read_rejects(record_of(self.folder.unfinished, part.name)):
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
                "pyarrow": version("pyarrow"),
            },
            JOB: job,
            "parts": [part.to_json() for part in parts],
        }


def _rows_of(decoded: Decoded) -> int:
    return decoded.batch.num_rows


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of parts as the target of a run; see `Target`."""

    name: str
    """As it was typed."""
    place: PartFolder
    form: Format
    """Of every part."""
    options: WriteOptions
    inputs: Inputs
    workers: Workers
    resume: bool
    """Keep what a run of the same job has done there."""
    force: bool
    """Replace what is there."""
    reading: Reading | None = None
    """How units are read; None: as the table that is written was opened from `inputs`."""
    make: Callable[..., ScoreUnit] = ScoreUnit
    """Makes what scores a unit."""
    measure_again: Callable[[Unit], Any] | None = None
    """Finds what `Finished.beside` lacks of a unit whose part an earlier run has written; None: it lacks nothing."""

    @property
    def overwrites(self) -> bool:
        """See `Target`: the bad rows that a run before has gathered are gathered again."""
        return self.force or self.resume

    @property
    def in_parts(self) -> bool:
        """See `Target`."""
        return True

    def describe(self, columns: str) -> list[str]:
        """See `Target`; how the input is cut into units has a line of its own."""
        units = self.workers.units
        pieces = sum(unit.row_groups is not None for unit in units)
        whole = len(units) - pieces
        cut = [f"{whole:,} of a whole file"] * (whole > 0)
        cut += [f"{pieces:,} of row groups of a large file"] * (pieces > 0)
        return [
            f"writes   {name_of(self.form)} to {self.name}: {columns}",
            f"units    {len(units):,}: {', '.join(cut)}; {self._at_once[0]} at once",
        ]

    def write(self, scores: ScoreTable, transform: Transform, work: Work) -> Finished:
        """See `Target`; a unit that failed leaves the parts that are done for --resume."""
        if transform.order is not None:
            raise UsageError("--sort orders the rows of one stream, parts are made side by side: write one file")
        units = self.workers.units
        at_once, threads = self._at_once
        form = PartFormat(self.form.SUFFIXES[0], transform.schema(scores.table.schema), self.options)
        reading = self.reading or UnitReader.of(self.inputs, scores)
        first_rows = self._first_rows(scores) if transform.scoring.draws is not None else ()
        score = self.make(
            reading=reading,
            transform=transform,
            form=form,
            folder=self.place.parts,
            records=self.place.unfinished,
            units=len(units),
            threads=threads,
            first_rows=first_rows,
        )
        partition = Partition(score, units, self.place, at_once, self.resume)
        finished = partition.run(self.workers.engine, work.progress, work.rejects)
        return finished if self.measure_again is None else self._completed(finished, self.measure_again)

    def _completed(self, finished: Finished, measure_again: Callable[[Unit], Any]) -> Finished:
        beside = list(finished.beside)
        missing = [place for place, found in enumerate(beside) if found is None]
        units = [self.workers.units[place] for place in missing]
        for position, found in self.workers.engine.run(measure_again, units, self._at_once[0]):
            beside[missing[position]] = found
        return finished._replace(beside=tuple(beside))

    def _first_rows(self, scores: ScoreTable) -> tuple[int, ...]:
        """Count the rows before each unit, which takes a reading of its own: the draw of a row goes by its number."""
        rows = [0] * len(self.workers.units)
        with self.workers.fleet(self.inputs, scores).results(EachBlock((), _rows_of), NOBODY) as counted:
            for unit, count in counted:
                rows[unit] += count
        return tuple(itertools.accumulate(rows[:-1], initial=0))

    @property
    def _at_once(self) -> tuple[int, int]:
        """Units at once, and threads for each."""
        return spread(self.workers.units, self.workers.threads) if self.workers.is_local else (self.workers.threads, 1)
