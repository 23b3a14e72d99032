"""Record batches to JSON objects, one a line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from softmax_cli.formats._text.numbers import NumberRun, computed_kind, number_matrix, number_text
from softmax_cli.formats._text.runs import is_number, runs
from softmax_cli.formats._text.values import json_cells, list_cells, to_json
from softmax_cli.formats._text.weave import Lines, Part, Texts
from softmax_cli.numeric.text import NumberText
from softmax_cli.tables.table import WriteOptions

_BLOCK_VALUES = 32_768
_NULL = b"null"
Rows = Callable[[int, int], Part]


class ObjectWriter:
    """Writes each row as an object with the columns as keys, in order; owns scratch memory, so one per thread.

    Computed numbers have the text that they have in CSV. JSON has no name for what is no number, so ``nan``, and the
    ``-inf`` that is the log-probability of a masked class, become null.
    """

    def __init__(self, schema: pa.Schema, options: WriteOptions, end: bytes) -> None:
        """Prepare to write tables with the columns `schema`; `end` follows the closing brace of each object."""
        self._schema, self._options = schema, options
        self._end = b"}" + end
        self._columns = list(self._plan())
        self._block = max(1, _BLOCK_VALUES // max(1, len(schema)))

    def lines(self, batch: pa.RecordBatch) -> bytes | memoryview:
        """The objects of a batch, in memory of their own."""
        if not batch.num_rows:
            return b""
        if not batch.num_columns:
            empty: bytes = b"{" + self._end
            return empty * int(batch.num_rows)
        columns = [column(batch) for column in self._columns]
        lines = Lines(batch.num_rows)
        for start in range(0, batch.num_rows, self._block):
            stop = min(start + self._block, batch.num_rows)
            lines.add(stop - start, [rows(start, stop) for rows in columns])
        return lines.view()

    def _plan(self) -> Iterator[Callable[[pa.RecordBatch], Rows]]:
        for indices in runs(self._schema):
            field = self._schema.field(indices[0])
            kind = computed_kind(field)
            after = self._end if indices[-1] == len(self._schema) - 1 else b""
            text = number_text(kind, self._options) if kind else None
            if text and is_number(field):
                yield self._numbers(indices, NumberRun(text, [self._key(i) for i in indices], after, _NULL))
            elif text and pa.types.is_fixed_size_list(field.type):
                yield self._lists(indices[0], text, after)
            else:
                yield self._values(indices[0], after)

    def _key(self, i: int) -> bytes:
        return (("," if i else "{") + to_json(self._schema.field(i).name) + ":").encode()

    def _numbers(self, indices: list[int], run: NumberRun) -> Callable[[pa.RecordBatch], Rows]:
        def of(batch: pa.RecordBatch) -> Rows:
            numbers = number_matrix(batch, indices)
            return lambda start, stop: run(numbers[start:stop])

        return of

    def _lists(self, i: int, text: NumberText, after: bytes) -> Callable[[pa.RecordBatch], Rows]:
        return lambda batch: (
            lambda start, stop: Texts(
                list_cells(batch.column(i).slice(start, stop - start), text, _NULL), self._key(i), after
            )
        )

    def _values(self, i: int, after: bytes) -> Callable[[pa.RecordBatch], Rows]:
        def of(batch: pa.RecordBatch) -> Rows:
            cells, quote = json_cells(batch.column(i))
            return lambda start, stop: Texts(cells.slice(start, stop), self._key(i) + quote, quote + after)

        return of


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the objects of a file."""

    begin: bytes
    between: bytes
    end: bytes


LINES = Frame(b"", b"\n", b"\n")
ARRAY = Frame(b"[\n", b",\n", b"\n]\n")


class JsonWriter:
    """Writes batches as JSON objects."""

    def __init__(self, file: BinaryIO, schema: pa.Schema, options: WriteOptions, frame: Frame) -> None:
        self._file, self._schema, self._options, self._frame = file, schema, options, frame
        self._own = threading.local()
        self._begun = False
        self._file.write(frame.begin)

    def encode(self, batch: pa.RecordBatch) -> memoryview:
        """Turn a batch into objects; may be called from several threads at once."""
        if not hasattr(self._own, "objects"):
            self._own.objects = ObjectWriter(self._schema, self._options, self._frame.between)
        objects = memoryview(self._own.objects.lines(batch))
        return objects[: len(objects) - len(self._frame.between)] if batch.num_rows else objects

    def write(self, payload: memoryview) -> None:
        """Put down what `encode` made."""
        if len(payload):
            if self._begun:
                self._file.write(self._frame.between)
            self._begun = True
            self._file.write(payload)

    def close(self) -> None:
        """End the last line, or the array."""
        if self._begun or self._frame.begin:
            self._file.write(self._frame.end)
