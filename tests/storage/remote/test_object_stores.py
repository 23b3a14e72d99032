"""An S3 server is read from and written to like a folder; what appears there is whole."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

ROWS = "id,cat,dog\n" + "".join(f"r{i},{i % 7 - 3}.5,{i % 5}\n" for i in range(3000))
SUFFIXES = ("csv", "tsv", "jsonl", "parquet", "arrow", "npy", "csv.gz", "csv.zst", "jsonl.bz2")


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(ROWS)
    return path


@pytest.fixture
def run(softmax_cli, bucket):
    """Run the program where the bucket can be reached."""
    return lambda *arguments, **options: softmax_cli(
        *arguments, **{**options, "env": {**bucket.env, **options.get("env", {})}}
    )


def one_message(done):
    messages = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(messages) == 1, done.err
    assert "Traceback" not in done.err
    return " ".join(done.err.split())


class TestRoundTrip:
    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_there_and_back_as_here(self, run, bucket, tmp_path, table, suffix):
        """The same bytes are written there as here, and read there as here."""
        assert run("predict", table, "-q", "-o", f"here.{suffix}").code == 0
        here = (tmp_path / f"here.{suffix}").read_bytes()
        done = run("predict", table, "-q", "-o", bucket.url(f"a/there.{suffix}"))
        assert done.code == 0, done.err
        assert bucket.get(f"a/there.{suffix}") == here
        again = ["--input", "prob", "-q"]
        assert (
            run("predict", bucket.url(f"a/there.{suffix}"), *again).out == run("predict", f"here.{suffix}", *again).out
        )

    @pytest.mark.parametrize(
        "key", ["p%20q.csv", "sp ace/ü/日本.csv", "a+b&c?.csv", "x#y[1].csv", "50% off.csv", "a*b.csv"]
    )
    def test_any_key(self, run, bucket, key):
        """A key is taken as it stands: nothing in it is decoded, and a file goes before a pattern."""
        url = bucket.put(key, b"cat,dog\n1,2\n")
        assert run("predict", url, "-q").out.startswith(b"prediction")
        assert run("predict", "-q", "-o", bucket.url(f"out/{key}"), stdin=b"cat,dog\n1,2\n").code == 0
        assert bucket.get(f"out/{key}")

    def test_more_than_one_part_is_uploaded(self, run, bucket, tmp_path):
        (tmp_path / "in.csv").write_bytes(b"a,b,c,d\n" + b"1.25,2.5,-3.75,4.125\n" * 500_000)
        for target in ("here.csv", bucket.url("there.csv")):
            assert run("predict", "in.csv", "-q", "-o", target).code == 0
        here = (tmp_path / "here.csv").read_bytes()
        assert len(here) > 2 * (16 << 20)
        assert bucket.get("there.csv") == here
        assert bucket.uploads() == []

    def test_matrices_find_their_labels_beside_them(self, run, bucket, tmp_path):
        import numpy as np

        for name, array in {"val_logits": np.eye(3), "val_labels": np.array([0, 1, 1])}.items():
            np.save(tmp_path / f"{name}.npy", array)
            bucket.put(f"m/{name}.npy", (tmp_path / f"{name}.npy").read_bytes())
        here, there = (run("predict", path, "-q") for path in ("val_logits.npy", bucket.url("m/val_logits.npy")))
        assert there.out == here.out
        assert b"label" in there.out.splitlines()[0]

    def test_other_commands(self, run, bucket, tmp_path):
        rows = "id,label,cat,dog\n" + "".join(
            f"r{i},{'cat' if i % 3 else 'dog'},{i % 7}.5,{i % 5}\n" for i in range(300)
        )
        url = bucket.put("val.csv", rows.encode())
        assert run("calibrate", url, "-o", bucket.url("cal.json")).code == 0
        assert b"temperature" in bucket.get("cal.json")
        done = run("evaluate", url, "--calibration", bucket.url("cal.json"), "--per-class", bucket.url("classes.csv"))
        assert done.code == 0, done.err
        assert bucket.get("classes.csv").startswith(b"name,")
        assert run("evaluate", url, "--labels", url).code == 0
        assert run("inspect", url, "--rows-out", bucket.url("flagged.csv")).code == 0
        assert run("explain", url, "--row", "3").code == 0

    def test_rejects(self, run, bucket):
        url = bucket.put("bad.csv", b"id,cat,dog\na,1,2\nb,oops,3\n")
        done = run(
            "predict", url, "--on-bad-row", "skip", "--rejects", bucket.url("rejects.csv"), "-o", bucket.url("out.csv")
        )
        assert done.code == 0, done.err
        assert f"{url}:3,cat".encode() in bucket.get("rejects.csv")


class TestSeveralFiles:
    @pytest.fixture
    def parts(self, bucket):
        for key, rows in {
            "logs/b.csv": "b,3,4",
            "logs/a.csv": "a,1,2",
            "logs/deep/c.csv": "c,5,6",
            "logs/.d.csv": "d,7,8",
        }.items():
            bucket.put(key, f"id,cat,dog\n{rows}\n".encode())
        bucket.put("logs/_SUCCESS", b"")
        bucket.put("logs/readme.md", b"# no table")
        return bucket

    @pytest.mark.parametrize(
        ("named", "ids"),
        [
            (("logs/*.csv",), "ab"),
            (("logs",), "ab"),
            (("logs/",), "ab"),
            (("logs/**/*.csv",), "abc"),
            (("l*/d??p/c.[c]sv",), "c"),
            (("logs/b.csv", "logs/a.csv"), "ba"),
        ],
    )
    def test_one_table(self, run, parts, named, ids):
        done = run("predict", *map(parts.url, named), "-q", "--only-predictions")
        assert done.code == 0, done.err
        assert [line.split(b",")[0].decode() for line in done.out.splitlines()[1:]] == list(ids)

    def test_where(self, run, parts):
        done = run("predict", parts.url("logs/*.csv"), "-q", "--where", "id=b")
        assert [line[:1] for line in done.out.splitlines()] == [b"i", b"b"]

    def test_a_pattern_without_a_match(self, run, parts):
        done = run("predict", parts.url("logs/*.tsv"))
        assert done.code == 2
        assert "no file matches" in one_message(done)

    def test_a_slip_of_the_pen(self, run, parts):
        done = run("predict", parts.url("logs/a.cvs"))
        assert done.code == 2
        assert "did you mean" in one_message(done)
        assert "logs/a.csv?" in one_message(done)


class TestFolderOfParts:
    def test_units_are_read_there(self, run, bucket, tmp_path):
        """A part for each remote file, as for each local one."""
        for name in "ab":
            (tmp_path / f"{name}.csv").write_text(f"id,cat,dog\n{name},1,2\n")
            bucket.put(f"in/{name}.csv", (tmp_path / f"{name}.csv").read_bytes())
        assert run("predict", "a.csv", "b.csv", "-q", "-o", "here/").code == 0
        done = run("predict", bucket.url("in/"), "-q", "-o", "there/")
        assert done.code == 0, done.err
        for part in ("part-00000.csv", "part-00001.csv"):
            assert (tmp_path / "there" / part).read_bytes() == (tmp_path / "here" / part).read_bytes()
        assert (tmp_path / "there" / "_SUCCESS").exists()


class TestRefusals:
    def test_it_exists(self, run, bucket, table):
        bucket.put("out.csv", b"old")
        done = run("predict", table, "-o", bucket.url("out.csv"))
        assert done.code == 2
        assert "--force" in one_message(done)
        assert bucket.get("out.csv") == b"old"
        assert run("predict", table, "-o", bucket.url("out.csv"), "--force").code == 0
        assert bucket.get("out.csv").startswith(b"id,")

    def test_someone_else_was_faster(self, bucket, monkeypatch):
        """The store itself refuses the second of two small files; of large ones, a look before they appear does."""
        from softmax_cli.errors import UsageError
        from softmax_cli.storage.writing import whole_file

        def write_late(key, size):
            with whole_file(bucket.url(key), force=False) as file:
                file.write(bytes(size))
                bucket.put(key, b"theirs")

        for name, value in bucket.env.items():
            monkeypatch.setenv(name, value)
        for size in (10, 20 << 20):
            with pytest.raises(UsageError, match="another run"):
                write_late(f"{size}.csv", size)
            assert bucket.get(f"{size}.csv") == b"theirs"
        assert bucket.uploads() == []

    def test_the_output_is_the_input(self, run, bucket):
        url = bucket.put("in.csv", b"cat,dog\n1,2\n")
        done = run("predict", url, "-o", url, "--force")
        assert done.code == 2
        assert "is the input" in one_message(done)

    @pytest.mark.parametrize("target", ["s3://{}", "s3://{}/", "s3://{}/folder/"])
    def test_a_folder_is_no_target(self, run, bucket, table, target):
        done = run("inspect", table, "--rows-out", target.format(bucket.name))
        assert done.code == 2
        assert "name a file in it" in one_message(done)

    def test_no_such_bucket(self, run, bucket, table):
        for arguments in (("s3://no-such-bucket/x.csv",), (table, "-o", "s3://no-such-bucket/x.csv")):
            done = run("predict", *arguments)
            assert done.code == 2
            assert "s3://no-such-bucket: there is no such bucket" in one_message(done)

    @pytest.mark.parametrize(
        ("env", "code", "words"),
        [
            ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 1, ("http://127.0.0.1:9 does not answer", "AWS_ENDPOINT_URL")),
            ({"AWS_ENDPOINT_URL": "localhost"}, 2, ("AWS_ENDPOINT_URL=localhost", "http://")),
            ({"AWS_PROFILE": "nobody"}, 2, ("AWS_PROFILE=nobody", "no such profile")),
        ],
    )
    def test_an_environment_that_leads_nowhere(self, run, bucket, tmp_path, env, code, words):
        began = time.monotonic()
        done = run("predict", bucket.url("x.csv"), env={"HOME": str(tmp_path), **env})
        assert done.code == code
        assert all(word in one_message(done) for word in words)
        assert time.monotonic() - began < 40, "bounded"

    def test_no_credentials(self, softmax_cli, bucket, tmp_path):
        env = {name: value for name, value in bucket.env.items() if "KEY" not in name}
        nowhere = {"HOME": str(tmp_path), "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9"}
        done = softmax_cli("predict", bucket.url("x.csv"), env=env | nowhere)
        assert done.code == 1
        assert "no credentials were found" in one_message(done)
        assert "AWS_ACCESS_KEY_ID" in one_message(done)

    def test_a_profile_of_the_aws_tools(self, softmax_cli, bucket, tmp_path):
        url = bucket.put("in.csv", b"cat,dog\n1,2\n")
        (tmp_path / ".aws").mkdir()
        (tmp_path / ".aws" / "credentials").write_text("[work]\naws_access_key_id = a\naws_secret_access_key = b\n")
        (tmp_path / ".aws" / "config").write_text(
            f"[profile work]\nregion = us-east-1\nendpoint_url = {bucket.env['AWS_ENDPOINT_URL']}\n"
        )
        done = softmax_cli("predict", url, "-q", env={"HOME": str(tmp_path), "AWS_PROFILE": "work"})
        assert done.code == 0, done.err

    def test_a_local_file_by_that_name(self, run, tmp_path):
        folder = tmp_path / "s3:" / "my"
        folder.mkdir(parents=True)
        (folder / "x.csv").write_text("cat,dog\n1,2\n")
        assert run("predict", "s3://my/x.csv", "-q").code == 0


class TestFailures:
    def test_a_bad_row_after_a_part_was_uploaded(self, run, bucket, tmp_path):
        (tmp_path / "in.csv").write_bytes(b"a,b,c,d\n" + b"1.25,2.5,-3.75,4.125\n" * 500_000 + b"1,2,oops,3\n")
        done = run("predict", "in.csv", "-o", bucket.url("out.csv"))
        assert done.code == 1
        assert "in.csv:500002" in one_message(done)
        assert bucket.keys() == bucket.uploads() == []

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
    def test_a_signal_in_the_middle(self, program, program_env, bucket, number, code):
        bucket.put("out.csv", b"old")
        command = [program, "predict", "-o", bucket.url("out.csv"), "--force"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=program_env | bucket.env)
        process.stdin.write(b"a,b,c,d\n" + b"1.25,2.5,-3.75,4.125\n" * 1_000_000)
        process.stdin.flush()
        for _ in range(300):
            if bucket.uploads():
                break
            time.sleep(0.1)
        assert bucket.uploads() == ["out.csv"], "an upload is under way"
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        assert b"Traceback" not in err
        assert bucket.get("out.csv") == b"old"
        if number != signal.SIGKILL:
            assert bucket.uploads() == []

    @pytest.mark.parametrize("suffix", ["csv", "parquet"])
    def test_an_object_that_changes_while_it_is_read(self, bucket, monkeypatch, softmax_cli, tmp_path, suffix):
        from softmax_cli.errors import DataError
        from softmax_cli.stream.inputs import input_files, open_table
        from softmax_cli.tables.table import ReadOptions

        (tmp_path / "in.csv").write_bytes(
            b"a,b\n" + b"".join(b"%d,%d\n" % (i * 7919 % 99991, i) for i in range(2_000_000))
        )
        assert softmax_cli("predict", "in.csv", "-q", "-o", f"old.{suffix}").code == 0
        url = bucket.put(f"in.{suffix}", (tmp_path / f"old.{suffix}").read_bytes())
        for name, value in bucket.env.items():
            monkeypatch.setenv(name, value)

        def read():
            with open_table(input_files([url]), ReadOptions()) as table:
                bucket.put(f"in.{suffix}", (tmp_path / f"old.{suffix}").read_bytes() + b"\n")
                for _ in table.blocks:
                    pass

        with pytest.raises(DataError, match="written anew while it was read"):
            read()


def test_without_the_extra(softmax_cli, tmp_path):
    """One message says what to install."""
    (tmp_path / "obstore.py").write_text("raise ImportError")
    done = softmax_cli("predict", "s3://b/x.csv", env={"PYTHONPATH": str(tmp_path)})
    assert done.code == 2
    assert "pip install 'obstore>=0.12'" in one_message(done)


@pytest.mark.slow
class TestStrictServer:
    @pytest.fixture
    def bucket(self, strict):
        return strict()

    def test_there_and_back(self, run, bucket, table, tmp_path):
        for target in ("here.parquet", bucket.url("x/there.parquet")):
            assert run("predict", table, "-q", "-o", target).code == 0
        assert bucket.get("x/there.parquet") == (tmp_path / "here.parquet").read_bytes()
        assert run("predict", bucket.url("x/"), "--input", "prob", "-q").code == 0
        assert run("predict", table, "-q", "-o", bucket.url("x/there.parquet")).code == 2

    @pytest.mark.parametrize("wrong", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    def test_wrong_credentials(self, run, bucket, table, wrong):
        bucket.put("in.csv", ROWS.encode())
        for arguments in ((bucket.url("in.csv"),), (bucket.url("*.csv"),), (table, "-o", bucket.url("out.csv"))):
            done = run("predict", *arguments, env={wrong: "wrong"})
            assert done.code == 1
            assert "refuses access" in one_message(done)
            assert wrong in one_message(done)
        assert bucket.keys() == ["in.csv"]

    def test_a_failure_leaves_nothing(self, run, bucket, tmp_path):
        (tmp_path / "in.csv").write_bytes(b"a,b,c,d\n" + b"1.25,2.5,-3.75,4.125\n" * 500_000 + b"1,2,oops,3\n")
        assert run("predict", "in.csv", "-o", bucket.url("out.csv")).code == 1
        assert bucket.keys() == bucket.uploads() == []
