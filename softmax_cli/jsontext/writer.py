"""Files of JSON objects: one a line, or all in an array."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from softmax_cli.batches.table import WriteOptions
from softmax_cli.jsontext.writing import ObjectWriter


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
