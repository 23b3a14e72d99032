"""Files of JSON objects: one a line, or all in an array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from softmax_cli.formats._lines import LineWriter
from softmax_cli.tables.batch import Batch
from softmax_cli.tables.schema import Schema
from softmax_cli.tables.table import WriteOptions
from softmax_cli.text.formatting import LineFormat, to_json


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the objects of a file."""

    begin: bytes = b""
    between: bytes = b""
    behind: bytes = b""
    """What ends each object, the last one too."""
    end: bytes = b""


LINES = Frame(behind=b"\n")
ARRAY = Frame(begin=b"[\n", between=b",\n", end=b"\n]\n")


class JsonWriter(LineWriter):
    """Writes each row as an object with the columns as keys, in order.

    Computed numbers have the text that they have in CSV. JSON has no name for what is no number, so ``nan``, and the
    ``-inf`` that is the log-probability of a masked class, become null.
    """

    def __init__(self, file: BinaryIO, schema: Schema, options: WriteOptions, frame: Frame) -> None:
        self._frame, self._begun = frame, False
        keys = [f"{',' if i else '{'}{to_json(name)}:".encode() for i, name in enumerate(schema.names)]
        end = (b"}" if keys else b"{}") + frame.behind + frame.between
        super().__init__(file, schema, options, LineFormat(json=True), keys, end)
        file.write(frame.begin)

    def encode(self, batch: Batch) -> bytearray:
        """Turn a batch into objects; may be called from several threads at once."""
        objects = super().encode(batch)
        del objects[len(objects) - len(self._frame.between) :]
        return objects

    def write(self, payload: bytearray) -> None:
        """Put down what `encode` made."""
        if payload:
            if self._begun:
                self._file.write(self._frame.between)
            self._begun = True
            super().write(payload)

    def close(self) -> None:
        """End the array."""
        self._file.write(self._frame.end)
