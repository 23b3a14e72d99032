"""A folder is finished or visibly not, and parts of two jobs never mix."""

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from softmax_cli.distributed.engines import by_name
from softmax_cli.errors import UsageError
from softmax_cli.prediction.parts.manifest import PartFolder, Partition
from softmax_cli.prediction.parts.part_files import differences, digest, fingerprint
from softmax_cli.prediction.scorer import Adjustment, Scoring


class CutError(BaseException):
    """The power went."""


@pytest.fixture
def partition(make_job, logits, write, tmp_path):
    """Set up a job over three files; ``partition(resume=True)``."""
    files = [write(tmp_path / f"in{i}.parquet", logits(10 + i, i)) for i in range(3)]

    def make(resume=False, **options):
        folder = PartFolder(str(tmp_path / "out"))
        work, units = make_job(files, folder.unfinished, **options)
        return Partition(work, units, folder, 1, resume)

    return make


def run(job):
    return job.run(by_name("local"), lambda rows, size: None, nullcontext(lambda rejects: None))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_commit_that_is_cut_anywhere_is_finished_by_the_next_run(partition, tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(partition())
    expected = contents(out)
    assert sorted(expected) == ["_SUCCESS", "_manifest.json", *(f"part-{i:05d}.parquet" for i in range(3))]
    begun, unlink, replace = {"steps": 0, "last": 0}, Path.unlink, Path.replace

    def cut(method):
        def step(path, *arguments, **options):
            begun["steps"] += 1
            if begun["steps"] > begun["last"]:
                raise CutError
            return method(path, *arguments, **options)

        return step

    cuts = 0
    for last in range(20):
        for path in out.iterdir():
            path.unlink()
        begun.update(steps=0, last=last)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", cut(unlink))
            patched.setattr(Path, "replace", cut(replace))
            try:
                run(partition())
                break
            except CutError:
                cuts += 1
        assert not (out / "_SUCCESS").exists()
        run(partition(resume=True))
        assert contents(out) == expected
    assert cuts >= 3


def test_parts_of_an_older_job_are_not_taken_for_done(partition, tmp_path):
    """After --force was cut short, the folder holds the old job's parts and manifest beside what is unfinished."""
    run(partition())
    old = contents(tmp_path / "out")
    colder = Scoring(Adjustment(2.0))
    job = partition(scoring=colder)
    with job.folder.claim(fingerprint(job.work, job.units), resume=False):
        first = job.work(job.units[0])
    again = partition(resume=True, scoring=colder)
    finished = run(again)
    now = contents(tmp_path / "out")
    assert finished.written == 33
    assert all(now[name] != old[name] for name in old if name.startswith("part-"))
    assert json.loads(now["_manifest.json"])["parts"][0]["sha256"] == first.sha256


def test_another_job_is_not_gone_on_with(partition, logits, write, tmp_path):
    run(partition())
    before = contents(tmp_path / "out")
    with pytest.raises(UsageError, match=r"z / 2  \(--temperature\)"):
        run(partition(resume=True, scoring=Scoring(Adjustment(2.0))))
    with pytest.raises(UsageError, match=r"the parts were \.parquet, now \.csv"):
        run(partition(resume=True, suffix=".csv"))
    write(tmp_path / "in1.parquet", logits(11, 5))
    with pytest.raises(UsageError, match=r"in1\.parquet has changed"):
        run(partition(resume=True))
    assert contents(tmp_path / "out").items() >= before.items()


def test_a_temperature_in_its_last_digit_is_another_job(partition):
    """Steps print a temperature with six digits: the fingerprint must see more."""
    one, other = (
        fingerprint(job.work, job.units)
        for job in (partition(scoring=Scoring(Adjustment(t))) for t in (1.5, np.nextafter(1.5, 2)))
    )
    assert one["operations"] == other["operations"]
    assert differences(one, other) == ["options differ (columns, weights, bad rows, digits ...)"]


def test_the_same_job_has_the_same_fingerprint(partition):
    one, other = partition(), partition()
    assert fingerprint(one.work, one.units) == json.loads(json.dumps(fingerprint(other.work, other.units)))


def test_two_runs_do_not_write_at_once(partition):
    one, other = partition(), partition()
    job = fingerprint(one.work, one.units)
    with one.folder.claim(job, resume=False):
        with pytest.raises(UsageError, match="another run is writing there"), other.folder.claim(job, resume=False):
            pass
        assert Path(one.folder.unfinished).is_dir()


arrays = hnp.arrays(st.sampled_from([np.float32, np.float64, np.int64]), hnp.array_shapes(max_dims=2, max_side=4))


@given(arrays, arrays)
def test_arrays_have_one_digest_only_if_they_are_the_same_bytes(one, other):
    same = one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    assert (digest(one) == digest(other)) == same


def test_a_digest_knows_where_one_value_ends():
    assert (
        len({digest(value) for value in (("ab", "c"), ("a", "bc"), ("abc",), (("ab",), "c"), "abc", None, (), 1, 1.0)})
        == 9
    )


def test_what_has_no_digest_is_refused():
    with pytest.raises(TypeError, match="function"):
        digest(run)
