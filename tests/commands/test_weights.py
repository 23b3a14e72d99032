"""``softmax-cli weights`` as a user runs it."""

import json
import os
import pty
import subprocess

import numpy as np
import pytest

LABELS = "y\n" + "cat\n" * 6 + "dog\n" * 3 + "cow\n"


@pytest.fixture
def labels(tmp_path):
    (tmp_path / "labels.csv").write_text(LABELS)
    return "labels.csv"


def weights_of(done):
    assert done.code == 0, done.err
    lines = done.text.splitlines()
    assert lines[0] == "class,weight"
    return {name: float(value) for name, value in (line.split(",") for line in lines[1:])}


def test_a_pipe_gets_class_and_weight(softmax_cli, labels):
    done = softmax_cli("weights", labels, "--label", "y")
    assert weights_of(done) == {"cat": 10 / 18, "dog": 10 / 9, "cow": 10 / 3}
    assert "predict -w" in done.err


@pytest.mark.parametrize(
    ("arguments", "ratio"),
    [
        ((), 6),
        (("--method", "inverse-sqrt"), 6**0.5),
        (("--method", "effective-number", "--beta", "0.5"), (1 - 0.5**6) / (1 - 0.5)),
        (("--method", "log-prior", "--tau", "2"), 36),
    ],
)
def test_each_method_weighs_the_rarest_class_most(softmax_cli, labels, arguments, ratio):
    weights = weights_of(softmax_cli("weights", labels, *arguments))
    assert weights["cow"] / weights["cat"] == pytest.approx(ratio, rel=1e-12)


def test_counts_do_as_well_as_labels(softmax_cli, labels, tmp_path):
    (tmp_path / "counts.csv").write_text("class,count\ncow,1\ncat,6\ndog,3\n")
    assert softmax_cli("weights", "counts.csv").out == softmax_cli("weights", labels).out


def test_predict_reads_what_was_written(softmax_cli, labels, tmp_path):
    (tmp_path / "z.csv").write_text("cat,dog,cow\n2,1,0\n-1,0.5,0\n")
    assert softmax_cli("weights", labels, "-o", "w.csv").out == b""
    by_file = softmax_cli("predict", "z.csv", "-w", "w.csv", "--digits", "17")
    by_labels = softmax_cli("predict", "z.csv", "-w", f"balanced:{labels}", "--digits", "17")
    assert by_file.code == 0, by_file.err
    assert by_file.out == by_labels.out
    assert "raises cow (x3.333)" in by_file.err


def test_priors_are_for_the_source_prior(softmax_cli, labels, tmp_path):
    (tmp_path / "z.csv").write_text("cat,dog,cow\n2,1,0\n")
    softmax_cli("weights", labels, "--method", "prior", "-o", "prior.csv")
    assert (tmp_path / "prior.csv").read_text() == "class,prior\ncat,0.6\ndog,0.3\ncow,0.1\n"
    done = softmax_cli("predict", "z.csv", "--source-prior", "prior.csv", "--target-prior", "uniform")
    assert done.code == 0, done.err
    p = np.array([float(cell) for cell in done.text.splitlines()[1].split(",")[2:]])
    raised = np.exp([2, 1, 0]) / [6, 3, 1]
    np.testing.assert_allclose(p, raised / raised.sum(), rtol=1e-8)


def test_json(softmax_cli, labels):
    told = json.loads(softmax_cli("weights", labels, "--json").out)
    assert told["classes"][2] == {"class": "cow", "count": 1, "share": 0.1, "weight": 10 / 3}


def test_a_table_tells_the_direction(softmax_cli, labels):
    done = softmax_cli("weights", labels, "--table", env={"COLUMNS": "60"})
    lines = done.text.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["cat", "dog", "cow"]
    assert "60.0%" in lines[2]
    assert "lowers the class" in lines[2]
    assert "3.333  raises the class" in lines[4]
    assert "weight = n / (K n_i)" in done.text
    assert max(map(len, lines)) <= 60


def test_a_terminal_gets_the_table(program, program_env, labels, tmp_path):
    mine, theirs = pty.openpty()
    with subprocess.Popen(
        [program, "weights", labels, "--color", "never"],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        env=program_env,
    ):
        os.close(theirs)
        assert b"class" in os.read(mine, 100)
    os.close(mine)


def test_without_a_file_the_usage_is_told(softmax_cli):
    done = softmax_cli("weights")
    assert (done.code, done.out) == (2, b"")
    assert "Missing argument" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("none.csv",), 2, "no such file"),
        (("labels.csv", "--label", "z"), 1, "there are: y"),
        (("labels.csv", "--method", "even"), 2, "choose one of balanced"),
        (("labels.csv", "--beta", "0.9"), 2, "effective-number"),
        (("labels.csv", "--method", "effective-number", "--beta", "1"), 2, "below 1"),
        (("labels.csv", "--tau", "1"), 2, "log-prior"),
        (("labels.csv", "--method", "log-prior", "--tau", "1e5"), 2, "milder"),
        (("labels.csv", "-o", "labels.csv"), 2, "is the input"),
        (("zero.csv",), 1, "cow=0"),
        (("empty.csv",), 1, "no labels"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_message(softmax_cli, labels, tmp_path, arguments, code, words):
    (tmp_path / "zero.csv").write_text("class,count\ncat,3\ncow,0\n")
    (tmp_path / "empty.csv").write_text("label\n")
    done = softmax_cli("weights", *arguments)
    assert (done.code, done.out) == (code, b"")
    assert words in done.err
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
