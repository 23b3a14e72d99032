"""A file of rejected rows: where each stood, what is wrong with it, and the row itself, so that nothing is lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from softmax_cli.batches.badrows import Reject
from softmax_cli.sinks import whole_file


class KeepRejects(Protocol):
    """Takes rejected rows in order."""

    def __call__(self, rejects: Sequence[Reject], /) -> None:
        """Keep some more."""


@contextmanager
def rejects_file(path: str, force: bool) -> Iterator[KeepRejects]:
    """Open a CSV file (where,column,problem,record) that is complete when the block ends."""
    with whole_file(path, force) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", errors="surrogateescape")
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["where", "column", "problem", "record"])

        def keep(rejects: Sequence[Reject], /) -> None:
            rows.writerows([r.where, r.column, r.problem, r.record] for r in rejects)

        yield keep
        text.detach()  # flushes, and leaves the file open for its owner
