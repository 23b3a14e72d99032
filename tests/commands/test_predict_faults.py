"""Faults of disks, pipes, signals and files: one message, the right exit code, nothing half-done under a name."""

import gzip
import io
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

ROWS = "id,cat,dog\n" + "".join(f"r{i},{i % 7 - 3}.5,{i % 5}\n" for i in range(5000))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(ROWS)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def one_message(done):
    """The run failed with a single message and no traceback; returns it."""
    messages = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(messages) == 1, done.err
    assert "Traceback" not in done.err
    return messages[0]


@pytest.fixture
def start(program, program_env, tmp_path):
    """Start the program without waiting for it."""
    started = []

    def run(*arguments, **options):
        process = subprocess.Popen([program, *arguments], cwd=tmp_path, env=program_env, text=False, **options)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
class TestFullDisk:
    def test_a_named_output(self, softmax_cli, table):
        done = softmax_cli("predict", table, "-o", "/dev/full", "--format", "csv")
        assert done.code == 1
        assert "No space left on device" in one_message(done)

    def test_standard_output(self, start, table):
        with open("/dev/full", "wb") as full:
            process = start("predict", table, stdout=full, stderr=subprocess.PIPE)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert b"No space left on device" in err
        assert b"Traceback" not in err


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl", "arrow", "npy", "csv.gz"])
def test_a_file_size_limit_leaves_nothing(start, tmp_path, suffix):
    np.save(tmp_path / "in.npy", np.random.default_rng(0).normal(size=(20_000, 8)))

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    process = start("predict", "in.npy", "-o", f"out.{suffix}", stderr=subprocess.PIPE, preexec_fn=limit)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 1, err
    assert b"File too large" in err
    assert b"Traceback" not in err
    assert names(tmp_path) == ["in.npy"]


def test_a_closed_pipe_is_success(start, table):
    process = start("predict", table, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(30) == 0
    assert b"rror" not in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("old", [None, b"old"])
def test_a_signal_in_the_middle(start, tmp_path, number, code, old):
    target = tmp_path / "out.csv"
    if old is not None:
        target.write_bytes(old)
    process = start("predict", "-", "-o", "out.csv", "--force", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(ROWS.encode() * 1 + b"x,1,2\n" * 600_000)
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while not [name for name in names(tmp_path) if name.endswith(".part")] and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(30)
    err = process.stderr.read()
    assert process.returncode == code, err
    assert b"Traceback" not in err
    assert (target.read_bytes() if target.exists() else None) == old
    if number != signal.SIGKILL:
        assert names(tmp_path) == (["out.csv"] if old else [])


def test_an_existing_output_needs_force(softmax_cli, table, tmp_path):
    (tmp_path / "out.csv").write_text("old")
    done = softmax_cli("predict", table, "-o", "out.csv")
    assert done.code == 2
    assert "--force" in one_message(done)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert softmax_cli("predict", table, "-o", "out.csv", "--force").code == 0
    assert (tmp_path / "out.csv").read_text().startswith("id,prediction")


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_the_output_is_not_the_input(softmax_cli, table, tmp_path, make):
    make(table, tmp_path / "alias.csv")
    for target in ("in.csv", "alias.csv"):
        done = softmax_cli("predict", table, "-o", target, "--force")
        assert done.code == 2
        assert "is the input" in one_message(done)
    assert table.read_text() == ROWS


def test_a_redirection_onto_the_input_is_refused(start, table):
    with table.open("ab") as same:
        process = start("predict", "in.csv", stdout=same, stderr=subprocess.PIPE)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert b"standard output is the input" in err
    assert table.read_text() == ROWS


def test_of_two_runs_at_once_one_wins(start, table, tmp_path):
    runs = [start("predict", table, "-q", "-T", t, "-o", "out.csv", stderr=subprocess.PIPE) for t in ("1", "2")]
    codes = [run.wait(30) for run in runs]
    assert 0 in codes
    assert set(codes) <= {0, 2}
    alone = {}
    for t in ("1", "2"):
        run = start("predict", table, "-q", "-T", t, stdout=subprocess.PIPE)
        alone[t] = run.communicate(timeout=30)[0]
    assert (tmp_path / "out.csv").read_bytes() in alone.values()
    assert names(tmp_path) == ["in.csv", "out.csv"]


class TestDamagedFiles:
    def parquet(self):
        file = io.BytesIO()
        rng = np.random.default_rng(0)
        pq.write_table(
            pa.table({name: rng.normal(size=5000) for name in "abc"}),
            file,
            write_page_checksum=True,
            compression="none",
        )
        return bytearray(file.getvalue())

    def test_parquet_cut_short(self, softmax_cli, tmp_path):
        (tmp_path / "in.parquet").write_bytes(self.parquet()[:-100])
        done = softmax_cli("predict", "in.parquet", "-o", "out.csv")
        assert done.code == 1
        assert "in.parquet" in one_message(done)
        assert names(tmp_path) == ["in.parquet"]

    def test_parquet_with_a_flipped_bit(self, softmax_cli, tmp_path):
        data = self.parquet()
        data[len(data) // 2] ^= 4
        (tmp_path / "in.parquet").write_bytes(data)
        done = softmax_cli("predict", "in.parquet", "-o", "out.csv")
        assert done.code == 1
        assert "in.parquet" in one_message(done)
        assert names(tmp_path) == ["in.parquet"]

    def test_an_arrow_stream_cut_between_batches(self, softmax_cli):
        file = io.BytesIO()
        batch = pa.RecordBatch.from_pydict({"a": [1.0], "b": [2.0]})
        with ipc.new_stream(file, batch.schema) as writer:
            writer.write_batch(batch)
        done = softmax_cli("predict", stdin=file.getvalue()[:-8])
        assert done.code == 1
        assert "stdin" in one_message(done)

    @pytest.mark.parametrize("keep", [0.5, 0.99])
    def test_gzip_cut_short(self, softmax_cli, tmp_path, keep):
        packed = gzip.compress(ROWS.encode())
        (tmp_path / "in.csv.gz").write_bytes(packed[: int(len(packed) * keep)])
        done = softmax_cli("predict", "in.csv.gz", "-o", "out.csv")
        assert done.code == 1
        assert "in.csv.gz" in one_message(done)
        assert names(tmp_path) == ["in.csv.gz"]

    def test_numpy_with_a_pickle(self, softmax_cli, tmp_path):
        np.save(tmp_path / "in.npy", np.array([{"a": 1}], object), allow_pickle=True)
        done = softmax_cli("predict", "in.npy")
        assert done.code == 1
        assert "in.npy" in one_message(done)


PEAK = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def peak_kilobytes(program, env, folder, *arguments):
    """Run the program from a small process: a child's peak counts the process that it was forked from."""
    command = [sys.executable, "-c", PEAK, program, *arguments]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.slow
def test_a_gzip_bomb_runs_in_flat_memory(program, program_env, tmp_path):
    with gzip.open(tmp_path / "in.csv.gz", "wb", compresslevel=9) as file:
        file.write(b"a,b\n")
        for _ in range(60):
            file.write(b"1.5,2.5\n" * 131_072)
    arguments = ("predict", "in.csv.gz", "--only-predictions", "-q", "-o", "out.csv")
    # 60 MB of text are several times that in memory; blocks of it are not.
    assert peak_kilobytes(program, program_env, tmp_path, *arguments) < 400_000


@pytest.mark.parametrize("form", ["npy", *(pytest.param(form, marks=pytest.mark.slow) for form in ("csv", "parquet"))])
def test_memory_does_not_grow_with_the_rows(program, program_env, tmp_path, form):
    peaks = []
    for rows in (1_600_000, 6_400_000):  # below, a run is over before everything in flight has come together
        z = np.zeros((rows, 8), np.float32)
        path = tmp_path / f"in.{form}"
        if form == "npy":
            np.save(path, z)
        elif form == "parquet":
            pq.write_table(pa.table({f"c{i}": z[:, i] + i for i in range(8)}), path, row_group_size=100_000)
        else:
            path.write_bytes(b"a,b,c,d\n" + b"1.25,2.5,-3.75,4.125\n" * rows)
        out = f"out{rows}.{form}"
        peaks.append(peak_kilobytes(program, program_env, tmp_path, "predict", path, "-q", "--threads", "2", "-o", out))
    assert peaks[1] < 1.25 * peaks[0], peaks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "most"), [(("predict", "-o", "out.parquet"), 400_000), (("evaluate", "--seed", "1"), 480_000)]
)
def test_a_large_row_group_is_not_held_whole(program, program_env, tmp_path, arguments, most):
    """Polars writes one of a quarter of a million rows; here it takes 200 MB, and the libraries 110."""
    z = np.random.default_rng(0).normal(size=(50_000, 1000)).astype(np.float32)
    columns = {f"c{i}": z[:, i] for i in range(1000)} | {"label": [f"c{i}" for i in z.argmax(axis=1).tolist()]}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet", use_dictionary=False)
    command, *others = arguments
    peak = peak_kilobytes(program, program_env, tmp_path, command, "in.parquet", "-q", "--threads", "2", *others)
    assert peak < most


def test_a_memory_limit_names_the_knob(start, tmp_path):
    np.save(tmp_path / "in.npy", np.zeros((2000, 40_000)))

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (900 << 20, 900 << 20))

    arguments = ("predict", "in.npy", "--batch-rows", "2000", "-o", "out.npy")
    process = start(*arguments, stderr=subprocess.PIPE, preexec_fn=limit)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert b"--batch-rows" in err
    assert b"Traceback" not in err
    assert names(tmp_path) == ["in.npy"]


def test_a_header_alone_is_an_empty_result(softmax_cli):
    done = softmax_cli("predict", stdin=b"id,cat,dog\n")
    assert (done.code, done.text) == (0, "id,prediction,confidence,prob_cat,prob_dog\n")
    assert "0 rows" in done.err


def test_formulas_are_data_unless_escaping_is_asked_for(softmax_cli):
    table = b"id,cat,dog\n=1+1,-1,2\n-5,1,2\n"
    assert "\n=1+1,dog," in softmax_cli("predict", stdin=table).text
    escaped = softmax_cli("predict", "--escape-formulas", stdin=table).text
    assert "\n'=1+1,dog," in escaped
    assert "\n-5,dog," in escaped


@pytest.mark.slow
def test_a_hundred_thousand_classes(softmax_cli):
    names = ",".join(f"c{i}" for i in range(100_000))
    row = ",".join("0.25" for _ in range(100_000))
    done = softmax_cli("predict", "-k", "2", stdin=f"{names}\n{row}\n".encode())
    assert done.code == 0, done.err
    assert done.text.splitlines()[1] == "c0,1.00000000e-05,c1,1.00000000e-05"


def test_a_cell_of_three_megabytes(softmax_cli):
    text = "x" * 3_000_000
    done = softmax_cli("predict", "--only-predictions", stdin=f"id,cat,dog\n{text},1,2\n".encode())
    assert done.code == 0, done.err
    assert done.text.splitlines()[1] == f"{text},dog,0.731058578630"
