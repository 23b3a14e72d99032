"""Folders of this machine: what is in them, how one run keeps another out, and how they are emptied."""

from __future__ import annotations

import os

import pytest

from softmax_cli.errors import UsageError
from softmax_cli.storage import folders


def test_what_is_in_a_folder_and_what_is_not(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert sorted(folders.names_in(str(tmp_path))) == ["a", "link"]
    assert folders.names_in(str(tmp_path / "none")) == []
    assert folders.size_now(str(tmp_path / "a")) == 3
    assert folders.size_now(str(tmp_path / "b")) is None
    with folders.open_now(str(tmp_path / "a")) as file:
        assert file.read() == b"123"
    assert folders.holds(str(tmp_path), os.path.relpath(tmp_path / "a"))
    assert not folders.holds(str(tmp_path / "none"), str(tmp_path / "a"))


def test_in_a_store_a_file_lies_in_a_folder_by_its_name():
    assert folders.holds("s3://bucket/probs", "s3://bucket/probs/x.csv")
    assert not folders.holds("s3://bucket/probs", "s3://bucket/probs2/x.csv")
    assert not folders.holds("s3://bucket/probs", "x.csv")


def test_a_folder_is_kept_for_one_run(tmp_path):
    name = str(tmp_path / "out")
    refused = pytest.raises(UsageError, match="another run is writing there")
    with folders.locked(name), refused, folders.locked(name):
        pass
    with folders.locked(name):
        pass


def test_a_folder_is_removed_with_what_is_in_it(tmp_path):
    (tmp_path / "out").mkdir()
    for name in "ab":
        (tmp_path / "out" / name).touch()
    folders.remove_files([str(tmp_path / "out" / "a")])
    assert folders.names_in(str(tmp_path / "out")) == ["b"]
    for _ in range(2):
        folders.remove_folder(str(tmp_path / "out"))
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "told"), [("file", "is a file"), ("no/where", "mkdir -p")])
def test_where_no_folder_can_be(tmp_path, name, told):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=told):
        folders.check_folder(str(tmp_path / name))
