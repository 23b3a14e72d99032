"""Writing back early: a failure of the disk is reported, however early it happens."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from softmax_cli.storage.writing import early_writeback


def test_a_failure_of_the_disk_comes_up_although_a_later_sync_might_succeed() -> None:
    reading, writing = os.pipe()  # nothing that could be sent to a disk: EINVAL
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EINVAL)), early_writeback(writing):
            time.sleep(0.3)
    finally:
        os.close(reading)
        os.close(writing)


def fail_late(descriptor: int) -> None:
    with early_writeback(descriptor):
        time.sleep(0.3)
        raise KeyError("row")


def test_an_error_of_the_writer_goes_before_one_of_the_disk() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(KeyError, match="row"):
            fail_late(writing)
    finally:
        os.close(reading)
        os.close(writing)


def test_what_is_written_meanwhile_is_whole(tmp_path: Path) -> None:
    with (tmp_path / "probs.csv").open("wb") as file, early_writeback(file.fileno()):
        for part in range(20):
            file.write(b"%03d" % part)
            file.flush()
            time.sleep(0.01)
    assert (tmp_path / "probs.csv").read_bytes() == b"".join(b"%03d" % part for part in range(20))
