"""``predict --engine``: 20 files on every engine are, to the last bit, what one local stream gives."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def inputs(tmp_path):
    (tmp_path / "logits").mkdir()
    for seed in range(20):
        drawn = np.random.default_rng(seed).normal(size=(500, 3), scale=4).astype(np.float32)
        ids = pa.array([f"{seed}-{row}" for row in range(500)])
        columns = {"id": ids} | {f"logit_{name}": pa.array(drawn[:, i]) for i, name in enumerate("abc")}
        pq.write_table(pa.table(columns), tmp_path / f"logits/{seed:02d}.parquet")
    return tmp_path / "logits"


def parts(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*"))}


def without_start_note(err, engine):
    """What is said, less the note that a small job is done sooner without the engine."""
    return "".join(line for line in err.splitlines(True) if not line.startswith(f"--engine {engine} takes about"))


def test_parts_are_those_of_a_local_run(softmax_cli, softmax_cli_process, engine, inputs, tmp_path):
    options = ("-T", "1.3", "-w", "a=2", "--threads", "2")
    one = softmax_cli("predict", "logits/", *options, "-o", "one.parquet")
    local = softmax_cli("predict", "logits/", *options, "-o", "local/")
    there = softmax_cli_process("predict", "logits/", *options, "-o", "there/", "--engine", engine)
    assert one.code == local.code == there.code == 0, there.err
    assert there.out == b""
    assert without_start_note(there.err, engine) == local.err, "the same talk, and none of the engine's own"
    assert (there.err != local.err) == (engine != "local"), "it was said that these few bytes need no engine"
    assert parts(tmp_path / "there") == parts(tmp_path / "local")
    read = pa.concat_tables(pq.read_table(path) for path in sorted((tmp_path / "there").glob("part-*")))
    assert read.equals(pq.read_table(tmp_path / "one.parquet"), check_metadata=True)
    assert {path.name for path in (tmp_path / "there").iterdir()} == {
        "_SUCCESS",
        "_manifest.json",
        *parts(tmp_path / "local"),
    }
    one, other = (json.loads((tmp_path / name / "_manifest.json").read_text()) for name in ("local", "there"))
    assert one == other


SAMPLE = ("sample", "logits/", "-n", "2", "--seed", "7", "--epsilon", "0.05")
ENSEMBLE = ("ensemble", "logits/", "logits/", "--weights", "2,1")


@pytest.mark.parametrize(
    ("engine", "job"),
    [
        ("local", SAMPLE),
        ("local", ENSEMBLE),
        *(
            pytest.param(*pair, marks=pytest.mark.engine)
            for pair in [("ray", SAMPLE), ("spark", ENSEMBLE), ("dask", SAMPLE)]
        ),
    ],
    indirect=["engine"],
)
def test_draws_and_pools_are_those_of_a_local_run(softmax_cli, softmax_cli_process, engine, inputs, tmp_path, job):
    one = softmax_cli(*job, "-o", "one.parquet")
    there = softmax_cli_process(*job, "--threads", "2", "-o", "there/", "--engine", engine)
    assert one.code == there.code == 0, there.err
    assert without_start_note(there.err, engine).replace(" in 20 parts", "") == one.err
    read = pa.concat_tables(pq.read_table(path) for path in sorted((tmp_path / "there").glob("part-*")))
    assert read.to_pylist() == pq.read_table(tmp_path / "one.parquet").to_pylist()


def test_a_bad_row_is_told_as_it_is_locally(softmax_cli, softmax_cli_process, engine, inputs, tmp_path):
    table = pq.read_table(inputs / "13.parquet")
    broken = pa.array([None if row == 77 else 0.5 for row in range(500)], pa.float32())
    pq.write_table(table.set_column(2, "logit_b", broken), inputs / "13.parquet")
    local = softmax_cli("predict", "logits/", "-o", "one.parquet")
    there = softmax_cli_process("predict", "logits/", "-o", "there/", "--engine", engine)
    assert there.code == 1
    assert there.err.endswith(local.err)  # Ray itself may complain before, of a task that was let go
    assert "logits/13.parquet: row 78" in " ".join(there.err.split())
    assert not (tmp_path / "there/_SUCCESS").exists()
