"""Parts of a result in a folder: what one unit comes to, as a file and as figures, and which job it belongs to."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import partial, reduce
from typing import Any, BinaryIO, Protocol, cast

import numpy as np

from softmax_cli import formats
from softmax_cli.distributed.plan import Unit
from softmax_cli.formats import Writer
from softmax_cli.prediction.bad_rows import Policy, Reject
from softmax_cli.prediction.run import Finished, score_table
from softmax_cli.prediction.score_kinds import KindCheck
from softmax_cli.prediction.transform import Tally, Transform
from softmax_cli.storage.folders import open_now
from softmax_cli.storage.reading import absolute, state_of
from softmax_cli.storage.remote import RemoteWriter
from softmax_cli.storage.writing import whole_file
from softmax_cli.stream.outputs import table_writer
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import WriteOptions
from softmax_cli.tables.threads import Listeners
from softmax_cli.version import __version__

RECORD = ".done"
"""End of the name of what lies beside a part: a line for each bad row, and at last what the part comes to."""
_REJECT = b"["
"""How the line of a bad row begins; that of the part begins with a brace."""


class Reading(Protocol):
    """What a worker has to know to read units; picklable."""

    @property
    def folder(self) -> str:
        """Where relative names begin."""

    @property
    def settings(self) -> tuple[object, ...]:
        """What decides how files are read, beside their bytes."""

    def paths(self, unit: Unit) -> tuple[str, ...]:
        """Name the files of a unit."""

    def open(self, unit: Unit) -> AbstractContextManager[Any]:
        """Open a unit: a table, or several."""


@dataclass(frozen=True, slots=True)
class ScoreUnit:
    """Scores the units of one job; picklable. Equal units give equal bytes, whoever runs them and however often."""

    reading: Reading
    transform: Transform
    form: PartFormat
    folder: str
    """Where parts go: absolute, or a URL."""
    records: str
    """Where it is put down what each comes to."""
    units: int
    """How many there are in all."""
    threads: int
    first_rows: tuple[int, ...] = ()
    """How many rows are before each unit, for what is drawn; empty where nothing is."""

    @property
    def settings(self) -> tuple[object, ...]:
        """Return what decides the bytes of a part, beside how it is read, scored and written."""
        return ()

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
        name = self.name(unit)
        sealed: list[tuple[str, int]] = []
        with whole_file(record_of(self.records, name), force=True) as report:
            listeners = Listeners(lambda rows, size: None, partial(_put_down, report))
            with self.form.open(f"{self.folder}/{name}", sealed) as writer:
                finished, beside = self.write(unit, writer, listeners)
            part = Part(unit, name, *sealed[0], finished, beside)
            report.write(json.dumps(part.to_json()).encode())
        return part

    def write(self, unit: Unit, writer: Writer, listeners: Listeners) -> tuple[Finished, Any]:
        """Score the rows and write them; return also what was found beside them."""
        first_row = self.first_rows[unit.number] if self.first_rows else 0
        with self.reading.open(unit) as table:
            return score_table(table, self.transform, writer, self.threads, listeners, first_row=first_row), None


def record_of(records: str, part: str) -> str:
    """Name what a part comes to."""
    return f"{records}/{part}{RECORD}"


def read_record(path: str) -> dict[str, Any]:
    """Read what a part comes to."""
    with open_now(path) as file:
        return dict(json.loads(deque(file, maxlen=1)[0]))


def read_rejects(path: str) -> Iterator[Reject]:
    """Read the bad rows of a part, in their order."""
    with open_now(path) as file:
        for line in file:
            if line.startswith(_REJECT):
                yield Reject(*json.loads(line))


def _put_down(file: BinaryIO, rejects: Sequence[Reject]) -> None:
    file.writelines(json.dumps(reject).encode() + b"\n" for reject in rejects)


@dataclass(frozen=True, slots=True)
class PartFormat:
    """How every part is written; picklable."""

    suffix: str
    """``.parquet``, ``.csv.gz``: gives the format, and the compression around it."""
    schema: Schema
    options: WriteOptions

    @contextmanager
    def open(self, path: str, sealed: list[tuple[str, int]]) -> Iterator[Writer]:
        """Open a part, which appears whole or not at all; its sha256 and size are added to `sealed` in the end."""
        form, compression = formats.by_suffix(path)
        with whole_file(path, force=True) as file:
            sent = _Sent(file) if isinstance(file, RemoteWriter) else None
            with table_writer(cast(BinaryIO, sent or file), form, compression, self.schema, self.options) as writer:
                yield writer
            if sent is None:
                file.seek(0)
                sealed.append((hashlib.file_digest(file, "sha256").hexdigest(), file.tell()))  # type: ignore[arg-type]
            else:
                sealed.append((sent.state.hexdigest(), sent.size))


class _Sent(RemoteWriter):
    """Goes to a store, which is not asked for it again: hashed and counted on its way."""

    def __init__(self, file: RemoteWriter) -> None:
        self._file, self.state, self.size = file, hashlib.sha256(), 0

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Send all of a bytes-like object."""
        self.state.update(data)
        sent = self._file.write(data)
        self.size += sent
        return sent


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is done."""

    unit: Unit
    name: str
    sha256: str
    size: int
    """In bytes."""
    finished: Finished
    beside: Any = None
    """What was found beside it; not kept for another run."""

    def to_json(self) -> dict[str, object]:
        """Values that JSON has: an entry of the manifest, from which `from_json` makes the part again."""
        groups, tally = self.unit.row_groups, self.finished.tally
        return {
            "name": self.name,
            "rows": self.finished.written,
            "bytes": self.size,
            "sha256": self.sha256,
            "source": self.unit.path,
            "row_groups": None if groups is None else [groups.start, groups.stop - 1],
            "rows_read": tally.rows,
            "bad_rows": tally.bad_rows,
            "predicted": tally.counts.tolist(),
            "confidence": tally.confidence,
            "abstained": tally.abstained,
            "kinds": list(self.finished.kinds),
        }

    @classmethod
    def from_json(cls, held: Mapping[str, Any], unit: Unit, bad_policy: Policy) -> Part:
        """Make the part of a unit from its entry."""
        counts = np.array(held["predicted"], np.int64)
        tally = Tally(held["rows_read"], held["bad_rows"], bad_policy, counts, held["confidence"], held["abstained"])
        finished = Finished(tally, KindCheck(*held["kinds"]), held["rows"])
        return cls(unit, held["name"], held["sha256"], held["bytes"], finished)


def together(parts: Sequence[Part]) -> Finished:
    """Add up the parts of a job, in the order of the input: the last digit must not depend on who was first."""
    tally = reduce(Tally.plus, (part.finished.tally for part in parts))
    kinds = reduce(KindCheck.plus, (part.finished.kinds for part in parts))
    written, beside = sum(part.finished.written for part in parts), tuple(part.beside for part in parts)
    return Finished(tally, kinds, written, len(parts), beside=beside)


Fingerprint = dict[str, Any]
"""Values that JSON has."""


def fingerprint(work: ScoreUnit, units: Sequence[Unit]) -> Fingerprint:
    """Say what is done to what: two jobs with equal fingerprints write equal parts."""
    read, transform = work.reading, work.transform
    inputs = sorted({absolute(read.folder, path) for unit in units for path in read.paths(unit)})
    named = tuple(unit.file.format for unit in units)
    settings = (transform, read.settings, named, work.form, *work.settings)
    return {
        "softmax_cli": __version__,
        "operations": transform.steps(),
        "format": work.form.suffix,
        "settings": digest(settings),
        "inputs": {path: state_of(path) for path in inputs},
        "units": [str(unit) for unit in units],
    }


def differences(before: Mapping[str, Any], now: Fingerprint) -> list[str]:
    """Say in words what differs, the most important first."""
    lines = []
    if before.get("softmax_cli") != now["softmax_cli"]:
        lines.append(f"it was begun by version {before.get('softmax_cli')}, this is {now['softmax_cli']}")
    was, files = before.get("inputs", {}), now["inputs"]
    lines += [f"{path} was not there" for path in files if path not in was]
    lines += [f"{path} is not among the inputs" for path in was if path not in files]
    lines += [f"{path} has changed" for path in files if path in was and was[path] != files[path]]
    if before.get("operations") != now["operations"]:
        lines.append(f"then: {', '.join(before.get('operations', []))}; now: {', '.join(now['operations'])}")
    if before.get("format") != now["format"]:
        lines.append(f"the parts were {before.get('format')}, now {now['format']}")
    rest = ("settings", "units")
    if not lines and any(before.get(name) != now[name] for name in rest):
        lines.append("options differ (columns, weights, bad rows, digits ...)")
    return lines


def digest(value: object) -> str:
    """Hash a value made of dataclasses, tuples, arrays, schemas and plain values, by its content to the last bit."""
    state = hashlib.sha256()
    for piece in _pieces(value):
        state.update(len(piece).to_bytes(8, "little"))
        state.update(piece)
    return state.hexdigest()


def _pieces(value: object) -> Iterator[bytes]:
    if is_dataclass(value):
        yield type(value).__qualname__.encode()
        for field in fields(value):
            yield from _pieces(getattr(value, field.name))
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype.str} {value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, Schema):
        yield repr([(field.name, str(field.type), field.metadata, field.nullable) for field in value]).encode()
        yield repr(value.metadata).encode()
    elif isinstance(value, Mapping):
        yield from _pieces(tuple(value.items()))
    elif isinstance(value, tuple | list):
        yield f"{type(value).__qualname__} of {len(value)}".encode()
        for item in value:
            yield from _pieces(item)
    elif value is None or isinstance(value, str | int | float | range | np.generic):
        yield repr(value).encode()
    else:
        raise TypeError(f"a {type(value).__name__} has no fingerprint")
