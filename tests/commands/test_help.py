"""Help as people ask for it, and answers to what was mistyped that lead on."""

from __future__ import annotations

import pytest

from softmax_cli import commands


@pytest.mark.parametrize("ways", [("-h", "--help"), ("help", "--help"), ("-V", "--version")])
def test_short_ways_say_the_same(softmax_cli, ways):
    short, long = ways
    assert softmax_cli(short).text == softmax_cli(long).text != ""


@pytest.mark.parametrize("command", commands.names())
def test_help_of_a_command(softmax_cli, command):
    """What people use first, with three examples; the rest on request; all within 80 columns."""
    shown = softmax_cli(command, "-h", env={"COLUMNS": "80"})
    assert (shown.code, shown.err) == (0, "")
    assert softmax_cli("help", command, env={"COLUMNS": "80"}).text == shown.text
    assert shown.text.partition("Examples:")[2].count("softmax-cli ") >= 3
    everything = softmax_cli(command, "--help-all", env={"COLUMNS": "80"}).text
    assert everything.count("--") >= shown.text.count("--") - 1
    assert max(map(len, [*shown.text.splitlines(), *everything.splitlines()])) <= 80


def test_commands_stand_in_the_order_of_work(softmax_cli):
    text = softmax_cli("--help").text
    order = ["explain ", "inspect ", "predict ", "evaluate ", "calibrate "]
    places = [text.index(f"│ {name}") for name in order]
    assert places == sorted(places)


def test_every_option_that_comes_first_is_one(softmax_cli):
    for name in commands.names():
        module = commands.load(name)
        everything = softmax_cli(name, "--help-all").text
        for option in module.FIRST:
            assert f"--{option.replace('_', '-')}" in everything, (name, option)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("predict", "x.csv", "--tempratur", "2"), "--tempratur: no such option; did you mean --temperature?"),
        (
            ("predict", "x.csv", "--fail-if", "ece > 1"),
            "--fail-if is no option of predict; compare and ",
        ),
        (
            ("evaluate", "x.csv", "--limit", "2"),
            "--limit is no option of evaluate; ensemble, predict and sample have it",
        ),
        (("predict", "x.csv", "--xyzzy"), "--xyzzy: no such option; softmax-cli predict --help-all lists them"),
        (("predict", "x.csv", "--top-k", "many"), "Invalid value for '--top-k'"),
        (("predict", "x.csv", "--top-k"), "--top-k"),
        (("predct", "x.csv"), "No such command 'predct'. Did you mean 'predict'"),
        (("weights",), "FILE"),
    ],
)
def test_what_was_mistyped_is_answered_in_one_message(softmax_cli, typed, message):
    done = softmax_cli(*typed)
    assert (done.code, done.out) == (2, b"")
    assert done.err.count("error: ") == 1
    assert message in " ".join(done.err.split())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (["--topk", "1"], ["--top-k", "1"]),
        (["--top_k=1"], ["--top-k=1"]),
        (["--temp", "2"], ["-T", "2"]),
        (["--batch-size", "1"], ["--batch-rows", "1"]),
    ],
)
def test_names_from_other_tools_are_taken(softmax_cli, tmp_path, theirs, ours):
    (tmp_path / "x.csv").write_text("logit_a,logit_b\n1,2\n3,1\n")
    done = softmax_cli("predict", "x.csv", "-q", *theirs)
    assert done.code == 0
    assert done.out == softmax_cli("predict", "x.csv", "-q", *ours).out


def test_a_value_is_no_option(softmax_cli, tmp_path):
    """After ``--`` a file may be called anything."""
    (tmp_path / "--topk").write_text("logit_a,logit_b\n1,2\n")
    assert softmax_cli("predict", "-q", "--", "--topk").text.startswith("prediction,")
