"""Reading .xz and .bz2 with the standard library's decompressors.

pyarrow lacks xz and fails on an empty bzip2 member; the standard library's own file objects take garbage behind a
member for its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

READ_BYTES = 1 << 16
PADDING = b"\x00"
"""Members may be padded with zeros."""


class Decompressor(Protocol):
    """How the standard library's decompressors are used: one object for one member."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes without more data."""

    @property
    def unused_data(self) -> bytes:
        """What stood behind the end of the member."""

    def decompress(self, data: bytes, /, max_length: int) -> bytes:
        """Take more data and give at most `max_length` bytes."""


class MemberStream:
    """One compressed member after the other, unpacked no further than asked for."""

    def __init__(self, file: BinaryIO, decompressor: Callable[[], Decompressor]) -> None:
        self._file = file
        self._decompressor = decompressor
        self._member: Decompressor | None = None
        self._packed = b""

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with at least one byte; 0 at the end.

        Raises
        ------
        OSError, lzma.LZMAError
            The data are damaged, or are followed by something else.
        EOFError
            The last member is cut short.
        """
        view = memoryview(buffer).cast("B")
        while len(view):
            if self._member is None and not self._begin():
                return 0
            assert self._member is not None
            if self._member.needs_input and not self._packed:
                self._packed = self._file.read(READ_BYTES)
                if not self._packed:
                    raise EOFError("the last member has no end")
            data = self._member.decompress(self._packed, len(view))
            self._packed = b""
            if self._member.eof:
                self._packed, self._member = self._member.unused_data, None
            if data:
                view[: len(data)] = data
                return len(data)
        return 0

    def _begin(self) -> bool:
        """Begin the next member, if there is one."""
        while not (rest := self._packed.lstrip(PADDING)):
            self._packed = self._file.read(READ_BYTES)
            if not self._packed:
                return False
        self._packed = rest
        self._member = self._decompressor()
        return True
