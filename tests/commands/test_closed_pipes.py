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
    "sample digits.csv",
    "ensemble digits.csv digits_imbalanced.csv",
    "compare digits.csv digits_imbalanced.csv --bootstrap 0",
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "evaluate digits.csv --bootstrap 0 --plots risk",
        "calibrate digits_imbalanced.csv",
        "inspect digits.csv",
        "compare digits.csv digits_imbalanced.csv --bootstrap 0 --plots flips",
        "weights training_counts.csv",
        "explain 1 2 3",
    ],
)
def test_plots_are_drawn_for_a_reader_who_leaves(program, program_env, tmp_path, command):
    pytest.importorskip("matplotlib")
    reading, writing = os.pipe()
    os.close(reading)
    typed = [program, *command.split(), "--plot", tmp_path / "plots.svg"]
    done = subprocess.run(typed, cwd=EXAMPLES, env=program_env, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plots.svg").exists()


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


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_output_is_told(program, program_env, command):
    done = subprocess.run(
        ["sh", "-c", f"exec '{program}' {command} >&-"], cwd=EXAMPLES, env=program_env, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(b"error: standard output: ")
    assert b"Traceback" not in done.stderr


def test_streams_that_are_closed_are_no_place_for_other_files(program, program_env, tmp_path):
    table = tmp_path / "logits.csv"
    table.write_text("cat,dog\n1,2\n")
    command = f"exec '{program}' predict logits.csv -o probs.csv >&- 2>&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=program_env, check=False)
    assert done.returncode == 0
    assert table.read_text() == "cat,dog\n1,2\n"
    assert (
        (tmp_path / "probs.csv").read_text().startswith("prediction,confidence,prob_cat,prob_dog\ndog,0.731058578630,")
    )
