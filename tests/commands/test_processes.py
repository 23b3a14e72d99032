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


@pytest.mark.parametrize(
    "job",
    [
        ("predict", "-", "--group", "utt", "--logits", "cat", "--sorted"),
        ("predict", "-", "--pool-by", "utt", "--sorted"),
        ("predict", "-", "--long", "utt,k,cat", "--sorted", "--classes", "x,y"),
        ("ensemble", "-", "all.csv"),
        ("sample", "-", "--seed", "1"),
    ],
    ids=lambda job: job[2].lstrip("-") + job[0],
)
def test_rows_of_every_job_come_while_a_pipe_pauses(program, program_env, tmp_path, job):
    """What is known of the first group is out before the third begins."""
    first, second = b"u1,x,0.5,1.5\nu1,y,2.5,1.25\n", b"u2,x,0.25,1.5\nu2,y,2.75,-1.5\n"
    (tmp_path / "all.csv").write_bytes(b"utt,k,cat,dog\n" + first + second)
    command = [program, *job, "--format", "csv", "-q"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=program_env, cwd=tmp_path
    ) as process:
        process.stdin.write(b"utt,k,cat,dog\n" + first + second)
        process.stdin.flush()
        answers = [process.stdout.readline() for _ in range(2)]
        assert answers[1].startswith(b"u1,")
        process.stdin.close()
        assert b"u2," in process.stdout.read()
    assert process.returncode == 0
