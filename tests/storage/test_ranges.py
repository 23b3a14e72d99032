"""A remote file answers like a local one, whatever is asked of it and in whatever order; and asks for little."""

import io
import os
import threading
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.storage.remote import _ranges as ranges
from softmax_cli.storage.remote._ranges import RangedFile

DATA = os.urandom(5000)
MOVES = st.lists(st.tuples(st.integers(0, 5200), st.integers(0, 900), st.booleans()), max_size=30)


def remote(data, asked=None):
    def fetch(start, stop):
        if asked is not None:
            asked.append((start, stop))
        return data[start:stop]

    return RangedFile(fetch, len(data), "x")


@pytest.fixture(scope="class")
def small():
    """Parts of a few bytes, so that a few thousand make many."""
    patch = pytest.MonkeyPatch()
    for name, value in {"LEAST_BYTES": 64, "MOST_BYTES": 512, "BUDGET_BYTES": 2048}.items():
        patch.setattr(ranges, name, value)
    yield
    patch.undo()


@pytest.mark.usefixtures("small")
class TestSmallParts:
    @settings(deadline=None)
    @given(MOVES)
    def test_it_reads_what_a_local_file_reads(self, moves):
        local = io.BytesIO(DATA)
        with remote(DATA) as file:
            for position, size, jumps in moves:
                if jumps:
                    assert file.seek(position) == local.seek(position)
                assert file.read(size) == local.read(size)
                assert file.tell() == local.tell()

    @settings(deadline=None, max_examples=30)
    @given(st.integers(1, 700))
    def test_it_holds_no_more_than_its_budget(self, size):
        """What has been read is dropped, and what is asked for ahead is bounded."""
        with remote(DATA * 20) as file:
            while file.read(size):
                held = sum(part.stop - part.start for part in file._parts.values())
                assert held <= ranges.BUDGET_BYTES + ranges.MOST_BYTES

    def test_from_front_to_back_every_byte_is_fetched_once(self):
        asked = []
        with remote(DATA, asked) as file:
            assert b"".join(iter(lambda: file.read(100), b"")) == DATA
        covered = sorted(asked)
        assert covered[0][0] == 0
        assert covered[-1][1] == len(DATA)
        assert all(stop == start for (_, stop), (start, _) in pairwise(covered))
        assert len(covered) < 30, "parts grow"

    def test_parts_are_fetched_while_others_are_read(self):
        """The reader of the first part finds the next ones under way."""
        together = threading.Barrier(2, timeout=10)

        def fetch(start, stop):
            if start > 256:
                together.wait()  # passes only when two are under way at once
            return DATA[start:stop]

        with RangedFile(fetch, 2000, "x") as file:
            file.read(64)
            file.read(64)
            assert file.read(300) == DATA[128:428]
            together.abort()


def test_columns_read_by_turns_are_fetched_once():
    """Ten places, each read in small steps: what Parquet does."""
    data, asked = os.urandom(20 << 20), []
    with remote(data, asked) as file:
        for step in range(32):
            for column in range(10):
                start = column * (2 << 20) + step * (64 << 10)
                file.seek(start)
                assert file.read(64 << 10) == data[start : start + (64 << 10)]
    assert sum(stop - start for start, stop in asked) < 1.3 * len(data)
    assert len(asked) < 100


def test_a_look_at_the_head_fetches_the_head():
    asked = []
    with remote(bytes(20 << 20), asked) as file:
        file.read(512)
    assert asked == [(0, ranges.LEAST_BYTES)]


def test_a_part_that_is_too_short_is_told():
    with (
        RangedFile(lambda start, stop: b"x" * (stop - start - 1), 100, "s3://b/k") as file,
        pytest.raises(DataError, match=r"s3://b/k: 99 bytes came where 100 were expected"),
    ):
        file.read(1)


def test_before_the_first_byte():
    with remote(DATA) as file, pytest.raises(OSError, match="before the first byte"):
        file.seek(-1)
