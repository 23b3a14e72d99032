"""The header of a .npy array, read without trusting it, and the blocks of rows that it describes.

No code is run, and no memory is taken for what the header claims.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError, first_line

MAGIC = b"\x93NUMPY"
MOST_HEADER_BYTES = 10_000
"""numpy's own bound; a table of numbers needs about a hundred."""

MOST_ROW_BYTES = 256 << 20
"""Above any number of classes; a row is the least that must fit into memory."""


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """What a .npy file says about its array."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[np.generic]
    offset: int
    """Bytes before the first value."""

    @property
    def data_bytes(self) -> int:
        """Bytes that the values take."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def row_bytes(self) -> int:
        """Bytes that one row (or one element of a 1-D array) takes."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize


def read_header(file: BinaryIO, name: str) -> ArrayHeader:
    """Read the header at the beginning of `file`, which then stands at the first value.

    Raises
    ------
    DataError
        It is no .npy array, or the array holds pickled objects.
    """
    preamble = file.read(8)
    if not preamble.startswith(MAGIC) or len(preamble) < 8:
        raise DataError(f"{name}: not a .npy array: it begins with {preamble!r}; save it with numpy.save")
    length_bytes = 2 if preamble[6] == 1 else 4
    length = file.read(length_bytes)
    size = int.from_bytes(length, "little")
    if len(length) < length_bytes or size > MOST_HEADER_BYTES:
        raise DataError(f"{name}: a .npy header of {size:,} bytes, where about 100 were expected; save it again")
    header = _parse(preamble[6:], length + file.read(size), name)
    offset = len(preamble) + length_bytes + size
    shape, fortran_order, dtype = header
    if dtype.hasobject:
        raise DataError(
            f"{name}: holds pickled Python objects, which can run code and are never loaded; "
            "save the numbers: numpy.save(file, array.astype(float))"
        )
    if any(extent < 0 for extent in shape):
        raise DataError(f"{name}: impossible shape {shape}; save it again")
    return ArrayHeader(shape, fortran_order, dtype, offset)


def _parse(version: bytes, header: bytes, name: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    from numpy.lib import format as npy

    readers = {b"\x01\x00": npy.read_array_header_1_0, b"\x02\x00": npy.read_array_header_2_0}
    if version not in readers:
        raise DataError(f"{name}: .npy version {version[0]}.{version[1]}; save plain numbers, which get version 1.0")
    try:
        return readers[version](io.BytesIO(header), max_header_size=MOST_HEADER_BYTES)
    except Exception as error:  # numpy promises nothing: tokenize.TokenError and RecursionError have been seen
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise DataError(f"{name}: the .npy header cannot be read ({reason}); save it again with numpy.save") from error


def check_matrix(header: ArrayHeader, name: str) -> None:
    """Refuse an array that is no table of scores.

    Raises
    ------
    DataError
        It is not 2-D with a class at least, or holds other things than real numbers.
    """
    expected = "a 2-D array of numbers was expected, one row per example and one column per class"
    if len(header.shape) == 1:
        raise DataError(f"{name}: a 1-D array of {header.shape[0]:,} values; {expected}: array.reshape(rows, classes)")
    if len(header.shape) != 2:
        raise DataError(
            f"{name}: a {len(header.shape)}-D array of shape {header.shape}; {expected}: array.reshape(-1, classes)"
        )
    if header.shape[1] == 0:
        raise DataError(f"{name}: an array of shape {header.shape}, without a class; {expected}")
    if header.row_bytes > MOST_ROW_BYTES:
        raise DataError(
            f"{name}: rows of {header.row_bytes:,} bytes, where {MOST_ROW_BYTES:,} is the limit; {expected}"
        )
    if header.dtype.kind not in "fiub":
        raise DataError(f"{name}: an array of {header.dtype.name}; {expected}")


def check_size(header: ArrayHeader, held: int, name: str) -> None:
    """Compare what the header claims with the bytes that are there.

    Raises
    ------
    DataError
        They differ.
    """
    claim = f"its header says {header.shape} of {header.dtype.name} = {header.data_bytes:,} bytes, there are {held:,}"
    if held < header.data_bytes:
        raise DataError(f"{name}: cut short: {claim}; fetch it or save it again")
    if held > header.data_bytes:
        raise DataError(
            f"{name}: {held - header.data_bytes:,} bytes follow after the array: {claim}; save one array in a file"
        )


DAMAGED = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError)
"""What reading a member of an archive raises for damage, a wrong checksum, encryption, or an unknown compression."""


def row_blocks(file: BinaryIO, header: ArrayHeader, rows: int, name: str) -> Iterator[NDArray[np.generic]]:
    """Read a 1-D array, or a matrix in C order, from front to back.

    Parameters
    ----------
    file : BinaryIO
        It stands at the first value, and need not be seekable.
    rows : int
        Rows of a block, each of its own memory.

    Yields
    ------
    array, shape (at most rows, ...)
        In the dtype of the file.

    Raises
    ------
    DataError
        The values end early or are damaged.
    """
    for start in range(0, header.shape[0], rows):
        block = np.empty((min(rows, header.shape[0] - start), *header.shape[1:]), header.dtype)
        fill(file, block, f"{name}: after row {start}")
        yield block


def strided_blocks(file: BinaryIO, header: ArrayHeader, rows: int, name: str) -> Iterator[NDArray[np.generic]]:
    """Read a matrix in Fortran order, class by class within every block; `file` must be seekable."""
    total, classes = header.shape
    for start in range(0, total, rows):
        count = min(rows, total - start)
        by_class = np.empty((classes, count), header.dtype)
        for index in range(classes):
            file.seek(header.offset + (index * total + start) * header.dtype.itemsize)
            fill(file, by_class[index], f"{name}: after row {start}")
        yield np.ascontiguousarray(by_class.T)


def fill(file: BinaryIO, target: NDArray[np.generic], where: str) -> None:
    """Read as many bytes as a contiguous array holds.

    Raises
    ------
    DataError
        There are fewer, or they are damaged.
    """
    view = target.reshape(-1).view(np.uint8).data
    done = 0
    try:
        while done < len(view):
            size = cast("int | None", file.readinto(view[done:]))  # type: ignore[attr-defined]
            if not size:
                raise EOFError("the values end early")
            done += size
    except DAMAGED as error:
        raise DataError(f"{where}: cut short or damaged ({first_line(error)}); fetch it or save it again") from error


def scores_of(block: NDArray[np.generic]) -> NDArray[np.floating]:
    """Give values as native floats: float16, float32 and float64 as they are, all else as float64."""
    dtype = block.dtype.newbyteorder("=")
    if dtype.kind != "f" or dtype.itemsize > 8:
        dtype = np.dtype(np.float64)
    return np.ascontiguousarray(block, dtype)


def holds_labels(header: ArrayHeader) -> bool:
    """Whether an array can hold the labels of rows: one value a row, or a matrix of 0 and 1."""
    one_value = len(header.shape) == 1 and header.dtype.kind in "fiubUS"
    return one_value or (len(header.shape) == 2 and header.shape[1] > 0 and header.dtype.kind in "fiub")


def is_companion(header: ArrayHeader, rows: int) -> bool:
    """Whether an array can be a column beside a matrix of `rows` rows: a value a row, or a row of whole numbers."""
    one_value = header.shape == (rows,) and header.dtype.kind in "fiubUS"
    return one_value or (len(header.shape) == 2 and header.shape[0] == rows and header.dtype.kind in "iub")
