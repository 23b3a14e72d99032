"""A file appears whole under its name, or not at all."""

import errno
import fcntl
import os
import stat

import pytest

from softmax_cli.errors import DataError, UsageError
from softmax_cli.storage.writing import check_target, whole_file


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_name_appears_when_all_is_written(tmp_path):
    target = tmp_path / "out.csv"
    with whole_file(target, force=False) as file:
        file.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert names(tmp_path) == ["out.csv"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, DataError])
def test_after_a_failure_nothing_is_there(tmp_path, failure):
    def write():
        with whole_file(tmp_path / "out.csv", force=False) as file:
            file.write(b"half")
            raise failure("in the middle")

    with pytest.raises(failure):
        write()
    assert names(tmp_path) == []


def test_after_a_failure_the_old_file_stands(tmp_path):
    target = tmp_path / "out.csv"
    target.write_bytes(b"old")

    def write():
        with whole_file(target, force=True) as file:
            file.write(b"half")
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        write()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.csv"]


def test_force_replaces_and_keeps_the_mode(tmp_path):
    target = tmp_path / "out.csv"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with whole_file(target, force=True) as file:
        file.write(b"new")
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_the_mode_is_what_the_umask_leaves(tmp_path):
    mask = os.umask(0o027)
    try:
        with whole_file(tmp_path / "out.csv", force=False):
            pass
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o640


def test_of_two_runs_at_once_one_wins(tmp_path):
    target = tmp_path / "out.csv"

    def lose():
        with whole_file(target, force=False) as slow:
            slow.write(b"second")
            with whole_file(target, force=False) as fast:
                fast.write(b"first")

    with pytest.raises(UsageError, match="another run"):
        lose()
    assert target.read_bytes() == b"first"
    assert names(tmp_path) == ["out.csv"]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    with whole_file(tmp_path / "link.csv", force=False) as file:
        file.write(b"x")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"x"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told(tmp_path):
    def write():
        with whole_file(tmp_path / "full", force=False) as file:
            file.write(b"x" * 100_000)

    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(DataError, match="No space left"):
        write()


@pytest.mark.parametrize("alias", ["same", "symlink", "hardlink"])
@pytest.mark.parametrize("force", [False, True])
def test_the_output_is_never_the_input(tmp_path, alias, force):
    source = tmp_path / "in.csv"
    source.write_text("a,b\n1,2\n")
    target = source if alias == "same" else tmp_path / "alias.csv"
    if alias == "symlink":
        target.symlink_to(source)
    if alias == "hardlink":
        target.hardlink_to(source)
    with pytest.raises(UsageError, match="is the input"):
        check_target(target, [str(source)], force)


def test_targets_that_cannot_be_written_are_told_before_the_work(tmp_path):
    (tmp_path / "there.csv").touch()
    with pytest.raises(UsageError, match="--force"):
        check_target(tmp_path / "there.csv", [], force=False)
    check_target(tmp_path / "there.csv", [], force=True)
    with pytest.raises(UsageError, match="mkdir -p"):
        check_target(tmp_path / "no" / "out.csv", [], force=False)
    with pytest.raises(UsageError, match="is a folder"):
        check_target(tmp_path, [], force=False)


class TestHiddenFiles:
    """What a run that was killed leaves is removed by the next one of the same name; nothing else is."""

    def test_what_dead_runs_left_is_removed(self, tmp_path):
        for left in (".out.csv.part", ".out.csv.2.part", ".out.csv.3.part", ".other.csv.part"):
            (tmp_path / left).write_bytes(b"half")
        with whole_file(tmp_path / "out.csv", force=False) as file:
            assert names(tmp_path) == [".other.csv.part", ".out.csv.part"]
            file.write(b"whole")
        assert names(tmp_path) == [".other.csv.part", "out.csv"]
        assert (tmp_path / "out.csv").read_bytes() == b"whole"

    def test_those_of_runs_that_go_on_are_kept(self, tmp_path):
        target = tmp_path / "out.csv"
        with whole_file(target, force=True) as first:
            first.write(b"first")
            with whole_file(target, force=True) as second:
                assert names(tmp_path) == [".out.csv.2.part", ".out.csv.part"]
                second.write(b"second")
            assert names(tmp_path) == [".out.csv.part", "out.csv"]
            with whole_file(target, force=True):
                assert names(tmp_path) == [".out.csv.2.part", ".out.csv.part", "out.csv"]
        assert target.read_bytes() == b"first"
        assert names(tmp_path) == ["out.csv"]

    def test_a_link_in_the_way_is_neither_followed_nor_removed(self, tmp_path):
        (tmp_path / "precious").write_bytes(b"precious")
        (tmp_path / ".out.csv.part").symlink_to(tmp_path / "precious")
        with whole_file(tmp_path / "out.csv", force=False) as file:
            file.write(b"whole")
        assert names(tmp_path) == [".out.csv.part", "out.csv", "precious"]
        assert (tmp_path / "precious").read_bytes() == b"precious"

    def test_a_file_system_without_locks(self, tmp_path, monkeypatch):
        """Then nobody can tell whether a file is in use, and none is removed."""

        def refuse(descriptor, operation):
            raise OSError(errno.ENOLCK, "no locks")

        monkeypatch.setattr(fcntl, "flock", refuse)
        (tmp_path / ".out.csv.part").write_bytes(b"half")
        with whole_file(tmp_path / "out.csv", force=False) as file:
            file.write(b"whole")
        assert names(tmp_path) == [".out.csv.part", "out.csv"]

    def test_a_name_as_long_as_names_can_be(self, tmp_path):
        for name in ("x" * 255, "ü" * 127):
            with whole_file(tmp_path / name, force=False) as file:
                file.write(b"whole")
            assert (tmp_path / name).read_bytes() == b"whole"
