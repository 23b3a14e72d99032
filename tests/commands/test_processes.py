"""Every command as a user starts it, in a process of its own: the same bytes and exit codes as within the tests."""

import subprocess
from pathlib import Path

import pytest

from softmax_cli import commands

EXAMPLES = Path(__file__).parents[2] / "examples"

RUNS = {
    "predict": ("digits.csv", "-T", "2", "--top-k", "2"),
    "evaluate": ("digits.csv", "--json", "--bootstrap", "0", "--fail-if", "accuracy < 1"),
    "calibrate": ("digits_imbalanced.csv", "--coverage", "0.9"),
    "weights": ("training_counts.csv", "--table"),
    "inspect": ("digits.csv",),
    "explain": ("cat=2", "dog=-1", "-T", "2"),
    "ensemble": ("digits.csv", "digits.parquet", "--top-k", "1"),
    "compare": ("digits.csv", "digits.parquet", "--json"),
    "sample": ("digits.csv", "--seed", "7", "-n", "2"),
}
CODES = {"evaluate": 3}


def test_every_command_is_run():
    assert {*commands.names()} == RUNS.keys()


@pytest.mark.parametrize("command", RUNS)
def test_a_run(softmax_cli, softmax_cli_process, command):
    done = softmax_cli_process(command, *RUNS[command], cwd=EXAMPLES)
    assert done.code == CODES.get(command, 0), done.err
    assert len(done.out) > 100
    assert done == softmax_cli(command, *RUNS[command], cwd=EXAMPLES)


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (("--version",), b"", 0),
        (("predict", "-q"), b"id,cat,dog\na,1,2\n", 0),
        (("predict", "nowhere.csv"), b"", 2),
        (("predict", "--no-such-option"), b"", 2),
        (("predict",), b"id,cat,dog\na,1,2\nb,x,2\n", 1),
    ],
)
def test_what_comes_in_and_what_goes_wrong(softmax_cli, softmax_cli_process, arguments, stdin, code):
    done = softmax_cli_process(*arguments, stdin=stdin)
    assert done.code == code, done.err
    assert done == softmax_cli(*arguments, stdin=stdin)


@pytest.mark.parametrize(
    ("form", "head", "row"),
    [("csv", b"cat,dog\n", b"1,2\n"), ("jsonl", b"", b'{"cat":1,"dog":2}\n')],
)
def test_a_pipe_that_pauses_is_served(program, program_env, form, head, row):
    """Each answer is waited for before the next row is written: without it, both sides would wait for ever."""
    command = [program, "predict", "-", "--format", form, "-q"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=program_env) as process:
        process.stdin.write(head)
        answers = []
        for rows in (row, row, row * 3):
            process.stdin.write(rows)
            process.stdin.flush()
            answers += [process.stdout.readline() for _ in range(rows.count(b"\n") + (form == "csv" and not answers))]
        process.stdin.close()
        assert process.stdout.read() == b""
        assert all(b"dog" in answer for answer in answers)
    assert process.returncode == 0
