"""Web servers are read from, whatever their habits; what they cut off is noticed."""

import re
import sys
import time
from pathlib import Path

import pytest

ROWS = "id,cat,dog\n" + "".join(f"r{i},{i % 7 - 3}.5,{i % 5}\n" for i in range(3000))
HABITS = ("ranges", "plain", "chunked", "busy", "moved")
TABLES = [(habit, suffix) for habit in HABITS for suffix in ("csv", "parquet")]
TABLES += [(habit, suffix) for habit in ("ranges", "plain") for suffix in ("npy", "csv.gz", "csv.zst", "arrow")]


@pytest.fixture
def address(tmp_path, serve):
    return serve("web.py", tmp_path)


def one_message(done):
    messages = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(messages) == 1, done.err
    assert "Traceback" not in done.err
    return " ".join(done.err.split())


@pytest.fixture
def file(softmax_cli, tmp_path):
    """Make a file of any format; the program reads it back."""

    def make(suffix):
        (tmp_path / "in.csv").write_text(ROWS)
        assert softmax_cli("predict", "in.csv", "-q", "-o", f"x y.{suffix}", "--force").code == 0
        return f"x y.{suffix}"

    return make


@pytest.mark.parametrize(("habit", "suffix"), TABLES)
def test_the_table_is_read_as_from_a_file(softmax_cli, address, file, suffix, habit):
    name = file(suffix)
    here = softmax_cli("predict", name, "--input", "prob", "-q")
    there = softmax_cli("predict", f"{address}/{habit}/{name}", "--input", "prob", "-q")
    assert there.code == 0, there.err
    assert there.out == here.out


def test_a_signed_address(softmax_cli, address, file):
    """The format is reported by the name before the query; the query, a secret, is not repeated in messages."""
    name = file("tsv")
    assert softmax_cli("predict", f"{address}/signed/{name}?key=right", "--input", "prob", "-q").code == 0
    done = softmax_cli("predict", f"{address}/signed/{name}?key=secret")
    assert done.code == 1
    assert "403" in one_message(done)
    assert "secret" not in done.err


def test_a_password_in_the_address(softmax_cli):
    done = softmax_cli("predict", "http://me:secret@127.0.0.1:9/x.csv")
    assert done.code == 2
    assert "http://127.0.0.1:9/x.csv" in one_message(done)
    assert "secret" not in done.err


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("ranges/missing.csv", 2, "no such file (404"),
        ("ranges/*.csv", 2, "no such file (404"),
        ("broken/in.csv", 1, "the server answers 503"),
        ("short/in.csv", 1, "bytes early"),
        ("fickle/in.csv", 1, "written anew while it was read"),
        ("ranges/empty.csv", 1, "empty (0 bytes)"),
    ],
)
def test_what_is_wrong_is_told(softmax_cli, address, tmp_path, path, code, words):
    (tmp_path / "in.csv").write_text(ROWS)
    (tmp_path / "empty.csv").touch()
    done = softmax_cli("predict", f"{address}/{path}", "-o", "out.csv")
    assert done.code == code
    assert words in one_message(done)
    assert not (tmp_path / "out.csv").exists()


def test_nobody_answers(softmax_cli):
    began = time.monotonic()
    done = softmax_cli("predict", "http://127.0.0.1:9/x.csv")
    assert done.code == 1
    assert "Connection refused" in one_message(done)
    assert time.monotonic() - began < 30


def test_nothing_is_written_there(softmax_cli, address, tmp_path):
    (tmp_path / "in.csv").write_text(ROWS)
    done = softmax_cli("predict", "in.csv", "-o", f"{address}/out.csv")
    assert done.code == 2
    assert "only read from" in one_message(done)


def test_several(softmax_cli, address, tmp_path):
    (tmp_path / "a.csv").write_text("id,cat,dog\na,1,2\n")
    (tmp_path / "b.csv").write_text("id,cat,dog\nb,1,2\n")
    done = softmax_cli("predict", f"{address}/ranges/a.csv", "b.csv", f"{address}/plain/a.csv", "-q")
    assert [line[:1] for line in done.out.splitlines()] == [b"i", b"a", b"b", b"a"]


class TestOtherSchemes:
    def test_what_fsspec_knows(self, softmax_cli, tmp_path):
        pytest.importorskip("fsspec")
        for name in ("a", "b"):
            (tmp_path / f"{name}.csv").write_text(f"id,cat,dog\n{name},1,2\n")
        for named, ids in {"a.csv": "a", "*.csv": "ab", "": "ab"}.items():
            done = softmax_cli("predict", f"local://{tmp_path}/{named}", "-q")
            assert done.code == 0, done.err
            assert [line[:1].decode() for line in done.out.splitlines()[1:]] == list(ids)
        assert softmax_cli("predict", f"local://{tmp_path}/c.csv").code == 2
        assert softmax_cli("predict", "a.csv", "-o", f"local://{tmp_path}/c.csv").code == 2

    @pytest.mark.parametrize("scheme", ["nonsense", "hf"])
    def test_what_is_not_there(self, softmax_cli, tmp_path, scheme):
        """Without fsspec, and without its package for a scheme."""
        (tmp_path / "huggingface_hub.py").write_text("raise ImportError('No module named huggingface_hub')")
        done = softmax_cli("predict", f"{scheme}://x/y.csv", env={"PYTHONPATH": str(tmp_path)})
        assert done.code == 2
        assert f"./{scheme}://x/y.csv" in one_message(done)
        (tmp_path / "fsspec.py").write_text("raise ImportError")
        done = softmax_cli("predict", f"{scheme}://x/y.csv", env={"PYTHONPATH": str(tmp_path)})
        assert done.code == 2
        assert "pip install huggingface_hub" in one_message(done)


def test_a_run_on_local_files_loads_nothing_of_it(program_env, tmp_path):
    import subprocess

    (tmp_path / "in.csv").write_text(ROWS)
    command = [sys.executable, "-X", "importtime", "-m", "softmax_cli", "predict", "in.csv", "-o", "out.csv"]
    done = subprocess.run(
        command, cwd=tmp_path, env=program_env | {"PYTHONPATH": str(Path(__file__).parents[3])}, capture_output=True
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert "softmax_cli.storage.remote" in loaded
    assert not [name for name in loaded if re.match(r"obstore|fsspec|urllib\.request|http|softmax_cli\.remote\.", name)]
