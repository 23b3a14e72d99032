"""A folder of parts in a bucket: the bytes of one on this machine, whole part by part, gone on with after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pytest

from softmax_cli.errors import UsageError
from softmax_cli.prediction.parts.manifest import PartFolder

ROWS = (10, 400_000, 10)


@pytest.fixture
def inputs(tmp_path):
    """Three files, of which the second takes a while."""
    (tmp_path / "logits").mkdir()
    for number, rows in enumerate(ROWS):
        z = np.random.default_rng(number).normal(size=(3, rows), scale=3).round(3)
        pc.write_csv(
            pa.table({f"logit_{name}": z[i] for i, name in enumerate("abc")}), f"{tmp_path}/logits/{number}.csv"
        )
    return "logits/*.csv"


@pytest.fixture
def run(softmax_cli, bucket):
    return lambda *arguments: softmax_cli("predict", *arguments, "-q", env=bucket.env)


def parts_of(bucket):
    keys = bucket.keys()
    return {key.removeprefix("probs/"): bucket.get(key) for key in keys if "part-" in key}


def test_what_is_killed_is_gone_on_with(run, inputs, bucket, program, program_env, tmp_path):
    assert run(inputs, "-o", "here/").code == 0
    expected = {path.name: path.read_bytes() for path in (tmp_path / "here").glob("part-*")}
    assert len(expected) == 3

    target = bucket.url("probs/")
    first = "probs/_unfinished/part-00000.csv.done"
    command = [program, "predict", inputs, "-o", target, "-q", "--threads", "1"]
    with subprocess.Popen(command, env=program_env | dict(bucket.env), cwd=tmp_path) as process:
        deadline = time.monotonic() + 60
        while first not in (there := bucket.keys()) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it was done before it was killed"
    there = bucket.keys()
    assert first in there
    assert "probs/_SUCCESS" not in there
    assert all(bucket.get(f"probs/{name}") == data for name, data in expected.items() if f"probs/{name}" in there)
    done_at = bucket.client.head_object(Bucket=bucket.name, Key="probs/part-00000.csv")["LastModified"]

    refused = run(inputs, "-o", target)
    assert refused.code == 2
    assert "holds an unfinished run; go on with --resume" in refused.err
    time.sleep(1)  # the store counts whole seconds
    again = run(inputs, "-o", target, "--resume")
    assert again.code == 0, again.err
    assert parts_of(bucket) == expected
    assert done_at == bucket.client.head_object(Bucket=bucket.name, Key="probs/part-00000.csv")["LastModified"]
    assert sorted(set(bucket.keys()) - {f"probs/{name}" for name in expected}) == [
        "probs/_SUCCESS",
        "probs/_manifest.json",
    ]
    manifest = json.loads(bucket.get("probs/_manifest.json"))
    assert manifest["parts"] == json.loads((tmp_path / "here/_manifest.json").read_text())["parts"]
    assert bucket.uploads() == []


def test_parts_of_two_jobs_do_not_stand_side_by_side(run, bucket, tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("x,y\n1,2\n")
    target = bucket.url("probs")
    assert run("a.csv", "b.csv", "-o", target, "--engine", "local").code == 0
    assert sorted(parts_of(bucket)) == ["part-00000.csv", "part-00001.csv"]
    other = run("a.csv", "-o", target, "--engine", "local", "--resume", "-T", "2")
    assert other.code == 2
    assert "holds parts of another job" in other.err
    assert run("a.csv", "-o", target, "--engine", "local", "--force").code == 0
    assert sorted(parts_of(bucket)) == ["part-00000.csv"]
    assert run("s3://none-such/", "-o", target, "--engine", "local", "--force").code == 2
    read = run(bucket.url("probs/part-00000.csv"), "-o", target, "--engine", "local", "--force")
    assert read.code == 2
    assert "holds the input" in read.err


def test_a_bad_row_leaves_nothing_where_nothing_was_done(run, bucket, tmp_path):
    (tmp_path / "a.csv").write_text("logit_x,logit_y\n1,2\n1,oops\n")
    assert run("a.csv", "-o", bucket.url("probs/")).code == 1
    assert bucket.keys() == []


def test_the_second_of_two_runs_that_begin_at_once_leaves_the_first_alone(bucket, monkeypatch):
    for name, value in bucket.env.items():
        monkeypatch.setenv(name, value)
    folder = PartFolder(bucket.url("probs"))
    folder.check(force=False, resume=False)
    with folder.claim({"job": 1}, resume=False):
        monkeypatch.setattr("softmax_cli.storage.folders.names_in", lambda folder: [])  # it has looked before
        with pytest.raises(UsageError, match="was written by another run"), folder.claim({"job": 2}, resume=False):
            pass
        assert json.loads(bucket.get("probs/_unfinished/job")) == {"job": 1}
