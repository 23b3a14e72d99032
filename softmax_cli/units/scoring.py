"""What a worker does for ``predict``: stream one unit through the transform into one part. Idempotent."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from softmax_cli.batches.badrows import Reject
from softmax_cli.batches.transform import Transform
from softmax_cli.runs.scoring import Listeners, score_table
from softmax_cli.sinks import whole_file
from softmax_cli.units.parts import Part, PartFormat
from softmax_cli.units.plan import Unit
from softmax_cli.units.reading import Reading

RECORD = ".done"
"""End of the name of what lies beside a part: a line for each bad row, and at last what the part comes to."""
_REJECT = b"["
"""How the line of a bad row begins; that of the part begins with a brace."""


@dataclass(frozen=True, slots=True)
class ScoreUnit:
    """Scores the units of one job; picklable. Equal units give equal bytes, whoever runs them and however often."""

    reading: Reading
    transform: Transform
    form: PartFormat
    folder: Path
    """Where parts go, absolute."""
    units: int
    """How many there are in all."""
    threads: int

    def name(self, unit: Unit) -> str:
        """Name the part of a unit: names stand in the order of the input, however many units there are."""
        return f"part-{unit.number:0{max(5, len(str(self.units - 1)))}d}{self.form.suffix}"

    def __call__(self, unit: Unit) -> Part:
        """Write the part of a unit, then its bad rows and that it is done.

        Raises
        ------
        DataError
            A row, the file or the disk is bad.
        """
        path = self.folder / self.name(unit)
        digests: list[str] = []
        with whole_file(record_of(path), force=True) as told:
            listeners = Listeners(lambda rows, size: None, partial(_put_down, told))
            with self.reading.open(unit) as table, self.form.open(path, digests) as writer:
                finished = score_table(table, self.transform, writer, self.threads, listeners)
            part = Part(unit, path.name, digests[0], path.stat().st_size, finished)
            told.write(json.dumps(part.to_json()).encode())
        return part


def record_of(part: Path) -> Path:
    """Name what lies beside a part."""
    return part.with_name(part.name + RECORD)


def read_record(path: Path) -> dict[str, Any]:
    """Read what a part comes to."""
    with path.open("rb") as file:
        return dict(json.loads(deque(file, maxlen=1)[0]))


def read_rejects(path: Path) -> Iterator[Reject]:
    """Read the bad rows of a part, in their order."""
    with path.open("rb") as file:
        for line in file:
            if line.startswith(_REJECT):
                yield Reject(*json.loads(line))


def _put_down(file: BinaryIO, rejects: Sequence[Reject]) -> None:
    file.writelines(json.dumps(astuple(reject)).encode() + b"\n" for reject in rejects)
