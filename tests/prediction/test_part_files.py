"""Any cut into units, any number of threads, as often as one likes: the same rows, and of a unit the same bytes."""

import pickle
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softmax_cli.errors import DataError
from softmax_cli.prediction.parts.part_files import read_record, read_rejects, record_of

sizes = st.lists(st.integers(0, 40), min_size=1, max_size=4)
in_turn = settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def whole(make_job):
    """Score files, each as one unit; returns the parts' bytes."""

    def run(files, **options):
        with tempfile.TemporaryDirectory() as folder:
            work, units = make_job(files, Path(folder), **options)
            return [Path(folder, work(unit).name).read_bytes() for unit in units]

    return run


@in_turn
@given(rows=sizes, group_rows=st.integers(1, 30), unit_bytes=st.integers(1, 2000), threads=st.integers(1, 3))
def test_any_cut_gives_the_same_rows(make_job, whole, logits, write, rows, group_rows, unit_bytes, threads):
    with tempfile.TemporaryDirectory() as scratch:
        files = [write(Path(scratch, f"{i}.parquet"), logits(n, i), group_rows) for i, n in enumerate(rows)]
        work, units = make_job(files, Path(scratch), unit_bytes=unit_bytes, threads=threads)
        parts = [pickle.loads(pickle.dumps(work))(unit) for unit in units]
        assert [part.name for part in parts] == sorted(part.name for part in parts)
        cut = pa.concat_tables(pq.read_table(Path(scratch, part.name)) for part in parts)
        joined = pa.concat_tables(pq.read_table(pa.BufferReader(data)) for data in whole(files))
        assert cut.equals(joined, check_metadata=True)
        assert sum(part.finished.written for part in parts) == sum(rows)


@in_turn
@given(rows=st.integers(1, 200), threads=st.integers(1, 4), suffix=st.sampled_from([".parquet", ".csv", ".csv.gz"]))
def test_a_unit_that_runs_again_gives_the_same_bytes(make_job, logits, write, rows, threads, suffix):
    with tempfile.TemporaryDirectory() as scratch:
        files = [write(Path(scratch, "in.parquet"), logits(rows))]
        work, units = make_job(files, Path(scratch), suffix, threads=1)
        again, _ = make_job(files, Path(scratch), suffix, threads=threads)
        first = work(units[0])
        before = Path(scratch, first.name).read_bytes()
        assert again(units[0]).sha256 == first.sha256
        assert Path(scratch, first.name).read_bytes() == before


def test_bad_rows_are_kept_with_their_place_in_the_whole_file(make_job, logits, write, tmp_path):
    table = logits(20)
    broken = table.set_column(1, "logit_a", pa.array([None if i == 17 else 1.0 for i in range(20)], pa.float32()))
    files = [write(tmp_path / "in.parquet", broken, 5)]
    work, units = make_job(files, tmp_path, unit_bytes=1, policy="skip")
    parts = [work(unit) for unit in units]
    assert [part.finished.tally.bad_rows for part in parts] == [0, 0, 0, 1]
    record = record_of(str(tmp_path), parts[3].name)
    assert [reject.where for reject in read_rejects(record)] == [f"{files[0]}: row 18"]
    assert read_record(record) == parts[3].to_json()
    strict, units = make_job(files, tmp_path, unit_bytes=1)
    with pytest.raises(DataError, match=r"in\.parquet: row 18: column 'logit_a'"):
        strict(units[3])


def test_a_part_comes_back_from_its_record(make_job, logits, write, tmp_path):
    work, units = make_job([write(tmp_path / "in.parquet", logits(9))], tmp_path)
    part = work(units[0])
    again = type(part).from_json(part.to_json(), units[0], "error")
    assert again.to_json() == part.to_json()
    assert again.finished.tally.mean_confidence == part.finished.tally.mean_confidence
