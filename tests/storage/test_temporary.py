"""A temporary folder that is full is named, with what was kept there and the way out."""

import errno
import tempfile

import pytest

from softmax_cli.errors import DataError
from softmax_cli.storage.temporary import temporary_space


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
