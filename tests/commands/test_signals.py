"""SIGINT and SIGTERM, at any moment and more than once: the exit code says so, and nothing is left."""

import contextlib
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

ROOT = Path(__file__).parents[2]
ROWS = 60_000
COMMANDS = [
    ("predict", "in.csv", "-o", "out/probs.csv"),
    ("evaluate", "in.csv", "--report", "out/report.html"),
    ("calibrate", "in.csv", "-o", "out/calibration.json"),
    ("inspect", "in.csv"),
    ("weights", "in.csv", "-o", "out/weights.csv"),
    ("explain", "1", "2", "3"),
    ("sample", "in.csv", "-o", "out/samples.csv"),
    ("ensemble", "in.csv", "in.csv", "-o", "out/both.csv"),
    ("compare", "in.csv", "in.csv"),
]
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
SEED = 7


@pytest.fixture
def start(program, program_env, tmp_path):
    """Start the program, and wait until it has begun: before that a signal meets nobody but Python."""
    rows = "".join(f"r{i},{i % 7 - 3}.5,{i % 5}.25,{_truth(i)}\n" for i in range(ROWS))
    (tmp_path / "in.csv").write_text("id,cat,dog,label\n" + rows)
    (tmp_path / "out").mkdir()

    def run(*arguments, **options):
        process = subprocess.Popen(
            [program, *arguments],
            cwd=tmp_path,
            env=program_env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **options,
        )
        while process.poll() is None and not takes(process.pid, signal.SIGTERM):
            time.sleep(0.001)
        return process

    return run


def _truth(i):
    """The class of the larger logit, mostly: a calibration can be fitted."""
    return "cat" if i % 7 - 3 + i % 4 > i % 5 else "dog"


def takes(process, number):
    """Whether a process has its own answer to a signal."""
    with open(f"/proc/{process}/status") as file:
        masks = dict(line.split(":", 1) for line in file)
    return int(masks["SigCgt"], 16) >> (number - 1) & 1


def ended(process):
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    assert b"xception" not in err
    return process.returncode


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
class TestAtAnyMoment:
    @pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
    def test_one_signal(self, start, tmp_path, command):
        drawn = random.Random(f"{SEED} {command}")
        for number in (*CODES, *CODES):
            process = start(*command)
            time.sleep(drawn.random() * 0.4)
            process.send_signal(number)
            assert ended(process) in (CODES[number], 0)  # 0: it was done by then
            for done in (tmp_path / "out").iterdir():
                assert not done.name.startswith("."), done
                done.unlink()

    def test_more_of_them_during_the_clean_up(self, start, tmp_path):
        drawn = random.Random(SEED)
        for _ in range(6):
            process = start("predict", "in.csv", "-o", "out/probs.csv", "--force")
            time.sleep(drawn.random() * 0.4)
            for _ in range(4):
                process.send_signal(drawn.choice([*CODES]))
                time.sleep(drawn.random() * 0.01)
            assert ended(process) in (*CODES.values(), 0)
            assert {path.name for path in (tmp_path / "out").iterdir()} <= {"probs.csv"}

    def test_before_anything_is_loaded(self, start):
        for number, code in CODES.items():
            process = start("predict", "in.csv")
            process.send_signal(number)
            assert ended(process) == code


def test_what_a_kill_leaves_is_cleared_by_the_next_run(start, tmp_path):
    process = start("predict", "-", "-o", "out/probs.csv", stdin=subprocess.PIPE)
    process.stdin.write((tmp_path / "in.csv").read_bytes() * 5)
    process.stdin.flush()
    out = tmp_path / "out"
    while not os.listdir(out):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert os.listdir(out) == [".probs.csv.part"]
    assert ended(start("predict", "in.csv", "-q", "-o", "out/probs.csv")) == 0
    assert os.listdir(out) == ["probs.csv"]


def test_an_interrupt_in_the_middle_of_a_fit_leaves_nothing(program, program_env, tmp_path):
    """At a terminal, while the line with method and fold stands there: it goes, and no file comes."""
    labels = np.arange(12_000) % 30
    z = np.random.default_rng(0).normal(size=(len(labels), 30))
    z[np.arange(len(labels)), labels] += 2
    table = {f"logit_{index}": column for index, column in enumerate(z.T)}
    parquet.write_table(pa.table(table | {"label": labels}), tmp_path / "in.parquet")
    master, slave = pty.openpty()
    arguments = [program, "calibrate", "in.parquet", "--method", "auto", "-o", "calibration.json"]
    process = subprocess.Popen(arguments, cwd=tmp_path, env=program_env, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    while b"fold 2 of 5" not in shown:
        shown += os.read(master, 4096)
    assert re.search(rb"[a-z]+  fold 1 of 5  \d+ s so far", shown)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # what Linux says when the last writer is gone
        while more := os.read(master, 4096):
            shown += more
    os.close(master)
    assert process.wait(60) == 130
    assert b"Traceback" not in shown
    assert shown.rpartition(b" so far")[2].replace(b"\r\n", b"").endswith((b"\x1b[2K", b"\x1b[?25h"))
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]


CLEANING = """
import time
from softmax_cli import cli
def run(arguments):
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("cleaning", flush=True)
        time.sleep(60)
cli.run, cli.PATIENCE = run, 0.5
cli.main()
"""
DESTROYING = """
import time
from softmax_cli import cli
class Thing:
    def __del__(self):
        print("begun", flush=True)
        time.sleep(60)
def run(arguments):
    Thing()
    time.sleep(60)
cli.run = run
cli.main()
"""


@pytest.fixture
def script(program_env):
    """Start a few lines that stand for a run."""
    started = []

    def run(code):
        env = program_env | {"PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
        )
        started.append(process)
        assert process.stdout.readline() == b"begun\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def test_a_clean_up_that_lasts_is_ended_by_a_later_signal(script):
    process = script(CLEANING)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == b"cleaning\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.6)
    process.send_signal(signal.SIGINT)
    assert ended(process) == 143


def test_a_signal_that_comes_in_a_destructor_is_not_lost(script):
    process = script(DESTROYING)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == 143
