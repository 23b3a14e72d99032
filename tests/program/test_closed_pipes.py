"""Every command takes a reader who has seen enough for success, and a full disk for an error, told in one line."""

import os
import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMANDS = [
    "predict digits.csv",
    "predict digits.csv --format table",
    "predict digits.csv --dry-run",
    "inspect digits.csv",
    "explain 1 2 3",
    "weights training_counts.csv",
    "evaluate digits.csv --bootstrap 0",
    "calibrate digits_imbalanced.csv",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_who_leaves_is_no_error(program, program_env, command):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [program, *command.split()], cwd=EXAMPLES, env=program_env, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert done.returncode == 0, done.stderr
    assert b"error" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_one_error(program, program_env, command):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [program, *command.split()], cwd=EXAMPLES, env=program_env, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 1, done.stderr
    assert done.stderr.count(b"error: ") == 1
    assert b"No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr
