"""The rows of a result in the order of a figure, in bounded memory: sorted runs in temporary files are merged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from softmax_cli.prediction.scorer import Scored
from softmax_cli.storage.reading import MORE_SPACE, temporary_space
from softmax_cli.tables.batch import Batch

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 1 << 14
_SLACK = 1 << 16
"""So many rows are gathered, beyond those that are wanted, before the others are let go."""
_RUN_BYTES = 128 << 20
"""So much of the rows is sorted in memory at a time; it is held twice while that is done."""
_PIECE_BYTES = 1 << 20
"""So much of each of these runs is in memory while they are merged."""
_KEPT = "--sort keeps rows that do not fit into memory in temporary files"
_LAST = np.uint64(2**64 - 1)


class Order(NamedTuple):
    """What rows are sorted by."""

    figure: str
    """``confidence``, or a name in `added.FIGURES`."""
    falls: bool

    def keys(self, scored: Scored) -> NDArray[np.floating]:
        """Numbers that stand in the order of the rows, the least first, shape (rows,); nan comes last."""
        values = scored.confidence if self.figure == "confidence" else scored.figures[self.figure]
        values = np.where(scored.bad, values.dtype.type(np.nan), values)
        return -values if self.falls else values


def _codes(keys: NDArray[np.floating]) -> NDArray[np.uint64]:
    """Whole numbers in the order of the keys; nan is the largest.

    The bits of a float64 stand in the order of its value where those of a negative number are turned around.
    """
    values = keys.astype(np.float64) + 0.0  # -0 becomes 0
    bits = values.view(np.int64)
    codes = np.where(bits < 0, ~bits, bits ^ np.int64(-(2**63))).view(np.uint64)
    return np.where(np.isnan(values), _LAST, codes)


class _Run:
    """Rows in order, in a temporary file; those that come next are in memory."""

    def __init__(self, file: IO[bytes], pieces: int) -> None:
        import pyarrow as pa

        file.seek(0)
        self._file = file
        self._reader = pa.ipc.open_stream(pa.PythonFile(file, "r"))
        self._left = pieces
        self._load()

    def _load(self) -> None:
        piece = self._reader.read_next_batch()
        self._left -= 1
        self.codes = np.asarray(piece.column(piece.num_columns - 1))
        self._rows = piece.remove_column(piece.num_columns - 1)

    @property
    def has_more(self) -> bool:
        """Whether rows follow those in memory."""
        return self._left > 0

    def take(self, count: int) -> tuple[NDArray[np.uint64], pa.RecordBatch]:
        """Give out rows; where none is left in memory, the next piece is read."""
        taken = self.codes[:count], self._rows.slice(0, count)
        self.codes, self._rows = self.codes[count:], self._rows.slice(count)
        if not len(self.codes) and self.has_more:
            self._load()
        return taken

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _next_rows(runs: list[_Run]) -> list[tuple[NDArray[np.uint64], pa.RecordBatch]]:
    """Take from every run the rows before which nothing is still to be read; of equal keys, runs stand in order.

    What has been read of a run ends in a key that may go on in its next piece. Up to the least of these ends nothing
    is missing; rows with that very key in later runs wait for those of the run itself.
    """
    ends = [run.codes[-1] if run.has_more else None for run in runs]
    bound = min((end for end in ends if end is not None), default=None)
    if bound is None:
        return [run.take(len(run.codes)) for run in runs]
    first = ends.index(bound)
    counts = [
        int(np.searchsorted(run.codes, bound, "right" if place <= first else "left")) for place, run in enumerate(runs)
    ]
    return [run.take(count) for run, count in zip(runs, counts, strict=True)]


class Sorter:
    """Takes batches with the keys of their rows, and gives out the rows from the least key to the largest.

    Rows of equal keys stay in their order; rows whose key is nan come last.

    Parameters
    ----------
    most : int or None
        How many rows are given out; None: all.
    run_bytes, piece_bytes : int
        How much is sorted in memory at a time, and how much of each such run is there while they are merged.
    """

    def __init__(self, most: int | None, run_bytes: int = _RUN_BYTES, piece_bytes: int = _PIECE_BYTES) -> None:
        self._most, self._run_bytes, self._piece_bytes = most, run_bytes, piece_bytes
        self._batches: list[pa.RecordBatch] = []
        self._codes: list[NDArray[np.uint64]] = []
        self._rows = self._bytes = 0
        self._runs: list[_Run] = []

    def add(self, batch: Batch, keys: NDArray[np.floating]) -> None:
        """Take some more rows.

        Raises
        ------
        DataError
            They do not fit into memory, and the folder of temporary files does not take them.
        """
        from softmax_cli.tables.arrays import to_arrow

        if not len(keys):
            return
        self._batches.append(to_arrow(batch))
        self._codes.append(_codes(keys))
        self._rows += len(keys)
        self._bytes += self._batches[-1].nbytes
        if self._most is not None and self._rows > 2 * self._most + _SLACK:
            self._sort()
        if self._bytes > self._run_bytes:
            self._put_away()

    def _sort(self) -> None:
        import pyarrow as pa

        codes = np.concatenate(self._codes)
        order = np.argsort(codes, kind="stable")[: self._most]
        table = pa.Table.from_batches(self._batches).unify_dictionaries().combine_chunks()
        self._batches = table.take(pa.array(order)).combine_chunks().to_batches()
        self._codes, self._rows = [codes[order]], len(order)
        self._bytes = sum(batch.nbytes for batch in self._batches)

    def _put_away(self) -> None:
        """Sort the rows that are held, and write them to a file of their own, with their keys."""
        import tempfile

        import pyarrow as pa

        from softmax_cli.tables.arrays import numbers

        self._sort()
        (held,), (codes,) = self._batches, self._codes
        keyed = held.append_column("", numbers(codes))
        rows = max(1, self._rows * self._piece_bytes // max(1, self._bytes))
        starts = range(0, self._rows, rows)
        with temporary_space(_KEPT, "them", f"{MORE_SPACE}, or add --limit N"):
            file = tempfile.TemporaryFile()  # noqa: SIM115 - its run closes it
            with pa.ipc.new_stream(pa.PythonFile(file, "w"), keyed.schema) as writer:
                for start in starts:
                    writer.write_batch(keyed.slice(start, rows))
            file.flush()
            self._runs.append(_Run(file, len(starts)))
        self._batches, self._codes, self._rows, self._bytes = [], [], 0, 0

    def batches(self) -> Iterator[Batch]:
        """Give out the rows that come first.

        Raises
        ------
        DataError
            The folder of temporary files does not take them.
        """
        from softmax_cli.tables.arrays import from_arrow

        if self._batches and self._runs:
            self._put_away()
        elif self._batches:
            self._sort()
        left = self._most
        for batch in self._merged() if self._runs else self._batches:
            kept = batch.slice(0, left)
            left = None if left is None else left - kept.num_rows
            for start in range(0, kept.num_rows, _BATCH_ROWS):
                yield from_arrow(kept.slice(start, _BATCH_ROWS))
            if left == 0:
                break
        for run in self._runs:
            run.close()

    def _merged(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        runs = self._runs
        while runs:
            taken = _next_rows(runs)
            codes = np.concatenate([codes for codes, _ in taken])
            table = pa.Table.from_batches([batch for _, batch in taken]).unify_dictionaries().combine_chunks()
            yield from table.take(pa.array(np.argsort(codes, kind="stable"))).combine_chunks().to_batches()
            runs = [run for run in runs if len(run.codes)]
