"""Compressed files: recognised by their first bytes, read and written as streams.

Reading never takes more than it was asked for, so that a file of a few kilobytes that swells to terabytes runs in flat
memory. pyarrow reads what it knows, with every check that the formats allow (cut streams, checksums, several members in
a row). Writing does without pyarrow's stream, which reports a failure twice, the second time on stderr.
"""

import io
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

from softmax_cli.errors import DataError, first_line

GZIP_LEVEL = 6
"""What `gzip` itself uses; level 9 takes three times as long for half a percent of size."""
GZIP_CONTAINER = 31
"""zlib's window code for a gzip header, whose time stamp it leaves at zero: equal input gives equal bytes."""
FRAME_BYTES = 1 << 20
"""Size of the independent frames of .zst and .lz4, fixed so that the bytes do not depend on how the data arrived."""
HEAD_BYTES = 10
"""How many first bytes every compression is recognised by."""


class Compressor(Protocol):
    """How the standard library's compressors are used."""

    def compress(self, data: bytes, /) -> bytes:
        """Take more data and give what is ready."""

    def flush(self) -> bytes:
        """Give the rest, with what ends the stream."""


class Compression(NamedTuple):
    """One way to compress a file."""

    name: str
    suffix: str
    magic: tuple[bytes, ...]
    reader: Callable[[BinaryIO], Any]
    compressor: Callable[[], Compressor]

    def read(self, file: BinaryIO, name: str) -> BinaryIO:
        """Open a stream of what was compressed in `file`; it raises DataError where it meets a cut or damage."""
        return cast(BinaryIO, Decompressed(self.reader(file), name, self.name))

    def write(self, file: BinaryIO) -> BinaryIO:
        """Open a stream that compresses into `file`; closing it ends the compressed stream and leaves `file` open."""
        return cast(BinaryIO, Compressed(self.compressor(), file))


class Decompressed(io.RawIOBase):
    """What a compressed file holds, as a file that can be read once from the beginning."""

    def __init__(self, stream: Any, name: str, kind: str) -> None:
        self._stream = stream
        self._name = name
        self._kind = kind

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`; only 0 bytes mean the end.

        Raises
        ------
        DataError
            The stream is cut short or damaged.
        """
        try:
            return int(self._stream.readinto(buffer))
        except _signs_of_damage() as error:
            raise DataError(
                f"{self._name}: the {self._kind} stream is cut short or damaged ({first_line(error)}); fetch it or "
                "write it again"
            ) from error


def _signs_of_damage() -> tuple[type[Exception], ...]:
    """What is raised for damaged streams, by whichever library reads them."""
    from lzma import LZMAError

    import pyarrow as pa

    return OSError, EOFError, LZMAError, pa.ArrowException


class Compressed(io.RawIOBase):
    """A file that compresses what is written to it."""

    def __init__(self, compressor: Compressor, file: BinaryIO) -> None:
        self._compressor = compressor
        self._file = file

    def __del__(self) -> None:
        """Leave the stream without an end where a run failed; Python would close it."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any) -> int:
        """Compress all of `data`."""
        view = memoryview(data).cast("B")
        self._file.write(self._compressor.compress(view))  # type: ignore[arg-type]
        return len(view)

    def close(self) -> None:
        """End the compressed stream."""
        if self.closed:
            return
        super().close()
        self._file.write(self._compressor.flush())


class _Frames:
    """Compressor for formats whose files are frames in a row, each compressed by itself."""

    def __init__(self, codec: Any) -> None:
        self._codec = codec
        self._pending = bytearray()

    def compress(self, data: bytes) -> bytes:
        self._pending += data
        whole = len(self._pending) // FRAME_BYTES * FRAME_BYTES
        frames = [self._frame(self._pending[start : start + FRAME_BYTES]) for start in range(0, whole, FRAME_BYTES)]
        del self._pending[:whole]
        return b"".join(frames)

    def flush(self) -> bytes:
        return self._frame(self._pending)

    def _frame(self, data: bytearray) -> bytes:
        return bytes(self._codec.compress(bytes(data), asbytes=True))


def _zlib() -> Compressor:
    import zlib

    return zlib.compressobj(GZIP_LEVEL, wbits=GZIP_CONTAINER)


def _bz2() -> Compressor:
    import bz2

    return bz2.BZ2Compressor()


def _lzma() -> Compressor:
    import lzma

    return lzma.LZMACompressor()


def _read_bz2(file: BinaryIO) -> Any:
    import bz2

    return MemberStream(file, bz2.BZ2Decompressor)


def _read_xz(file: BinaryIO) -> Any:
    import lzma

    return MemberStream(file, lzma.LZMADecompressor)


def _read_with_arrow(codec: str) -> Callable[[BinaryIO], Any]:
    def read(file: BinaryIO) -> Any:
        import pyarrow as pa

        return pa.CompressedInputStream(pa.PythonFile(file, "r"), codec)

    return read


def _frames(codec: str, level: int | None) -> Callable[[], Compressor]:
    def frames() -> Compressor:
        import pyarrow as pa

        return _Frames(pa.Codec(codec, compression_level=level))

    return frames


COMPRESSIONS = (
    Compression("gzip", ".gz", (b"\x1f\x8b",), _read_with_arrow("gzip"), _zlib),
    Compression("bzip2", ".bz2", tuple(b"BZh%d1AY&SY" % n for n in range(1, 10)), _read_bz2, _bz2),
    Compression("zstd", ".zst", (b"\x28\xb5\x2f\xfd",), _read_with_arrow("zstd"), _frames("zstd", 3)),
    Compression("xz", ".xz", (b"\xfd7zXZ\x00",), _read_xz, _lzma),
    Compression("lz4", ".lz4", (b"\x04\x22\x4d\x18",), _read_with_arrow("lz4"), _frames("lz4", None)),
)


def compression_by_suffix(path: str) -> Compression | None:
    """Find the compression that the end of a file name gives; None where it gives none."""
    suffix = PurePath(path).suffix.lower()
    return next((compression for compression in COMPRESSIONS if compression.suffix == suffix), None)


def compression_by_magic(head: bytes) -> Compression | None:
    """Find the compression whose files begin like `head`; None where none does."""
    return next((compression for compression in COMPRESSIONS if head.startswith(compression.magic)), None)


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
