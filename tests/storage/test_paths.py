"""Remote names find files as a shell would find them here; against the standard library on the same folders."""

import glob
import posixpath

import pytest

from softmax_cli.errors import UsageError
from softmax_cli.storage import paths
from softmax_cli.storage.paths import find_files

FILES = ("a.csv", "b.csv", ".hidden.csv", "day/1.parquet", "day/2.parquet", "day/night/3.parquet", "x y/%20.csv")


class Listing:
    """A store that keeps names only."""

    LISTS = True

    def look(self, url):
        if url.removeprefix("fake://bucket/") not in FILES:
            raise FileNotFoundError("no such key")
        return url

    def entries(self, folder):
        within = folder.removeprefix("fake://bucket/")
        below = [name.removeprefix(within) for name in FILES if name.startswith(within)]
        files = sorted(name for name in below if "/" not in name)
        return files, sorted({name.partition("/")[0] for name in below if "/" in name})


@pytest.fixture(autouse=True)
def store(monkeypatch):
    listing = Listing()
    monkeypatch.setattr(paths, "store_of", lambda url: listing)
    monkeypatch.setattr(paths, "look", listing.look)
    return listing


@pytest.mark.parametrize(
    "pattern",
    ["*.csv", "*", "**", "day/*", "d?y/[12].parquet", "**/*.parquet", "*/night/*", ".h*", "**/3.parquet", "x y/*"],
)
def test_patterns_match_as_they_do_on_a_disk(tmp_path, pattern):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    here = [name for name in glob.glob(pattern, root_dir=tmp_path, recursive=True) if (tmp_path / name).is_file()]
    there, is_folder = find_files(f"fake://bucket/{pattern}")
    assert sorted(there) == sorted(posixpath.join("fake://bucket", name) for name in here)
    assert not is_folder


def test_a_file_goes_before_what_its_name_would_match():
    assert find_files("fake://bucket/x y/%20.csv") == (["fake://bucket/x y/%20.csv"], False)


@pytest.mark.parametrize("name", ["day", "day/"])
def test_a_folder_is_its_files(name):
    expected = ["fake://bucket/day/1.parquet", "fake://bucket/day/2.parquet"]
    assert find_files(f"fake://bucket/{name}") == (expected, True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("*.npy", "no file matches"),
        ("c.csv", "no such file or folder; did you mean fake://bucket/[ab].csv"),
        ("nothing/at/all", "see the bucket, the key"),
    ],
)
def test_what_is_not_there_is_said(name, words):
    with pytest.raises(UsageError, match=words):
        find_files(f"fake://bucket/{name}")


def test_a_store_that_lists_nothing_has_no_patterns(store):
    store.LISTS = False
    with pytest.raises(UsageError, match="no such file"):
        find_files("fake://bucket/*.csv")
