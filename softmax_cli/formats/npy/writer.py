"""Writing .npz: the scores as a matrix, the class names, and every other column as an array of its own."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import UsageError
from softmax_cli.tables.batch import (
    Batch,
    Column,
    ListColumn,
    NameColumn,
    Own,
    dtype_of,
    empty_batch,
    floats,
    integers,
    matrix_of,
)
from softmax_cli.tables.columns import METADATA_KEY, OUTPUT_NAMES
from softmax_cli.tables.schema import Schema, is_dictionary, is_fixed_size_list, is_floating, is_integer

FIRST_LABEL = "label_1"
"""Begins a listing of the best classes, whose numbers are of other classes in each row."""
EMITS = ("prob", "logprob", "logit")
"""What the columns of a class, or the lists of all classes, are called by."""


def score_matrices(schema: Schema) -> dict[str, list[str]]:
    """Name the columns of each matrix of computed scores: one list column, or one column per class.

    Figures of a row, such as its entropy or its rank, are no matrix.

    Returns
    -------
    dict
        ``{"prob": ["prob"]}`` or ``{"prob": ["prob_cat", "prob_dog"]}``, in the order of the columns.
    """
    computed = [field for field in schema if METADATA_KEY in (field.metadata or {}) and field.name not in OUTPUT_NAMES]
    lists = {field.name: [field.name] for field in computed if is_fixed_size_list(field.type)}
    if lists or FIRST_LABEL in schema.names:
        return lists
    matrices: dict[str, list[str]] = {}
    for field in computed:
        emit, mark, _ = field.name.partition("_")
        if mark and emit in EMITS:
            matrices.setdefault(emit, []).append(field.name)
    return matrices


def matrix_dtype(schema: Schema, columns: list[str]) -> np.dtype[np.floating]:
    """Dtype of the values in a matrix of scores."""
    kind = schema.field(columns[0]).type
    return dtype_of(kind.value_type if is_fixed_size_list(kind) else kind)


def classes_in(schema: Schema, columns: list[str]) -> int:
    """Width of a matrix of scores."""
    kind = schema.field(columns[0]).type
    return int(kind.list_size) if is_fixed_size_list(kind) else len(columns)


def class_names(schema: Schema, columns: list[str]) -> list[str]:
    """Names of the classes, from what the schema records, or else from the columns."""
    recorded = json.loads((schema.metadata or {}).get(METADATA_KEY, b"{}")).get("classes", [])
    if len(recorded) == classes_in(schema, columns):
        return [str(name) for name in recorded]
    if len(columns) == 1:
        return [str(index) for index in range(classes_in(schema, columns))]
    return [name.partition("_")[2] for name in columns]


def scores_in(batch: Batch, columns: list[str]) -> NDArray[np.floating]:
    """Gather a matrix of scores, shape (rows, classes), in C order; a missing row is ``nan``."""
    dtype = matrix_dtype(batch.schema, columns)
    if not is_fixed_size_list(batch.schema.field(columns[0]).type):
        return matrix_of(batch, columns, dtype, "C")
    first = batch.column(columns[0])
    if isinstance(first, ListColumn):
        values, valid = first.matrix, first.valid
    else:
        from softmax_cli.tables.arrays import matrix_of_lists

        values, valid = matrix_of_lists(first)
    matrix = np.array(values, dtype, order="C")
    if valid is not None:
        matrix[~valid] = np.nan
    return matrix


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

    def __init__(self, file: BinaryIO, schema: Schema) -> None:
        matrices = score_matrices(schema)
        if not matrices:
            raise UsageError(
                "a .npy file holds one matrix of scores, a column for each class, and the result has none: write .npz, "
                ".csv or .parquet"
            )
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

    def encode(self, batch: Batch) -> NDArray[np.floating]:
        """Gather the scores, class beside class."""
        return scores_in(batch, self._columns)

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


NO_TIME = (1980, 1, 1, 0, 0, 0)
"""Equal input gives equal bytes: no member says when it was written."""
CLASSES = "classes"


class NpzWriter:
    """Keeps every array in a temporary file until its length, and the width of its text, are known."""

    def __init__(self, file: BinaryIO, schema: Schema) -> None:
        self._file = file
        self._matrices = score_matrices(schema)
        of_classes = next(iter(self._matrices.values()), None)
        self._classes = None if of_classes is None else np.array(class_names(schema, of_classes))
        gathered = {name for columns in self._matrices.values() for name in columns}
        self._others = [name for name in schema.names if name not in gathered]
        self._arrays = {name: _GrowingArray(values) for name, values in self.encode(empty_batch(schema)).items()}

    def encode(self, batch: Batch) -> dict[str, NDArray[Any]]:
        """Turn the columns into arrays."""
        arrays: dict[str, NDArray[Any]] = {emit: scores_in(batch, columns) for emit, columns in self._matrices.items()}
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
            if self._classes is not None and CLASSES not in self._arrays:
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


def _as_numpy(column: Column) -> NDArray[Any]:
    """Return a column as a 1-D array that needs no pickling: integers, floats, or text (a missing text is empty)."""
    if is_dictionary(column.type) and not isinstance(column, NameColumn):
        column = column.dictionary_decode()
    kind = column.type
    if is_integer(kind) and (whole := integers(column)) is not None:
        return whole
    if is_integer(kind) or is_floating(kind):
        return floats(column, dtype_of(kind) if is_floating(kind) else np.dtype(np.float64))
    if isinstance(column, Own):
        return np.array([_text(value) for value in column.to_pylist()], dtype=np.str_)
    from softmax_cli.tables.arrays import cells

    return np.array([_text(value) for value in cells(column)], dtype=np.str_)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
