"""The program on rows that belong together: ``--group``, ``--long``, ``--pool-by``."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from softmax_cli.options.long_tables import POOLS

ROWS = 900


@pytest.fixture
def pairs(tmp_path):
    generator = np.random.default_rng(0)
    query = np.sort(generator.integers(0, 200, ROWS))
    frame = pd.DataFrame(
        {"query": [f"q{one}" for one in query], "doc": np.arange(ROWS), "s": generator.normal(size=ROWS)}
    )
    frame.to_csv(tmp_path / "sorted.csv", index=False)
    frame.sample(frac=1, random_state=0).to_parquet(tmp_path / "mixed.parquet", index=False)
    return frame


def test_any_order_and_any_cut(softmax_cli, pairs):
    wanted = pairs.groupby("query")["s"].transform(lambda s: softmax(s))
    runs = [
        ("sorted.csv",),
        ("sorted.csv", "--sorted", "--threads", "2"),
        ("mixed.parquet", "--batch-rows", "7"),
    ]
    for run in runs:
        done = softmax_cli("predict", *run, "--group", "query", "--logits", "s", "-q", "--format", "csv", "--id", "doc")
        assert done.code == 0, done.err
        found = pd.read_csv(io.StringIO(done.text)).sort_values("doc")
        np.testing.assert_allclose(found["prob"], wanted, rtol=1e-6)
        assert (found.groupby("query")["rank"].min() == 1).all()
    asked = ("--group", "query", "--logits", "s", "-q")
    best = softmax_cli("predict", "sorted.csv", *asked, "-k", "1", "--format", "csv")
    assert len(pd.read_csv(io.StringIO(best.text))) == pairs["query"].nunique()
    done = softmax_cli(
        "predict", "mixed.parquet", "--group", "query", "--logits", "s", "-q", "--sorted", "--batch-rows", "7"
    )
    assert (done.code, "comes up again" in done.err) == (1, True)


def test_a_long_table_gives_what_the_wide_one_gives(softmax_cli, tmp_path):
    z = np.random.default_rng(0).normal(size=(50, 3)).round(3)
    wide = pd.DataFrame(z, columns=["cat", "dog", "owl"]).assign(id=np.arange(50))
    wide["truth"] = np.array(["cat", "dog", "owl"])[np.arange(50) % 3]
    wide.to_csv(tmp_path / "wide.csv", index=False)
    long = wide.melt(["id", "truth"], var_name="label", value_name="score")
    long.sample(frac=1, random_state=0).to_csv(tmp_path / "long.csv", index=False)
    asked = ("--add", "correct", "-T", "2", "-w", "cat=2", "--format", "jsonl", "-q", "--classes", "cat,dog,owl")
    rows = []
    for source in (("wide.csv", "--id", "id"), ("long.csv", "--long", "id,label,score")):
        done = softmax_cli("predict", *source, *asked)
        assert done.code == 0, done.err
        rows.append(sorted(map(json.loads, done.text.splitlines()), key=lambda row: int(row["id"])))
    assert rows[0] == [{name: row[name] for name in rows[0][0]} for row in rows[1]]


@pytest.mark.parametrize("pool", POOLS)
def test_frames_of_speech(softmax_cli, tmp_path, pool):
    (tmp_path / "f.csv").write_text("utt,frame,logit_a,logit_b\nu1,1,2,1\nu1,2,0,1\nu2,1,3,0\n")
    done = softmax_cli("predict", "f.csv", "--pool-by", "utt", "--pool", pool, "-T", "2", "-q", "--format", "jsonl")
    first, second = map(json.loads, done.text.splitlines())
    wanted = {
        "mean-prob": softmax([[1, 0.5], [0, 0.5]], axis=1).mean(axis=0)[0],
        "mean-logit": 0.5,
        "max": softmax([1, 0.5])[0],
    }
    assert (first["utt"], first["rows"], first["prob_a"]) == ("u1", 2, pytest.approx(wanted[pool], rel=1e-8))
    assert second["prob_a"] == pytest.approx(softmax([1.5, 0])[0], rel=1e-8)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--group", "query", "--long", "a,b,c"], "exclude each other"),
        (["--group", "qery"], "did you mean 'query'"),
        (["--group", "query", "--add", "entropy"], "no classes"),
        (["--group", "query", "-w", "s=2"], "no classes"),
        (["--long", "a,b"], "expected three columns"),
        (["--long", "query,doc,s", "--logits", "s"], "leave --id and --logits out"),
        (["--sorted"], "add --group"),
        (["--pool", "max"], "name the column"),
        (["--pool-by", "query", "--pool", "median"], "choose one of"),
        (["--group", "query", "-o", "parts/"], "name a file"),
    ],
)
def test_what_does_not_go_together_is_refused(softmax_cli, pairs, options, words):
    done = softmax_cli("predict", "sorted.csv", *options)
    assert (done.code, words in done.err) == (2, True), done.err


@pytest.mark.parametrize("job", [("--group", "query"), ("--long", "query,y,doc")])
@pytest.mark.parametrize("scores", ["s,t", "z"])
def test_one_column_of_scores_is_wanted_of_rows_that_belong_together(softmax_cli, tmp_path, job, scores):
    """The second of several was once taken without a word."""
    frame = pd.DataFrame({"query": ["q", "q"], "y": ["a", "b"], "doc": [0.5, 1.5], "s": [1.0, 2.5], "t": [2.0, 0.5]})
    frame["z"] = [[1.0, 2.0], [2.0, 0.5]]
    frame.to_parquet(tmp_path / "x.parquet", index=False)
    options = ("--long", f"query,y,{scores}") if job[0] == "--long" else (*job, "--logits", scores)
    done = softmax_cli("predict", "x.parquet", *options)
    words = "expected three columns" if options[1] == "query,y,s,t" else "takes one column of scores, not several"
    assert (done.code, words in done.err) == (2, True), done.err


@pytest.mark.parametrize(
    "options", [("--engine", "local", "-o", "out.csv"), ("--resume", "-o", "out/"), ("-o", "out/")]
)
def test_rows_that_belong_together_are_not_scored_in_parts(softmax_cli, tmp_path, options):
    (tmp_path / "x.csv").write_text("query,doc,s\nq,a,1\nq,b,2.5\n")
    done = softmax_cli("predict", "x.csv", "--group", "query", "--logits", "s", *options)
    assert (done.code, "rows that belong together may stand in several parts" in done.err) == (2, True), done.err
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize("job", [("--pool-by", "utt"), ("--pool-by", "utt", "--pool", "max"), ("--long", "id,class,s")])
def test_probabilities_taken_for_logits_are_warned_of(softmax_cli, tmp_path, job):
    p = softmax(np.random.default_rng(0).normal(size=(12, 3)), axis=1).round(6)
    wide = pd.DataFrame(p, columns=["cat", "dog", "owl"]).assign(id=np.arange(12), utt=np.arange(12) // 3)
    long = wide.melt(["id"], ["cat", "dog", "owl"], "class", "s")
    (long if job[0] == "--long" else wide.drop(columns="id")).to_csv(tmp_path / "x.csv", index=False)
    done = softmax_cli("predict", "x.csv", *job, "-q")
    assert done.code == 0
    assert done.err.count("as probabilities do, but were read as logits") == 1
    assert softmax_cli("predict", "x.csv", *job, "-q", "--input", "prob").err == ""
