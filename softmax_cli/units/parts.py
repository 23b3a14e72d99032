"""A part of the result: what one unit comes to, as a file and as figures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from softmax_cli import formats
from softmax_cli.batches.badrows import Policy
from softmax_cli.batches.table import WriteOptions
from softmax_cli.batches.tally import Tally
from softmax_cli.formats import Writer
from softmax_cli.runs.scoring import Finished
from softmax_cli.sinks import whole_file
from softmax_cli.units.plan import Unit
from softmax_cli.writing import table_writer


@dataclass(frozen=True, slots=True)
class PartFormat:
    """How every part is written; picklable."""

    suffix: str
    """``.parquet``, ``.csv.gz``: tells the format, and the compression around it."""
    schema: pa.Schema
    options: WriteOptions

    @contextmanager
    def open(self, path: Path, digests: list[str]) -> Iterator[Writer]:
        """Open a part, which appears whole or not at all; its sha256 is added to `digests` in the end."""
        form, compression = formats.by_suffix(path.name)
        with whole_file(path, force=True) as file:
            with table_writer(file, form, compression, self.schema, self.options) as writer:
                yield writer
            file.seek(0)
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is done."""

    unit: Unit
    name: str
    sha256: str
    size: int
    """In bytes."""
    finished: Finished

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
            "confidence_sum": tally.confidence_sum,
            "doubtful": self.finished.doubtful,
        }

    @classmethod
    def from_json(cls, held: Mapping[str, Any], unit: Unit, bad_policy: Policy) -> Part:
        """Make the part of a unit from its entry."""
        counts = np.array(held["predicted"], np.int64)
        tally = Tally(held["rows_read"], held["bad_rows"], bad_policy, counts, held["confidence_sum"])
        finished = Finished(tally, held["doubtful"], held["rows"])
        return cls(unit, held["name"], held["sha256"], held["bytes"], finished)


def together(parts: Sequence[Part]) -> Finished:
    """Add up the parts of a job, in the order of the input: the last digit must not depend on who was first."""
    tally = reduce(Tally.plus, (part.finished.tally for part in parts))
    doubtful = all(part.finished.doubtful for part in parts if part.finished.tally.rows)
    return Finished(tally, doubtful and tally.rows > 0, sum(part.finished.written for part in parts))
