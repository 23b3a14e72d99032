"""The rows of a stored array, block by block, in flat memory."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import DataError
from softmax_cli.matrices.header import ArrayHeader

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
        raise DataError(f"{where}: cut short or damaged ({error}); fetch it or save it again") from error


def scores_of(block: NDArray[np.generic]) -> NDArray[np.floating]:
    """Give values as native floats: float16, float32 and float64 as they are, all else as float64."""
    dtype = block.dtype.newbyteorder("=")
    if dtype.kind != "f" or dtype.itemsize > 8:
        dtype = np.dtype(np.float64)
    return np.ascontiguousarray(block, dtype)
