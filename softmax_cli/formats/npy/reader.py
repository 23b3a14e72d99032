"""A .npy file or an .npz archive, opened: its matrix of scores, and the arrays of labels and ids that belong to it.

Those of a .npy file are in the files beside it, those of an archive in it, under matching names.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, NamedTuple, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from softmax_cli.errors import DataError, did_you_mean, first_line, listed
from softmax_cli.formats._binary import decode_batch, rows_per_block
from softmax_cli.formats.npy.header import (
    DAMAGED,
    ArrayHeader,
    check_matrix,
    check_size,
    holds_labels,
    is_companion,
    read_header,
    row_blocks,
    scores_of,
    strided_blocks,
)
from softmax_cli.storage.reading import is_file, open_bytes, spool
from softmax_cli.tables.arrays import from_arrow_schema, lists, numbers, strings
from softmax_cli.tables.column_names import RANKS, score_ending, score_name, truth_rank
from softmax_cli.tables.columns import METADATA_KEY
from softmax_cli.tables.table import Block, ReadOptions, Table

SUFFIX = ".npy"
"""Of a file, and of a member of an archive."""
CLASSES = ("classes", "class_names")
"""What an array of the names of the classes is called; `NpzWriter` writes the first."""


def open_matrix(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open a .npy matrix.

    Raises
    ------
    DataError
        It is no matrix of numbers, is cut short, or its header does not fit the file.
    """
    header = read_header(file, name)
    is_vector = options.single_values and holds_labels(header)
    if not is_vector:
        check_matrix(header, name)
    size = file.seek(0, 2)
    check_size(header, size - header.offset, name)

    stem = os.path.basename(name).removesuffix(SUFFIX)
    scores = _StoredArray(name, header, lambda: _at_first_value(nullcontext(file), header))
    if is_vector:
        return _vector_table(scores, stem, options, name)
    beside, notes = _siblings(name, stem, header.shape[0]) if name.endswith(SUFFIX) else ({}, ())
    table = _matrix_table(scores, stem, kind_of(stem) or "logits", beside, options, name)
    return table._replace(size=size, notes=(*table.notes, *notes))


def _siblings(path: str, stem: str, rows: int) -> tuple[dict[str, _StoredArray], tuple[str, ...]]:
    """Find the arrays of labels and ids beside a matrix, and say which of them do not fit."""
    beside: dict[str, _StoredArray] = {}
    notes: list[str] = []
    for column, names in companions(stem).items():
        there = (os.path.join(os.path.dirname(path), name + SUFFIX) for name in names)
        sibling = next((candidate for candidate in there if is_file(candidate)), None)
        if sibling is None:
            continue
        array, problem = _open_beside(sibling, rows)
        if array is None:
            notes.append(f"{sibling} was not taken for the column {column!r}: {problem}")
        else:
            beside[column] = array
    return beside, tuple(notes)


def _open_beside(path: str, rows: int) -> tuple[_StoredArray | None, str]:
    try:
        with open_bytes(path) as file:
            header = read_header(file, path)
            check_size(header, file.seek(0, os.SEEK_END) - header.offset, path)
    except (DataError, OSError) as error:
        return None, str(error)
    if not is_companion(header, rows):
        return None, f"it holds {header.dtype.name} of shape {header.shape}, where {rows:,} labels or ids were expected"
    return _StoredArray(path, header, lambda: _at_first_value(open_bytes(path), header)), ""


@contextmanager
def _at_first_value(opening: AbstractContextManager[BinaryIO], header: ArrayHeader) -> Iterator[BinaryIO]:
    with opening as file:
        file.seek(header.offset)
        yield file


def open_archive(file: BinaryIO, name: str, options: ReadOptions) -> Table:
    """Open an archive; its members are read as streams, and their checksums are compared.

    Raises
    ------
    DataError
        It is no archive of arrays, is damaged, or does not have exactly one matrix that could be the scores.
    """
    try:
        archive = zipfile.ZipFile(file)
    except DAMAGED as error:
        raise DataError(f"{name}: not a whole .npz archive ({first_line(error)}); fetch it or save it again") from error
    headers, refused = _headers(archive, name)
    if options.single_values:
        labels = _choose_labels(headers, options.array, name)
        return _vector_table(_stored(archive, labels, headers[labels], name), labels, options, name)
    chosen = _choose(headers, refused, options.array, name)
    beside = {}
    for column, names in companions(chosen).items():
        fitting = (
            array for array in names if array in headers and is_companion(headers[array], headers[chosen].shape[0])
        )
        if (array := next(fitting, None)) is not None:
            beside[column] = _stored(archive, array, headers[array], name)
    taken, rows = {array.name for array in beside.values()}, headers[chosen].shape[0]
    if len(_matrices(headers)) == 1:
        others = [array for array, header in headers.items() if array != chosen and is_companion(header, rows)]
        stored = {array: _stored(archive, array, headers[array], name) for array in others if array not in beside}
        beside |= {array: column for array, column in stored.items() if column.name not in taken}
    classes = _class_names(archive, headers, headers[chosen].shape[1], name)
    if classes is not None:
        beside.pop(classes.array, None)
    column = chosen if options.array is not None else kind_of(chosen) or "logits"
    scores = _stored(archive, chosen, headers[chosen], name)
    table = _matrix_table(scores, chosen, column, beside, options, name, None if classes is None else classes.names)
    named = () if classes is None else (f"classes from {name}: array {classes.array!r}",)
    left_out = tuple(f"left out: {reason}" for reason in refused.values())
    return table._replace(notes=(*named, *table.notes, *left_out))


class _Classes(NamedTuple):
    array: str
    names: list[str]


def _class_names(archive: zipfile.ZipFile, headers: dict[str, ArrayHeader], size: int, name: str) -> _Classes | None:
    """Read the names of the classes where an array of that name holds one text for each; None: there is none."""
    for array in CLASSES:
        header = headers.get(array)
        if header is not None and header.shape == (size,) and header.dtype.kind in "US":
            with ExitStack() as closing:
                block = next(_stored(archive, array, header, name).blocks(size, closing))
            names = [text.strip() for text in block.astype(np.str_).tolist()]
            if all(names) and len({*names}) == size:
                return _Classes(array, names)
    return None


def _headers(archive: zipfile.ZipFile, name: str) -> tuple[dict[str, ArrayHeader], dict[str, DataError]]:
    """Return the headers of the arrays, and why those that cannot be read cannot."""
    headers: dict[str, ArrayHeader] = {}
    refused: dict[str, DataError] = {}
    for info in archive.infolist():
        array = info.filename.removesuffix(SUFFIX)
        member = f"{name}: array {array!r}"
        try:
            with archive.open(info) as file:
                header = read_header(cast(BinaryIO, file), member)
            check_size(header, info.file_size - header.offset, member)
            headers[array] = header
        except DataError as error:
            refused[array] = error
        except DAMAGED as error:
            refused[array] = DataError(
                f"{member}: cut short or damaged ({first_line(error)}); fetch it or save it again"
            )
    return headers, refused


def _choose(headers: dict[str, ArrayHeader], refused: dict[str, DataError], given: str | None, name: str) -> str:
    """Return the name of the array of scores."""
    matrices = _matrices(headers)
    named = _named_like_scores(matrices)
    chosen = given if given is not None else matrices[0] if len(matrices) == 1 else named
    if chosen in refused and chosen is not None:
        raise refused[chosen]
    if chosen in headers and chosen is not None:
        check_matrix(headers[chosen], f"{name}: array {chosen!r}")
        return chosen
    if not headers and refused:
        raise next(iter(refused.values()))
    there = ", ".join(f"{array} ({header.dtype.name} {header.shape})" for array, header in headers.items()) or "none"
    found = (
        f"no array {given!r}"
        if given is not None
        else f"{len(matrices) or 'no'} matrices of floats that could be the scores"
    )
    raise DataError(f"{name}: {found}; there are: {there}; choose with --logits NAME")


def _matrices(headers: dict[str, ArrayHeader]) -> list[str]:
    return [array for array, header in headers.items() if len(header.shape) == 2 and header.dtype.kind == "f"]


def _named_like_scores(arrays: list[str]) -> str | None:
    """Return the array whose name is surest that of scores: ``logits`` before ``probs``; None where two are alike."""
    ranks = {}
    for array in arrays:
        found = score_name(array)
        score = found[0] if found is not None else score_ending(array)
        if score is not None:
            ranks[array] = RANKS[score.kind, score.is_plain]
    best = [array for array, rank in ranks.items() if rank == min(ranks.values())]
    return best[0] if len(best) == 1 else None


def _choose_labels(headers: dict[str, ArrayHeader], typed: str | None, name: str) -> str:
    """Return the name of the array of labels: the one that was typed, is named like a truth, or is alone."""
    fitting = [array for array, header in headers.items() if holds_labels(header)]
    if typed is not None and typed not in fitting:
        raise DataError(f"{name}: no array {typed!r} of labels; {did_you_mean(typed, fitting)}")
    named = sorted((array for array in fitting if truth_rank(array) is not None), key=lambda a: truth_rank(a) or 0)
    vectors = [array for array in fitting if len(headers[array].shape) == 1]
    chosen = typed or (named[0] if named else vectors[0] if len(vectors) == 1 else None)
    if chosen is None:
        raise DataError(f"{name}: which array holds the labels? Write {name}:NAME with one of {listed(fitting)}")
    return chosen


def _stored(archive: zipfile.ZipFile, array: str, header: ArrayHeader, name: str) -> _StoredArray:
    return _StoredArray(f"{name}: array {array!r}", header, partial(_open, archive, array, header, name))


@contextmanager
def _open(archive: zipfile.ZipFile, array: str, header: ArrayHeader, name: str) -> Iterator[BinaryIO]:
    """Open a member at its first value; one whose rows lie scattered is copied out first, for it must be sought in."""
    with archive.open(array + SUFFIX) as member:
        file = cast(BinaryIO, member)
        if not (header.fortran_order and len(header.shape) > 1):
            file.read(header.offset)
            yield file
            return
        try:
            copy = spool(file, name)
        except DAMAGED as error:
            raise DataError(
                f"{name}: array {array!r}: damaged ({first_line(error)}); fetch it or save it again"
            ) from error
        with copy:
            yield copy


KINDS = {"logprob": "logprob", "prob": "prob", "logit": "logits"}
"""Kind of scores by what the name of their array holds; the first that fits."""
SCORES = re.compile(
    r"(log_?prob(s|abilities)?|prob(s|a|abilities)?|logits?|scores?|preds?|predictions?)$", re.IGNORECASE
)
LABELS = ("labels", "label", "targets", "target", "truth", "y_true", "y")
IDS = ("ids", "id", "index", "names", "name")
COLUMNS = {"label": LABELS, "id": IDS}


def kind_of(array: str) -> str | None:
    """Kind of scores that the name of an array gives: ``val_probs`` holds probabilities; None: it gives none."""
    plain = array.lower().replace("_", "")
    return next((kind for word, kind in KINDS.items() if word in plain), None)


def companions(array: str) -> dict[str, tuple[str, ...]]:
    """Names that the labels and the ids of `array` go by: ``val_labels`` and more for ``val_logits``."""
    start = SCORES.sub("", array)
    prefix = start if start != array else f"{array}_"
    return {column: tuple(prefix + word for word in words) for column, words in COLUMNS.items()}


@dataclass(frozen=True, slots=True)
class _StoredArray:
    """An array that has been looked at and not been read yet."""

    name: str
    """What messages call it."""
    header: ArrayHeader
    open: Callable[[], AbstractContextManager[BinaryIO]]
    """Opens its file at the first value."""

    def blocks(self, rows: int, closing: ExitStack) -> Iterator[NDArray[np.generic]]:
        """Read the rows in order; `closing` closes the file."""
        file = closing.enter_context(self.open())
        is_by_class = self.header.fortran_order and len(self.header.shape) > 1
        return (strided_blocks if is_by_class else row_blocks)(file, self.header, rows, self.name)


def _matrix_table(
    scores: _StoredArray,
    array_name: str,
    column: str,
    beside: dict[str, _StoredArray],
    options: ReadOptions,
    table_name: str,
    classes: list[str] | None = None,
) -> Table:
    """Make a table of a matrix and of 1-D arrays of the same length.

    Parameters
    ----------
    scores : _StoredArray
        Shape (rows, classes).
    array_name : str
        What its owner called it, which may say the kind of the scores.
    column : str
        What to call the list column of scores.
    beside : dict
        Column name to array of shape (rows,).
    classes : list of str or None
        Names of the classes; None: unknown.

    Returns
    -------
    Table
        The columns `beside`, then the scores; the metadata give what is known of their kind and their classes.
    """
    header = scores.header
    score_type = pa.from_numpy_dtype(scores_of(np.empty(0, header.dtype)).dtype)
    fields = [pa.field(name, _companion_type(array.header)) for name, array in beside.items()]
    fields.append(pa.field(column, pa.list_(score_type, header.shape[1])))
    schema = pa.schema(fields, metadata=_record(array_name, column, classes))
    rows = rows_per_block(schema, options)

    def blocks() -> Iterator[Block]:
        first_row = 0
        with ExitStack() as closing:
            companions = [array.blocks(rows, closing) for array in beside.values()]
            for values, *others in zip(scores.blocks(rows, closing), *companions, strict=True):
                columns = [*map(_companion, others), lists(scores_of(values))]
                yield Block(pa.RecordBatch.from_arrays(columns, schema=schema), first_row=first_row, size=values.nbytes)
                first_row += len(values)

    notes = tuple(f"{name} from {array.name}" for name, array in beside.items())
    given = from_arrow_schema(schema)
    return Table(
        table_name,
        given,
        blocks(),
        lambda block, names: decode_batch(block, names, table_name, given),
        header.data_bytes,
        notes,
    )


def _vector_table(array: _StoredArray, column: str, options: ReadOptions, table_name: str) -> Table:
    """Make a table of one column of an array of values, or of rows of 0 and 1, shape (rows,) or (rows, classes)."""
    schema = pa.schema([pa.field(column, _companion_type(array.header))])

    def blocks() -> Iterator[Block]:
        first_row = 0
        with ExitStack() as closing:
            for values in array.blocks(rows_per_block(schema, options), closing):
                batch = pa.RecordBatch.from_arrays([_companion(values)], schema=schema)
                yield Block(batch, first_row=first_row, size=values.nbytes)
                first_row += len(values)

    given = from_arrow_schema(schema)
    return Table(table_name, given, blocks(), lambda block, names: decode_batch(block, names, table_name, given))


def _record(array: str, column: str, classes: list[str] | None) -> dict[bytes, bytes] | None:
    kind = kind_of(array)
    known: dict[str, object] = {} if kind is None else {"kind": kind, "scores": [column]}
    known |= {} if classes is None else {"classes": classes}
    return {METADATA_KEY: json.dumps(known).encode()} if known else None


def _companion_type(header: ArrayHeader) -> pa.DataType:
    if header.dtype.kind in "US":
        return pa.string()
    kind = pa.float64() if header.dtype.kind == "f" else pa.int64()
    return kind if len(header.shape) == 1 else pa.list_(kind, header.shape[1])


def _companion(values: NDArray[np.generic]) -> pa.Array:
    if values.dtype.kind == "S":
        return strings([cell.decode("utf-8", "backslashreplace") for cell in values.tolist()])
    if values.dtype.kind == "U":
        return strings(values.tolist())
    wide = np.ascontiguousarray(values, np.float64 if values.dtype.kind == "f" else np.int64)
    return numbers(wide) if values.ndim == 1 else lists(wide)
