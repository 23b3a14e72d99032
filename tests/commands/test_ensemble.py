"""``softmax-cli ensemble``: several models as one, from files of any format in any order."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

RESNET, WIDE = "cifar10_resnet50_brier/test.parquet", "cifar10_wideresnet2610_flsd53/test_logits.npy"
CLASSES = ["cat", "dog", "owl"]


@pytest.fixture
def z(tmp_path):
    z = np.random.default_rng(0).normal(size=(3, 60, 3)).round(4)
    ids = np.array([f"r{row}" for row in range(60)])
    for place, (name, one) in enumerate(zip("abc", z, strict=True)):
        order = np.random.default_rng(place).permutation(60)
        frame = pd.DataFrame(one[order], columns=CLASSES).assign(id=ids[order])
        if name == "a":
            frame["y"] = np.array(CLASSES)[one[order].argmax(axis=1)]
        if name == "b":
            frame[["owl", "id", "cat", "dog"]].to_parquet(tmp_path / "b.parquet", index=False)
        else:
            frame.to_csv(tmp_path / f"{name}.csv", index=False)
    return z


FILES = ("a.csv", "b.parquet", "c.csv")


@pytest.mark.parametrize("pool", ["linear", "log", "logit"])
def test_the_pool_of_three_files(softmax_cli, z, tmp_path, pool):
    done = softmax_cli("ensemble", *FILES, "--pool", pool, "--weights", "2,1,1", "-q", "-o", "out.parquet")
    assert done.code == 0, done.err
    out = pd.read_parquet(tmp_path / "out.parquet")
    found = out[[f"prob_{name}" for name in CLASSES]].to_numpy()[out["id"].str[1:].astype(int).argsort()]
    weights = np.array([0.5, 0.25, 0.25])
    p = softmax(z, axis=2) if pool == "linear" else z
    pooled = np.einsum("m,mrc->rc", weights, p)
    np.testing.assert_allclose(found, pooled if pool == "linear" else softmax(pooled, axis=1), rtol=1e-9)
    assert {"vote_entropy", "mutual_information", "agreement", "y"} <= {*out.columns}


def test_batches_and_threads_change_no_digit(softmax_cli, z):
    runs = [("--batch-rows", "7"), ("--threads", "3"), ("--threads", "1")]
    texts = {softmax_cli("ensemble", *FILES, "-q", "--format", "csv", "--digits", "17", *run).text for run in runs}
    assert len(texts) == 1


def test_what_predict_can_do_with_the_result(softmax_cli, z):
    options = ("--add", "correct", "--sort=-entropy", "--limit", "2", "--top-k", "1", "--format", "jsonl", "-q")
    rows = [json.loads(line) for line in softmax_cli("ensemble", *FILES, *options).text.splitlines()]
    assert len(rows) == 2
    assert rows[0]["correct"] == (rows[0]["label_1"] == rows[0]["y"])


def test_the_best_weights(softmax_cli, z):
    done = softmax_cli("ensemble", *FILES, "--fit-weights", "--json", "-o", "out.csv", "-q")
    report = json.loads(done.text)
    assert report["weights"]["a.csv"] > 0.9  # the truths are its own predictions
    assert sum(report["weights"].values()) == pytest.approx(1)
    losses = [one["figures"]["log_loss"]["value"] for one in report["members"]]
    assert losses[3] <= min(losses) + 1e-6


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (FILES[:1], 2, "takes two tables at least"),
        ((*FILES, "--weights", "1,2"), 2, "expected 3 numbers"),
        ((*FILES, "--weights", "1,1,x"), 2, "expected numbers"),
        ((*FILES, "--weights", "0,0,0"), 2, "not all 0"),
        ((*FILES, "--pool", "median"), 2, "choose one of linear"),
        ((*FILES, "--json"), 2, "give the rows a file"),
        (("b.parquet", "c.csv", "--fit-weights"), 2, "--label"),
    ],
)
def test_what_cannot_be_pooled_is_refused(softmax_cli, z, options, code, words):
    done = softmax_cli("ensemble", *options)
    assert (done.code, words in done.err) == (code, True), done.err


def test_two_networks_of_cifar_10_are_better_together(softmax_cli, real_data, tmp_path):
    done = softmax_cli("ensemble", real_data(RESNET), real_data(WIDE), "--json", "-q", "-o", "out.parquet")
    report = json.loads(done.text)
    figures = [{name: one["value"] for name, one in member["figures"].items()} for member in report["members"]]
    assert [round(100 * (1 - one["accuracy"]), 2) for one in figures] == [5.0, 4.01, 3.89]
    assert figures[2]["log_loss"] < min(figures[0]["log_loss"], figures[1]["log_loss"])
    measured = json.loads(softmax_cli("evaluate", "out.parquet", "--json", "-q").text)["figures"]
    for name in ("accuracy", "log_loss", "brier", "ece"):
        assert measured[name]["value"] == pytest.approx(figures[2][name], abs=1e-9)
    assert softmax_cli("ensemble", real_data(RESNET), real_data(WIDE), "--dry-run").text.count("step") == 3
