"""Tables of Python as files that a command reads, and what a command writes as the same kind of table."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from softmax_cli.errors import UsageError, first_line
from softmax_cli.tables.columns import OUTPUT_NAMES

if TYPE_CHECKING:
    import pandas as pd

Data = Any
"""A pandas or polars frame, anything with Arrow's PyCapsule interface, an array of shape (rows, classes), or a path."""
LABELS = "labels"
"""The name of truths, which are no table of scores."""
TABLE = "a DataFrame, an Arrow table, an array of numbers of shape (rows, classes), or a path"
TRUTHS = "a label for each row: an array or a list, a column of a frame, rows of 0 with a single 1, or a path"


class Kind(NamedTuple):
    """What a table came as, so that the result goes back as the same."""

    name: str
    """pandas, polars, batch, table, array, mapping or path."""
    levels: tuple[str, ...] = ()
    """Columns that hold the index of a pandas frame."""
    names: tuple[Any, ...] = ()
    """What its levels are called."""
    schema: pa.Schema | None = None
    """As Arrow has the columns of a frame."""
    dtypes: Mapping[str, Any] = {}
    """As the frame has them."""

    def returned(self, table: pa.Table) -> Any:
        """Return a table as what was given."""
        if self.name == "polars":
            import polars

            frame = polars.DataFrame(table)
            return frame.with_columns(polars.col(name).cast(self.dtypes[name]) for name in self._kept(table))
        if self.name == "batch":
            return pa.RecordBatch.from_struct_array(table.to_struct_array().combine_chunks())
        return self._as_pandas(table) if self.name == "pandas" else table

    def _as_pandas(self, table: pa.Table) -> pd.DataFrame:
        frame: pd.DataFrame = table.to_pandas(strings_to_categorical=False)
        frame = frame.astype({name: self.dtypes[name] for name in self._kept(table)})
        if self.levels and {*self.levels} <= {*frame}:
            frame = frame.set_index(list(self.levels))
            frame.index.names = list(self.names)
        return frame

    def _kept(self, table: pa.Table) -> Iterator[str]:
        """Find the columns that have passed through as they were, but for what Arrow calls their type."""
        for field in table.schema:
            if self.schema is None or field.name not in self.dtypes or field.name in OUTPUT_NAMES:
                continue
            given = self.schema.field(field.name).type
            is_category = pa.types.is_dictionary(given)
            if not _are_alike(given.value_type if is_category else given, field.type):
                continue
            categories: Any = getattr(self.dtypes[field.name], "categories", ()) if is_category else ()
            there = {*table.column(field.name).unique().to_pylist()} if is_category else set()
            if not hasattr(categories, "__iter__") or there <= {*categories, None}:
                yield field.name


def _are_alike(one: pa.DataType, other: pa.DataType) -> bool:
    texts = (pa.string(), pa.large_string(), pa.string_view())
    return bool(one == other or (one in texts and other in texts))


def stored_table(data: Data, folder: str, name: str) -> tuple[str, Kind]:
    """Put a table where a command finds it.

    Raises
    ------
    UsageError
        It is none.
    """
    if isinstance(data, str | os.PathLike):
        return os.fspath(data), Kind("path")
    if isinstance(data, Iterator) and not hasattr(data, "__arrow_c_stream__"):
        data = list(data)
    with _told_as(name):
        if isinstance(data, Mapping) and not (data and all(map(_is_listing, data.values()))):
            return as_json({str(key): value for key, value in data.items()}, folder, name), Kind("mapping")
        table, kind = _table_of(data, name)
        if isinstance(table, np.ndarray):
            np.save(path := os.path.join(folder, f"{name}.npy"), table)
            return path, kind
        path = os.path.join(folder, f"{name}.arrow")
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    return path, kind


@contextmanager
def _told_as(name: str) -> Iterator[None]:
    """Say what was expected where a library cannot make a table of what was given."""
    try:
        yield
    except (ValueError, TypeError, NotImplementedError) as error:
        expected = TRUTHS if name == LABELS else TABLE
        raise UsageError(f"{name}: {first_line(error)}; expected {expected}") from None


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of lists and arrays; of anything else, ragged lists too, none."""
    try:
        return () if isinstance(value, str | os.PathLike | Mapping) else np.shape(value)
    except ValueError:
        return ()


def _is_listing(value: Any) -> bool:
    return not isinstance(value, str | bytes | Mapping) and len(np.shape(value)) >= 1


def _table_of(data: Data, name: str) -> tuple[pa.Table | np.ndarray[Any, Any], Kind]:
    library = type(data).__module__.partition(".")[0]
    if isinstance(data, Mapping):
        return pa.table({str(key): _column(value) for key, value in data.items()}), Kind("mapping")
    if library in ("pandas", "polars") and not hasattr(data, "shape"):
        raise UsageError(f"{name}: a {type(data).__name__} holds no rows yet: collect() them first")
    if library in ("pandas", "polars") and (len(data.shape) == 2 or library == "polars" or hasattr(data, "index")):
        return _of_frame(data if len(data.shape) == 2 else data.to_frame(data.name or name), library)
    if isinstance(data, pa.Array | pa.ChunkedArray):
        return pa.table({name: data}), Kind("table")
    if isinstance(data, pa.Table | pa.RecordBatch) or hasattr(data, "__arrow_c_stream__"):
        return pa.table(data), Kind("batch" if isinstance(data, pa.RecordBatch) else "table")
    array = _array(data, name)
    if array.dtype.names:
        return pa.table({column: array[column] for column in array.dtype.names}), Kind("table")
    if array.ndim == 1 and (array.dtype == np.object_ or name == LABELS):
        return pa.table({name: _column(array)}), Kind("table")
    return array, Kind("array")


def _array(data: Data, name: str) -> np.ndarray[Any, Any]:
    """Return an array that holds a table, or labels."""
    array = np.asarray(np.ma.filled(data.astype(float), np.nan) if isinstance(data, np.ma.MaskedArray) else data)
    if name == LABELS and array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.dtype == np.object_:
        array = array.astype(np.float64)
    is_known = array.ndim in (1, 2) if name == LABELS else array.ndim > 0
    if (
        not is_known
        or (array.dtype == np.object_ and array.ndim != 1)
        or (array.ndim == 2 and array.dtype.kind in "USO")
    ):
        what = "None" if data is None else f"{type(data).__name__} of shape {array.shape}, {array.dtype.name}"
        raise UsageError(f"{name}: {what}; expected {TRUTHS if name == LABELS else TABLE}")
    return array


def _column(values: Any) -> pa.Array:
    """Make a column; nan is missing."""
    return pa.array(values.tolist() if hasattr(values, "tolist") else values, from_pandas=True)


def _of_frame(data: Any, library: str) -> tuple[pa.Table, Kind]:
    if library == "polars":
        table = pa.table(data)
        return table, Kind(library, schema=table.schema, dtypes=dict(data.schema))
    names = ["_".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in data.columns]
    if len({*names}) < len(names):
        raise ValueError(f"two columns are called {next(name for name in names if names.count(name) > 1)!r}")
    dtypes = dict(zip(names, data.dtypes, strict=True))
    data = data.set_axis(names, axis=1)
    for name, kind in dtypes.items():
        if str(getattr(kind, "categories", data[name]).dtype).startswith("interval"):  # Arrow has a word, no reader
            data = data.assign(**{name: data[name].astype(str)})
            dtypes[name] = data[name].dtype
    table = pa.Table.from_pandas(data, preserve_index=True)
    levels = json.loads(table.schema.metadata[b"pandas"])["index_columns"]
    return table, Kind(library, tuple(levels), tuple(data.index.names), table.schema, dtypes)


def as_json(values: Any, folder: str, name: str) -> str:
    """Write plain values as a file; those of NumPy as Python's."""
    path = os.path.join(folder, f"{name}.json")
    Path(path).write_text(json.dumps(values, default=lambda held: held.item()), "utf-8")
    return path
