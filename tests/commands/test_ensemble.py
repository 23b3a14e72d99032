"""``softmax-cli ensemble``: several models as one, from files of any format in any order."""

from __future__ import annotations

import io
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


@pytest.mark.parametrize("place", ["out.csv", "out/"])
def test_tables_without_rows_are_reported_too(softmax_cli, tmp_path, place):
    (tmp_path / "none.csv").write_text("id,cat,dog\n")
    done = softmax_cli("ensemble", "none.csv", "none.csv", "--logits", "cat,dog", "--json", "-o", place)
    assert done.code == 0, done.err
    report = json.loads(done.text)
    assert (report["rows"], report["figures"], report["members"]) == (0, {}, [])
    assert report["weights"] == {"none.csv (1)": 0.5, "none.csv (2)": 0.5}


def test_disagreement_is_put_down_like_other_computed_numbers(softmax_cli, z, tmp_path):
    text = softmax_cli("ensemble", *FILES, "-q", "--format", "csv", "--digits", "4").text
    cells = [line.split(",")[text.splitlines()[0].split(",").index("mutual_information")] for line in text.splitlines()]
    assert all(len(cell.lstrip("0.")) <= 4 for cell in cells[1:])
    softmax_cli("ensemble", *FILES, "-q", "-o", "out.parquet")
    again = softmax_cli("predict", "out.parquet", "-q", "--format", "csv").text  # now the user's own numbers
    wanted = pd.read_parquet(tmp_path / "out.parquet")["mutual_information"]
    assert pd.read_csv(io.StringIO(again))["mutual_information"].tolist() == wanted.tolist()


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


def test_probabilities_among_logits_are_warned_of_and_named(softmax_cli, z, tmp_path):
    p = pd.read_csv(tmp_path / "c.csv")
    p[CLASSES] = softmax(p[CLASSES], axis=1)
    p.to_csv(tmp_path / "p.csv", index=False)
    for command in (("compare", "a.csv", "p.csv"), ("ensemble", "a.csv", "p.csv", "-o", "out/")):
        more = ("--force",) if "-o" in command else ()
        done = softmax_cli(*command, "-q", *more)
        assert "warning: p.csv: the values of all rows lie in [0, 1]" in done.err
        assert "or say it of each table: --input logits,prob" in done.err
        assert softmax_cli(*command, "-q", "--input", "logits,prob", *more).err == ""
    wanted = pd.read_csv(io.StringIO(softmax_cli("ensemble", "a.csv", "c.csv", "-q", "--digits", "17").text))
    mixed = softmax_cli("ensemble", "a.csv", "p.csv", "--input", "logits, prob", "-q", "--digits", "17").text
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(mixed)), wanted)
    refused = softmax_cli("ensemble", "a.csv", "p.csv", "--input", "logits,prob,prob")
    assert (refused.code, "one for each of" in refused.err) == (2, True)


@pytest.mark.parametrize("job", [("compare", "--bootstrap", "0"), ("ensemble",), ("ensemble", "-o", "out/", "--force")])
def test_truths_that_differ_are_warned_of(softmax_cli, z, tmp_path, job):
    table = pd.read_csv(tmp_path / "a.csv")
    table.assign(y=[*table["y"].iloc[1:], None]).to_csv(tmp_path / "d.csv", index=False)
    differing = int((table["y"].to_numpy()[:-1] != table["y"].to_numpy()[1:]).sum())
    done = softmax_cli(job[0], "a.csv", "d.csv", *job[1:], "-q")
    assert done.code == 0
    assert f"truths of a.csv and d.csv differ in {differing} of 59 rows: are these the same rows?" in done.err
    assert softmax_cli(job[0], "a.csv", "a.csv", *job[1:], "-q").err == ""


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
