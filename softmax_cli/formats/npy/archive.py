"""An .npz archive, opened: the matrix of scores, and the arrays of labels and ids under matching names."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO, cast

from softmax_cli.errors import DataError
from softmax_cli.formats.npy.reader import (
    DAMAGED,
    ArrayHeader,
    StoredArray,
    check_matrix,
    check_size,
    companions,
    is_companion,
    kind_of,
    matrix_table,
    read_header,
)
from softmax_cli.storage.reading import spool
from softmax_cli.tables.table import ReadOptions, Table

MEMBER = ".npy"


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
        raise DataError(f"{name}: not a whole .npz archive ({error}); fetch it or save it again") from error
    headers, refused = _look_at(archive, name)
    chosen = _choose(headers, refused, options.array, name)
    beside = {}
    for column, names in companions(chosen).items():
        fitting = (
            array for array in names if array in headers and is_companion(headers[array], headers[chosen].shape[0])
        )
        if (array := next(fitting, None)) is not None:
            beside[column] = _stored(archive, array, headers[array], name)
    column = chosen if options.array is not None else kind_of(chosen) or "logits"
    return matrix_table(_stored(archive, chosen, headers[chosen], name), chosen, column, beside, options, name)


def _look_at(archive: zipfile.ZipFile, name: str) -> tuple[dict[str, ArrayHeader], dict[str, DataError]]:
    """Return the headers of the arrays, and why those that cannot be read cannot."""
    headers: dict[str, ArrayHeader] = {}
    refused: dict[str, DataError] = {}
    for info in archive.infolist():
        array = info.filename.removesuffix(MEMBER)
        member = f"{name}: array {array!r}"
        try:
            with archive.open(info) as file:
                header = read_header(cast(BinaryIO, file), member)
            check_size(header, info.file_size - header.offset, member)
            headers[array] = header
        except DataError as error:
            refused[array] = error
        except DAMAGED as error:
            refused[array] = DataError(f"{member}: cut short or damaged ({error}); fetch it or save it again")
    return headers, refused


def _choose(headers: dict[str, ArrayHeader], refused: dict[str, DataError], said: str | None, name: str) -> str:
    """Return the name of the array of scores."""
    matrices = [array for array, header in headers.items() if len(header.shape) == 2 and header.dtype.kind == "f"]
    chosen = said if said is not None else matrices[0] if len(matrices) == 1 else None
    if chosen in refused and chosen is not None:
        raise refused[chosen]
    if chosen in headers and chosen is not None:
        check_matrix(headers[chosen], f"{name}: array {chosen!r}")
        return chosen
    if not headers and refused:
        raise next(iter(refused.values()))
    there = ", ".join(f"{array} ({header.dtype.name} {header.shape})" for array, header in headers.items()) or "none"
    found = (
        f"no array {said!r}"
        if said is not None
        else f"{len(matrices) or 'no'} matrices of floats that could be the scores"
    )
    raise DataError(f"{name}: {found}; there are: {there}; choose with --logits NAME")


def _stored(archive: zipfile.ZipFile, array: str, header: ArrayHeader, name: str) -> StoredArray:
    return StoredArray(f"{name}: array {array!r}", header, partial(_open, archive, array, header, name))


@contextmanager
def _open(archive: zipfile.ZipFile, array: str, header: ArrayHeader, name: str) -> Iterator[BinaryIO]:
    """Open a member at its first value; one whose rows lie scattered is copied out first, for it must be sought in."""
    with archive.open(array + MEMBER) as member:
        file = cast(BinaryIO, member)
        if not (header.fortran_order and len(header.shape) > 1):
            file.read(header.offset)
            yield file
            return
        try:
            copy = spool(file, name)
        except DAMAGED as error:
            raise DataError(f"{name}: array {array!r}: damaged ({error}); fetch it or save it again") from error
        with copy:
            yield copy
