"""Writing .npy: rows as they come, and the header with their number when it is known."""

from __future__ import annotations

import io
import shutil
import tempfile
from typing import IO, BinaryIO, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.errors import UsageError
from softmax_cli.matrices.computed import classes_in, matrix_dtype, matrix_of, score_matrices

COPY_BYTES = 1 << 20


def header_bytes(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> bytes:
    """Return a .npy header. numpy leaves room in it: any number of rows makes it as long as any other."""
    from numpy.lib import format as npy

    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
    return header.getvalue()


class NpyWriter:
    """The matrix of computed scores alone; every other column is left out."""

    _spool: IO[bytes] | None = None

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        matrices = score_matrices(schema)
        if len(matrices) > 1:
            raise UsageError(
                f"a .npy file holds one matrix, not {' and '.join(matrices)}: choose one with --emit, or write .npz"
            )
        self._columns = next(iter(matrices.values()))
        self._classes = classes_in(schema, self._columns)
        self._dtype = matrix_dtype(schema, self._columns)
        self._target = file
        self._spool = None if file.seekable() else tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._file = file if self._spool is None else cast(BinaryIO, self._spool)
        self._start = self._file.tell()
        self._rows = 0
        self._file.write(header_bytes((0, self._classes), self._dtype))

    def __del__(self) -> None:
        """Drop the temporary file also where a run failed."""
        if self._spool is not None:
            self._spool.close()

    def encode(self, batch: pa.RecordBatch) -> NDArray[np.floating]:
        """Gather the scores, class beside class."""
        return np.ascontiguousarray(matrix_of(batch, self._columns))

    def write(self, payload: NDArray[np.floating]) -> None:
        """Write rows."""
        self._file.write(payload.reshape(-1).view(np.uint8).data)
        self._rows += len(payload)

    def close(self) -> None:
        """Put the number of rows into the header."""
        end = self._file.tell()
        self._file.seek(self._start)
        self._file.write(header_bytes((self._rows, self._classes), self._dtype))
        self._file.seek(end)
        if self._spool is not None:
            self._spool.seek(0)
            shutil.copyfileobj(self._spool, self._target, COPY_BYTES)
            self._spool.close()
