"""Writing .npz: the scores as a matrix, the class names, and every other column as an array of its own."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.batches.arrays import floats
from softmax_cli.matrices.computed import class_names, matrix_of, score_matrices
from softmax_cli.matrices.writer import header_bytes

NO_TIME = (1980, 1, 1, 0, 0, 0)
"""Equal input gives equal bytes: no member says when it was written."""
CLASSES = "classes"


class NpzWriter:
    """Keeps every array in a temporary file until its length, and the width of its text, are known."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._file = file
        self._matrices = score_matrices(schema)
        of_classes = next(iter(self._matrices.values()))
        self._classes = np.array(class_names(schema, of_classes))
        gathered = {name for columns in self._matrices.values() for name in columns}
        self._others = [name for name in schema.names if name not in gathered]
        empty = pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in schema.types], schema=schema)
        self._arrays = {name: _GrowingArray(values) for name, values in self.encode(empty).items()}

    def encode(self, batch: pa.RecordBatch) -> dict[str, NDArray[Any]]:
        """Turn the columns into arrays."""
        arrays: dict[str, NDArray[Any]] = {
            emit: np.ascontiguousarray(matrix_of(batch, columns)) for emit, columns in self._matrices.items()
        }
        return arrays | {name: _as_numpy(batch.column(name)) for name in self._others}

    def write(self, payload: dict[str, NDArray[Any]]) -> None:
        """Take rows."""
        for name, values in payload.items():
            self._arrays[name].append(values)

    def close(self) -> None:
        """Put the arrays into the archive."""
        with zipfile.ZipFile(self._file, "w") as archive:
            for name, array in self._arrays.items():
                with archive.open(zipfile.ZipInfo(f"{name}.npy", NO_TIME), "w", force_zip64=True) as member:
                    for part in array.file_parts():
                        member.write(part)
                array.close()
            if CLASSES not in self._arrays:
                parts = (header_bytes(self._classes.shape, self._classes.dtype), self._classes.tobytes())
                archive.writestr(zipfile.ZipInfo(f"{CLASSES}.npy", NO_TIME), b"".join(parts))


class _GrowingArray:
    """An array in a temporary file, whose dtype widens with what is appended."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._dtype = values.dtype
        self._row_shape = values.shape[1:]
        self._pieces: list[tuple[int, np.dtype[Any]]] = []

    def __del__(self) -> None:
        """Drop the temporary file also where a run failed."""
        self.close()

    def append(self, values: NDArray[Any]) -> None:
        self._dtype = np.result_type(self._dtype, values.dtype)
        self._pieces.append((len(values), values.dtype))
        self._file.write(values.tobytes())

    def file_parts(self) -> Iterator[bytes]:
        """Yield the bytes of the .npy file."""
        rows = sum(count for count, _ in self._pieces)
        yield header_bytes((rows, *self._row_shape), self._dtype)
        self._file.seek(0)
        width = int(np.prod(self._row_shape, dtype=np.int64))
        for count, dtype in self._pieces:
            piece = np.frombuffer(self._file.read(count * width * dtype.itemsize), dtype)
            yield piece.astype(self._dtype, copy=False).tobytes()

    def close(self) -> None:
        self._file.close()


def _as_numpy(column: pa.Array) -> NDArray[Any]:
    """Return a column as a 1-D array that needs no pickling: integers, floats, or text (a missing text is empty)."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_integer(kind) and not column.null_count:
        start = column.offset * kind.bit_width // 8
        return np.frombuffer(column.buffers()[1], kind.to_pandas_dtype(), len(column), start)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        dtype = np.dtype(kind.to_pandas_dtype() if pa.types.is_floating(kind) else np.float64)
        return floats(column, dtype)
    return np.array([_text(value) for value in column.to_pylist()], dtype=np.str_)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
