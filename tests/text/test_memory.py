"""Nothing is read or written outside of a buffer: behind each one lies a page of memory that nobody may touch.

A process that does is ended by the system, so the laws run in processes of their own.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import multiprocessing
import random
import signal
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import DTypeLike, NDArray

from softmax_cli.text import _core

PAGE = mmap.PAGESIZE
LIBC = ctypes.CDLL(None, use_errno=True)


def guarded(size: int, before: bool = False) -> NDArray[np.uint8]:
    """Memory of `size` bytes that ends where a forbidden page begins; `before`: begins where one ends."""
    pages = -(-size // PAGE) + 2
    memory = mmap.mmap(-1, pages * PAGE)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (0, pages - 1):
        if LIBC.mprotect(ctypes.c_void_p(base + page * PAGE), PAGE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    start = PAGE if before else (pages - 1) * PAGE - size
    return np.frombuffer(memory, np.uint8, size, start)


def guarded_array(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.generic]:
    return guarded(int(np.prod(shape)) * np.dtype(dtype).itemsize).view(dtype).reshape(shape)


def guarded_text(text: bytes, before: bool) -> NDArray[np.uint8]:
    memory = guarded(len(text), before)
    memory[:] = np.frombuffer(text, np.uint8)
    return memory


def read_and_write_rows(turn: random.Random) -> None:
    """Rows of every kind: well-formed, ragged, badly quoted, numbers of all lengths up to the last byte."""
    pieces = [
        '"',
        '""',
        ",",
        "\n",
        "\r\n",
        "\r",
        "a",
        "1.5",
        "-0.1234567",
        "1e-5",
        "12345678901234567890123",
        "inf",
        " ",
        "é",
        "NA",
    ]
    text = "".join(turn.choices(pieces, k=turn.randint(0, 40))).encode()
    data = guarded_text(text, turn.random() < 0.2)
    _core.row_end(data, ord(","))
    room = _core.count_rows(data)
    scores, spans = guarded_array((room, 2), np.float64), guarded_array((room, 2, 2), np.int32)
    starts = guarded_array((room + 1,), np.int32)
    roles = np.array([-2, 0, 1, -3], np.int32)
    rows, _ = _core.parse(data, ord(","), ord("."), turn.random() < 0.2, roles, scores, spans, starts)
    _core.join_fields(data, spans[:rows, 0], True)
    for json in (False, True):
        lines = _core.Lines(json, ord(";"), turn.random() < 0.3)
        lines.add_text(b"", data, spans[:rows, 0], 0, b";", b"")
        lines.add_text(b"", data, spans[:rows, 1], 1, b";", b"")
        lines.add_numbers(b"", b";", np.array([0, 1], np.int32), scores[:rows], 2, 9, b"", False, b"", None, b"", b"")
        lines.write(rows, b"\n", b'""', None)


def read_objects(turn: random.Random) -> None:
    pieces = [
        '{"a":',
        '"b":',
        "[1,2]",
        "1.25",
        "-1e5",
        ",",
        "}",
        "\n",
        " ",
        '"x"',
        '"',
        "null",
        "true",
        "false",
        "nul",
        "{",
        "[",
    ]
    plain = '{"a":1.5,"b":[1,2]}\n'
    text = (plain * turn.randint(0, 2) + "".join(turn.choices(pieces, k=turn.randint(0, 12)))).encode()
    data = guarded_text(text[: turn.randint(0, len(text))], turn.random() < 0.2)
    room = _core.count_rows(data)
    scores, spans = guarded_array((room, 2), np.float64), guarded_array((room, 1, 2), np.int32)
    ends, roles, sizes = (np.array(values, np.int32) for values in ([3, 6], [-2, 0], [-1, 2]))
    _core.parse_objects(data, b'"a""b"', ends, roles, sizes, scores, spans, guarded_array((room + 1,), np.int32))


def many(law: Callable[[random.Random], None], seed: int) -> None:
    turn = random.Random(seed)
    for _ in range(3000):
        law(turn)


def over_the_edge(_: random.Random) -> None:
    """What the guard is there for."""
    faulthandler.disable()  # the end of this process is no news
    data = guarded_text(b"1", False)
    ctypes.string_at(data.ctypes.data, 2)


def ended(law: Callable[[random.Random], None]) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=many, args=(law, 5))
    process.start()
    process.join()
    return process.exitcode


@pytest.mark.slow
@pytest.mark.parametrize("law", [read_and_write_rows, read_objects])
def test_no_byte_outside_of_a_buffer_is_touched(law):
    assert ended(over_the_edge) in (-signal.SIGSEGV, -signal.SIGBUS)
    assert ended(law) == 0
