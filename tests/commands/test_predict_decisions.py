"""The program on columns, rows and decisions on request: ``--add``, ``--only``, ``--sort``, ``--costs`` and so on."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score

TABLE = "id,t,label,cat,dog\n1,0.5,cat,3,1\n2,2,dog,1,1.1\n3,1,cat,0,5\n4,1,,1,0\n"


@pytest.fixture
def lines(softmax_cli, tmp_path):
    (tmp_path / "x.csv").write_text(TABLE)
    (tmp_path / "c.csv").write_text("truth,cat,dog\ncat,0,1\ndog,10,0\n")

    def run(*options, command="predict"):
        done = softmax_cli(command, "x.csv", "--logits", "cat,dog", "-q", "--format", "jsonl", *options)
        assert done.code == 0, done.err
        return [json.loads(line) for line in done.text.splitlines()]

    return run


def test_least_confident_first(lines):
    assert [row["id"] for row in lines("--sort", "confidence")] == ["2", "4", "1", "3"]
    assert [row["id"] for row in lines("--sort=-loss", "--limit", "2")] == ["3", "2"]
    assert [row["id"] for row in lines("--sort", "entropy", "--where", "id != 3")] == ["1", "4", "2"]


def test_wrong_rows_and_their_figures(lines):
    (wrong,) = lines("--only", "wrong", "--add", "correct,rank_of_truth,true_prob")
    assert (wrong["id"], wrong["correct"], wrong["rank_of_truth"]) == ("3", 0, 2)
    assert wrong["true_prob"] == pytest.approx(1 / (1 + np.exp(5)))


def test_truths_of_another_file(lines, tmp_path):
    (tmp_path / "y.csv").write_text("id,truth\n4,dog\n3,dog\n2,dog\n1,dog\n")
    assert [row["id"] for row in lines("--labels", "y.csv", "--only", "wrong")] == ["1", "4"]


def test_a_temperature_for_each_row(lines):
    alone = {t: lines("-T", t)[row] for row, t in enumerate(["0.5", "2", "1"])}
    assert lines("--temperature-column", "t")[:3] == [*alone.values()]


def test_least_expected_cost_and_superclasses(lines, tmp_path):
    found = lines("--costs", "c.csv")
    assert [row["prediction"] for row in found] == ["dog", "dog", "dog", "dog"]
    assert found[0]["expected_cost"] == pytest.approx(min(10 * found[0]["prob_dog"], found[0]["prob_cat"]))
    (tmp_path / "s.csv").write_text("class,superclass\ncat,pet\ndog,pet\n")
    assert lines("--superclasses", "s.csv", "--layout", "long")[0]["prob"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--add", "entrpy"], "did you mean 'entropy'"),
        (["--add", "correct", "--label", "none"], "no such column"),
        (["--sort", "size"], "there are: confidence"),
        (["--only", "right"], "choose one of wrong"),
        (["--labels", "x.csv"], "nothing here asks for a truth"),
        (["--temperature-column", "u"], "--temperature-column 'u': no such column"),
        (["--temperature-column", "t", "-T", "2"], "exclude each other"),
        (["--costs", "c.csv", "--threshold", "0.5"], "drop one"),
        (["--costs", "d.csv"], "no such file"),
        (["--sort", "margin", "--layout", "long"], "does not go with --sort"),
        (["--add", "entropy", "--activation", "sigmoid"], "a figure of one distribution"),
        (["--sort", "margin", "-o", "parts/"], "write one file"),
        (["--only", "bad", "--on-bad-row", "skip"], "drop one"),
    ],
)
def test_what_does_not_go_together_is_refused(softmax_cli, tmp_path, options, words):
    (tmp_path / "x.csv").write_text(TABLE)
    (tmp_path / "c.csv").write_text("truth,cat,dog\ncat,0,1\ndog,10,0\n")
    done = softmax_cli("predict", "x.csv", *options)
    assert (done.code, words in done.err) == (2, True), done.err


def test_parts_and_one_file_say_the_same(softmax_cli, tmp_path, lines):
    asked = ("--add", "entropy,correct", "--only", "wrong")
    done = softmax_cli("predict", "x.csv", "--logits", "cat,dog", "-q", *asked, "-o", "parts/", "--format", "parquet")
    assert done.code == 0, done.err
    in_parts = pq.read_table(tmp_path / "parts").to_pylist()
    assert [row["entropy"] for row in in_parts] == pytest.approx([row["entropy"] for row in lines(*asked)], rel=1e-8)


def test_real_networks(softmax_cli, real_data, tmp_path):
    """The hardest images of a CIFAR-10 network, and as many correct ones as scikit-learn counts."""
    table = next(real_data("cifar10_resnet50_brier").glob("*test*.parquet"))
    done = softmax_cli("predict", table, "-q", "--add", "correct", "-o", "out.parquet")
    assert done.code == 0, done.err
    out = pq.read_table(tmp_path / "out.parquet").to_pandas()
    label = next(name for name in ("label", "input_label") if name in out)
    names = [name.removeprefix("prob_") for name in out if name.startswith("prob_")]
    truths = [names[int(value)] if str(value).isdecimal() else value for value in out[label]]
    assert out["correct"].mean() == accuracy_score(truths, out["prediction"].astype(str))
    done = softmax_cli(
        "predict", table, "-q", "--sort=-loss", "--limit", "20", "--format", "jsonl", "--add", "true_prob"
    )
    hardest = [json.loads(line)["true_prob"] for line in done.text.splitlines()]
    assert len(hardest) == 20
    assert hardest == sorted(hardest)


def test_evaluate_tells_what_the_decisions_cost(softmax_cli, tmp_path, lines):
    """On the same rows, what predict promises; and a gate on it."""
    promised = [row["expected_cost"] for row in lines("--costs", "c.csv", "--where", "id != 4")]
    asked = ("--logits", "cat,dog", "--costs", "c.csv", "--where", "id != 4", "--json", "-q")
    done = softmax_cli("evaluate", "x.csv", *asked, "--fail-if", "cost > 0.5")
    found = {name: figure["value"] for name, figure in json.loads(done.text)["figures"].items()}
    assert done.code == 3
    assert found["expected_cost"] == pytest.approx(np.mean(promised))
    assert found["cost"] == pytest.approx(2 / 3)  # all are called dog, and two are cats


def test_bad_rows_alone(softmax_cli):
    text = b"id,cat,dog\n1,2,1\n2,x,1\n3,0,inf\n"
    done = softmax_cli("predict", "-", "--only", "bad", "--format", "csv", "-q", stdin=text)
    assert (done.code, done.text.splitlines()[1:]) == (0, ["2,,,,", "3,,,,"]), done.err


def test_costs_and_a_calibration_that_abstains_are_one_too_many(softmax_cli, tmp_path):
    truths = ["cat" if (row % 2) ^ (row % 7 == 0) else "dog" for row in range(60)]
    rows = [f"{row},{2.5 * (row % 2)},{1.25 - row % 2},{truth}" for row, truth in enumerate(truths)]
    (tmp_path / "v.csv").write_text("\n".join(["id,cat,dog,label", *rows]))
    (tmp_path / "c.csv").write_text("truth,cat,dog\ncat,0,1\ndog,10,0\n")
    assert softmax_cli("calibrate", "v.csv", "--min-coverage", "0.8", "-q", "-o", "c.json").code == 0
    done = softmax_cli("predict", "v.csv", "--calibration", "c.json", "--costs", "c.csv")
    assert (done.code, "both decide when to abstain" in done.err) == (2, True), done.err
