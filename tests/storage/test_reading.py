"""Small files beside the tables, and copies of pipes for formats that are not read from front to back."""

import errno
import io
import os
import tempfile

import pytest

from softmax_cli.errors import DataError
from softmax_cli.storage import reading
from softmax_cli.storage.reading import (
    absolute,
    is_file,
    open_bytes,
    pauses,
    read_bytes,
    read_some,
    spool,
    state_of,
    temporary_space,
)


def test_a_copy_can_be_read_from_anywhere():
    with spool(io.BytesIO(b"abcdef"), "x") as copy:
        assert copy.read(2) == b"ab"
        assert copy.seek(4) == 4
        assert copy.read() == b"ef"


def test_a_full_temporary_folder_is_named(monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(DataError, match=r"x: this format needs a temporary copy .* No space left .* set TMPDIR"):
        spool(io.BytesIO(b"abc"), "x")


def test_small_files(tmp_path, monkeypatch):
    path = tmp_path / "weights.json"
    path.write_bytes(b"{}")
    assert is_file(str(path))
    assert not is_file(str(tmp_path))
    assert read_bytes(str(path)) == b"{}"
    with open_bytes(str(path)) as file:
        assert file.read(1) == b"{"
    monkeypatch.setattr(reading, "MOST_BYTES", 1)
    with pytest.raises(DataError, match="more than 1 bytes; expected a small file"):
        read_bytes(str(path))


def test_a_state_tells_when_a_file_has_changed(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b\n")
    before = state_of(str(path))
    assert state_of(str(path)) == before
    os.utime(path, ns=(1, 1))
    assert state_of(str(path)) != before
    path.write_bytes(b"a,b\n1,2\n")
    assert state_of(str(path))[0] == 8


def test_names_that_mean_the_same_from_everywhere():
    assert absolute("/data", "x.csv") == "/data/x.csv"
    assert absolute("/data", "/y/x.csv") == "/y/x.csv"
    assert absolute("/data", "s3://b/x.csv") == "s3://b/x.csv"


def test_a_file_fills_the_buffer_or_ends(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"abcde")
    buffer = bytearray(3)
    with open(path, "rb", buffering=0) as file:
        assert read_some(file, memoryview(buffer)) == (3, False, False)
        assert buffer == b"abc"
        assert read_some(file, memoryview(buffer)) == (2, True, False)
        assert buffer[:2] == b"de"
        assert read_some(file, memoryview(buffer)) == (0, True, False)


def test_a_pipe_that_pauses_gives_what_it_has():
    reading_end, writing_end = os.pipe()
    buffer = bytearray(8)
    with open(reading_end, "rb", buffering=0) as pipe, open(writing_end, "wb", buffering=0) as other:
        other.write(b"abc")
        assert read_some(pipe, memoryview(buffer)) == (3, False, True)
        assert pauses(pipe)
        other.write(b"defghijklm")
        assert not pauses(pipe)
        assert read_some(pipe, memoryview(buffer)) == (8, False, False)
        other.close()
        assert read_some(pipe, memoryview(buffer)) == (2, True, False)


def test_what_the_system_does_not_read_never_pauses():
    assert not pauses(io.BytesIO())


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        ({}, "did not take it: No space left on device; set TMPDIR to a folder with more space"),
        ({"them": "them", "way_out": "add --limit N"}, "did not take them: No space left on device; add --limit N"),
    ],
)
def test_what_did_not_fit_is_named_with_the_folder_and_the_way_out(given, ends):
    with pytest.raises(DataError) as raised, temporary_space("x.csv: rows are kept", **given):
        raise OSError(errno.ENOSPC, "full")
    assert str(raised.value) == f"x.csv: rows are kept, and {tempfile.gettempdir()} {ends}"


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), temporary_space("x.csv"):
        raise ZeroDivisionError
