"""Every command as a user starts it, in a process of its own: the same bytes and exit codes as within the tests."""

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
