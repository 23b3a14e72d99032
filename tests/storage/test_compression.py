"""Every compression: what Python's own tools write is read, what is written they read, and damage is found."""

import bz2
import gzip
import io
import lzma

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.storage.compression import (
    COMPRESSIONS,
    FRAME_BYTES,
    HEAD_BYTES,
    MemberStream,
    compression_by_magic,
    compression_by_suffix,
)


def by_arrow(codec):
    return lambda data: pa.input_stream(pa.BufferReader(data), compression=codec).read()


OTHERS = {
    "gzip": gzip.decompress,
    "bzip2": bz2.decompress,
    "xz": lzma.decompress,
    "zstd": by_arrow("zstd"),
    "lz4": by_arrow("lz4"),
}
every = pytest.mark.parametrize("compression", COMPRESSIONS, ids=lambda compression: compression.name)


def packed(compression, *pieces):
    file = io.BytesIO()
    with compression.write(file) as stream:
        for piece in pieces:
            assert stream.write(piece) == len(piece)
    assert not file.closed
    return file.getvalue()


def unpacked(compression, data, size=-1):
    with io.BufferedReader(compression.read(io.BytesIO(data), "x")) as stream:
        return stream.read() if size < 0 else b"".join(iter(lambda: stream.read(size), b""))


@every
@settings(max_examples=25)
@given(pieces=st.lists(st.binary(max_size=3000), max_size=4), size=st.sampled_from([-1, 1, 7, 5000]))
def test_what_goes_in_comes_out(compression, pieces, size):
    data = packed(compression, *pieces)
    assert unpacked(compression, data, size) == b"".join(pieces)
    assert OTHERS[compression.name](data) == b"".join(pieces)


@every
def test_equal_input_gives_equal_bytes_however_it_arrives(compression):
    data = bytes(range(256)) * 5000
    assert len(data) > FRAME_BYTES
    assert packed(compression, data) == packed(compression, data[:1000], data[1000:])
    assert unpacked(compression, packed(compression, data)) == data


@every
def test_several_members_are_one_file(compression):
    assert unpacked(compression, packed(compression, b"one") + packed(compression, b"two")) == b"onetwo"


@every
@pytest.mark.parametrize("keep", [0.3, 0.99])
def test_a_cut_is_found(compression, keep):
    data = packed(compression, bytes(range(256)) * 3000)
    with pytest.raises(DataError, match=f"x: the {compression.name} stream is cut short or damaged"):
        unpacked(compression, data[: int(len(data) * keep)])


@every
def test_a_failed_writer_leaves_the_stream_without_an_end(compression):
    """Python closes what is forgotten; an end would make half a table look whole."""
    file = io.BytesIO()
    stream = compression.write(file)
    stream.write(b"half a table")
    del stream
    assert file.getvalue() == b"" or len(file.getvalue()) < len(packed(compression, b"half a table"))


@every
def test_names_and_first_bytes_tell_it(compression):
    assert compression_by_suffix(f"a.csv{compression.suffix.upper()}") is compression
    assert compression_by_magic(packed(compression, b"data")[:HEAD_BYTES]) is compression


def test_nothing_else_is_compressed():
    assert compression_by_suffix("a.csv") is None
    assert compression_by_magic(b"id,cat,dog") is None


def test_members_may_be_padded_and_are_unpacked_no_further_than_asked():
    bomb = bz2.compress(bytes(10_000_000))
    stream = MemberStream(io.BytesIO(bomb + bytes(100) + bz2.compress(b"end")), bz2.BZ2Decompressor)
    buffer = bytearray(1000)
    assert stream.readinto(buffer) == 1000
    rest = 0
    last = b""
    while got := stream.readinto(buffer):
        rest, last = rest + got, bytes(buffer[:got])
    assert (rest, last) == (9_999_000 + 3, b"end")
